package gitssh_test

import (
	"github.com/slipway-paas/slipway/platform/gitssh"
)

func limitsOf(bytes int64) gitssh.Limits {
	return gitssh.Limits{Pack: bytes, Tree: bytes, Free: 1}
}
