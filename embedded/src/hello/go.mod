module github.com/slipway-paas/slipway/embedded/src/hello

go 1.26.0
