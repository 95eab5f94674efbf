module github.com/slipway-paas/slipway/embedded/src/filer

go 1.26.0

require golang.org/x/net v0.60.0
