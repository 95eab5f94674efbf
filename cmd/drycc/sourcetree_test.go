package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIgnores(t *testing.T) {
	t.Parallel()
	list, err := parseIgnore("# not this\n\n*.log\nnode_modules/\n/dist\ndocs/*.md\n!docs/keep.md\na/**/z\n\\#odd\n")
	require.NoError(t, err)
	for name, want := range map[string]bool{
		"x.log": true, "deep/er/x.log": true, "x.logs": false, "dist": true, "src/dist": false,
		"docs/a.md": true, "docs/keep.md": false, "src/docs/a.md": false, "a/z": true, "a/b/c/z": true, "a/b": false,
		"#odd": true, "node_modules": false,
	} {
		assert.Equal(t, want, list.match(name, false), name)
	}
	assert.True(t, list.match("src/node_modules", true), "folders only")
	_, err = parseIgnore("[")
	require.ErrorContains(t, err, "broken")
}
