package store_test

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/store"
)

func dump(t *testing.T, location string) string {
	t.Helper()
	s, err := store.OpenSnapshot(t.Context(), location)
	require.NoError(t, err)
	var b bytes.Buffer
	_, err = s.Dump(t.Context(), &b)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	return b.String()
}

// What is dumped from one kind of database and loaded into another is the same
// when it is dumped again, and the store goes on with it.
func TestDumpAndLoad(t *testing.T) {
	t.Parallel()
	for from, source := range databases() {
		for to, target := range databases() {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				old, moved := source(t), target(t)
				s := open(t, old)
				fill(t, s)
				_, err := s.CreateUser(t.Context(), platform.User{Username: "second \u2028 ☃ \\\"", Email: "x\n\t<&>"}, "")
				require.NoError(t, err)
				before := dump(t, old)
				assert.Contains(t, before, `{"b":"`, "sealed bytes are among it")
				assert.NotContains(t, before, "swordfish")

				rows, err := store.Load(t.Context(), moved, strings.NewReader(before), store.LoadOptions{})
				require.NoError(t, err)
				assert.Positive(t, rows)
				assert.Equal(t, before, dump(t, moved))

				again := open(t, moved)
				c, err := again.FindConfig(t.Context(), "c")
				require.NoError(t, err)
				assert.Equal(t, "swordfish-value", c.Values[0].Value)
				_, err = again.CreateUser(t.Context(), platform.User{Username: "third"}, "hash")
				require.NoError(t, err, "numbers go on after the last one given")
			})
		}
	}
}

// Numbers that were given and whose rows have gone are not given again.
func TestLoadGoesOnCounting(t *testing.T) {
	t.Parallel()
	for name, place := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, moved := place(t), place(t)
			s := open(t, old)
			fill(t, s)
			require.NoError(t, s.DeleteApp(t.Context(), "hello"))
			text := dump(t, old)
			assert.Contains(t, text, `"table":"apps","columns":["number",`)
			assert.Contains(t, text, `"serial":1}`)
			_, err := store.Load(t.Context(), moved, strings.NewReader(text), store.LoadOptions{})
			require.NoError(t, err)
			assert.Equal(t, text, dump(t, moved))
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	source := filepath.Join(t.TempDir(), "slipway.db")
	fill(t, open(t, source))
	good := dump(t, source)
	lines := strings.SplitAfter(good, "\n")
	last := len(lines) - 1
	for !strings.HasPrefix(lines[last], "[") {
		last--
	}
	for name, tc := range map[string]struct{ text, want string }{
		"nothing":        {"", "unexpected EOF"},
		"something else": {"hello\n", "no dump"},
		"newer format":   {strings.Replace(good, `{"dump":1,`, `{"dump":2,`, 1), "use a newer one"},
		"newer schema":   {strings.Replace(good, `"migrations":[`, `"migrations":[{"name":"9999_x.sql","checksum":"1"},`, 1), "newer version of slipway"},
		"no end":         {strings.Join(lines[:len(lines)-2], ""), "unexpected EOF"},
		"a row less":     {strings.Replace(good, lines[last], "", 1), "rows and has"},
		"unknown table":  {strings.Replace(good, `{"table":"users"`, `{"table":"people"`, 1), `"people"`},
		"unknown column": {strings.Replace(good, `"username"`, `"username, 1); DROP TABLE users; --"`, 1), "column"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := filepath.Join(t.TempDir(), "slipway.db")
			fill(t, open(t, target))
			before := dump(t, target)
			_, err := store.Load(t.Context(), target, strings.NewReader(tc.text), store.LoadOptions{Replace: true})
			require.ErrorContains(t, err, tc.want)
			assert.Equal(t, before, dump(t, target), "nothing was changed")
		})
	}
}

func TestLoadIntoRecords(t *testing.T) {
	t.Parallel()
	for name, place := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			location := place(t)
			s := open(t, location)
			fill(t, s)
			before := dump(t, location)
			_, err := s.CreateUser(t.Context(), platform.User{Username: "later"}, "")
			require.NoError(t, err)
			require.NoError(t, s.Close())
			_, err = store.Load(t.Context(), location, strings.NewReader(before), store.LoadOptions{})
			require.ErrorIs(t, err, store.ErrNotEmpty)
			_, err = store.Load(t.Context(), location, strings.NewReader(before), store.LoadOptions{Replace: true})
			require.NoError(t, err)
			assert.Equal(t, before, dump(t, location))
		})
	}
}

func TestSnapshotOfNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "slipway.db")
	_, err := store.OpenSnapshot(t.Context(), path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.NoFileExists(t, path)
}

func TestInventory(t *testing.T) {
	t.Parallel()
	for name, place := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			location := place(t)
			fill(t, open(t, location))
			s, err := store.OpenSnapshot(t.Context(), location)
			require.NoError(t, err)
			i, err := s.Inventory(t.Context(), key(1))
			require.NoError(t, err)
			require.NoError(t, s.Close())
			assert.Equal(t, store.Inventory{Apps: []string{"hello"}, Images: []string{"img"}, Volumes: nil}, i)
		})
	}
}
