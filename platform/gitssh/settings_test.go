package gitssh

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseLimits(t *testing.T) {
	t.Parallel()
	given := map[string]string{}
	get := func(name string) string { return given[name] }
	l, err := ParseLimits(get)
	require.NoError(t, err)
	require.Zero(t, l)
	given = map[string]string{"SLIPWAY_GIT_PUSH_SIZE": "5Mi", "SLIPWAY_GIT_REPOSITORY_SIZE": "1Gi", "SLIPWAY_GIT_TIMEOUT": "7",
		"SLIPWAY_BUILD_SOURCE_LIMIT": "2", "SLIPWAY_BUILD_SOURCE_FILES": "3"}
	l, err = ParseLimits(get)
	require.NoError(t, err)
	require.Equal(t, Limits{Pack: 5 << 20, Repo: 1 << 30, Tree: 2 << 20, Files: 3, Transfer: 7 * time.Minute}, l)
	for name, wrong := range map[string]string{"SLIPWAY_GIT_PUSH_SIZE": "much", "SLIPWAY_GIT_TIMEOUT": "0", "SLIPWAY_BUILD_SOURCE_FILES": "-1"} {
		given = map[string]string{name: wrong}
		_, err = ParseLimits(get)
		require.ErrorContains(t, err, name)
	}
	d := Limits{Refs: 5}.withDefaults()
	require.Equal(t, 5, d.Refs)
	require.NotZero(t, d.Pack)
	require.NotZero(t, d.Commands)
}
