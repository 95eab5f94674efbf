module github.com/slipway-paas/slipway/embedded/src/pause

go 1.26.0
