package cis

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the table into docs/security.md")

const (
	docs  = "../../docs/security.md"
	begin = "<!-- table: written by go test ./test/cis -update -->\n"
	end   = "<!-- end of the table -->\n"
)

func TestTheTableIsInTheDocumentation(t *testing.T) {
	data, err := os.ReadFile(docs)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(data), begin)
	require.True(t, ok)
	table, tail, ok := strings.Cut(rest, end)
	require.True(t, ok)
	if *update {
		table = Markdown()
		require.NoError(t, os.WriteFile(docs, []byte(head+begin+table+end+tail), 0o644))
	}
	assert.Equal(t, Markdown(), table, "run the test with -update")
}

func TestRowsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rows() {
		assert.False(t, seen[r.ID], r.ID)
		seen[r.ID] = true
		assert.NotEmpty(t, r.What, r.ID)
		if r.Stand != Pass {
			assert.NotEmpty(t, r.Why, "%s: what is not met is explained", r.ID)
		}
		if r.Stand == Pass && len(r.Asks) == 0 {
			assert.NotEmpty(t, r.Why, "%s: what is not asked is explained", r.ID)
		}
		if r.Stand == NA {
			assert.Empty(t, r.Asks, r.ID)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		value, pattern string
		want           bool
	}{{"false", "false", true}, {"Node,RBAC", "*RBAC*", true}, {"Node", "!*RBAC*", true}, {"/a/b", "*", true}, {"/a/b", "/a/*", true}, {"", "*", true}, {"1", "!1", false}} {
		assert.Equal(t, tt.want, matches(tt.value, tt.pattern), "%q %q", tt.value, tt.pattern)
	}
}
