package gitssh

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPlanPush(t *testing.T) {
	t.Parallel()
	none, a, b := strings.Repeat("0", 40), strings.Repeat("a", 40), strings.Repeat("b", 40)
	branch := func(name string) update { return update{none, a, branchPrefix + name} }
	tag := func(name string) update { return update{none, b, tagPrefix + name} }
	gone := func(ref string) update { return update{a, none, ref} }
	tests := map[string]struct {
		updates []update
		deploy  string
		refusal string
		notes   int
	}{
		"a branch":                 {updates: []update{branch("next")}, deploy: "refs/heads/next"},
		"the branch that runs":     {updates: []update{{a, b, "refs/heads/main"}}, deploy: "refs/heads/main"},
		"a branch and its tags":    {updates: []update{tag("v1"), branch("main"), tag("v2")}, deploy: "refs/heads/main"},
		"a tag":                    {updates: []update{tag("v1")}, notes: 1},
		"a tag goes":               {updates: []update{gone("refs/tags/v1")}},
		"a branch goes":            {updates: []update{gone("refs/heads/old")}, notes: 1},
		"a branch instead of one":  {updates: []update{gone("refs/heads/old"), branch("new")}, deploy: "refs/heads/new", notes: 1},
		"what runs goes":           {updates: []update{gone("refs/heads/main")}, refusal: "is what runs"},
		"two branches":             {updates: []update{branch("main"), branch("x")}, refusal: "has 2: main, x."},
		"all branches":             {updates: []update{branch("a"), branch("b"), branch("c"), branch("d"), branch("e"), branch("f")}, refusal: "a, b, c, d, e, …"},
		"notes":                    {updates: []update{{none, a, "refs/notes/commits"}}, refusal: "only branches and tags"},
		"HEAD":                     {updates: []update{{none, a, "HEAD"}}, refusal: "only branches and tags"},
		"a branch below another":   {updates: []update{branch("main/x")}, refusal: "can't be beside the branch main"},
		"a branch above another":   {updates: []update{branch("team")}, refusal: "can't be beside the branch team/x"},
		"no id":                    {updates: []update{{"-x", a, "refs/heads/main"}}, refusal: "not those of SHA-1"},
		"an id of SHA-256":         {updates: []update{{none, a + strings.Repeat("a", 24), "refs/heads/main"}}, refusal: "not those of SHA-1"},
		"an option for an id":      {updates: []update{{none, "--output=/etc/passwd", "refs/heads/main"}}, refusal: "not those of SHA-1"},
		"nothing":                  {},
		"a tag of a name with ../": {updates: []update{tag("../../x")}, notes: 1}, // git itself refuses it
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := planPush(tt.updates, "main", []string{"main", "team/x", "old"})
			if tt.refusal != "" {
				require.Contains(t, p.refusal, tt.refusal)
				require.Nil(t, p.deploy)
				return
			}
			require.Empty(t, p.refusal)
			require.Len(t, p.notes, tt.notes)
			if tt.deploy == "" {
				require.Nil(t, p.deploy)
			} else {
				require.Equal(t, tt.deploy, p.deploy.Ref)
			}
		})
	}
}

func TestCleanLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain\ttext":                          "plain\ttext",
		"\x1b[1;31mred\x1b[0m":                 "red",
		"10%\r50%\r100%\r":                     "100%",
		"\x1b]0;title\x07text":                 "text",
		"\x1b]8;;http://x\x1b\\link\x1b]8;;\a": "link",
		"a\x00b\x07c\x7f":                      "abc",
		"bad \xff utf-8":                       "bad \uFFFD utf-8",
		"right\u202eleft":                      "rightleft",
		"\x1b[2J\x1b[Hgone":                    "gone",
		"\u009b31mc1":                          "31mc1",
	} {
		assert.Equal(t, want, cleanLine(in), "%q", in)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	var got []string
	l := &lines{emit: func(line string) error { got = append(got, line); return nil }}
	for _, part := range []string{"one", " line\ntwo\n\nthr", "ee", strings.Repeat("x", 2*maxLine)} {
		n, err := l.Write([]byte(part))
		require.NoError(t, err)
		require.Equal(t, len(part), n)
	}
	l.close()
	require.Equal(t, []string{"one line", "two", "", "three" + strings.Repeat("x", maxLine-5)}, got)

	broken := &lines{emit: func(string) error { return io.ErrClosedPipe }}
	_, err := broken.Write([]byte("a\nb\n"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestAdmission(t *testing.T) {
	t.Parallel()
	from := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 9} }
	a := newAdmission(3, 2)
	leave, ok := a.enter(from("192.0.2.1"))
	require.True(t, ok)
	_, ok = a.enter(from("::ffff:192.0.2.1"))
	require.True(t, ok)
	_, ok = a.enter(from("192.0.2.1"))
	require.False(t, ok, "the third of one address")
	_, ok = a.enter(from("2001:db8::1"))
	require.True(t, ok)
	_, ok = a.enter(from("192.0.2.2"))
	require.False(t, ok, "the fourth in all")
	leave()
	_, ok = a.enter(from("2001:db8::ffff"))
	require.True(t, ok)
	b := newAdmission(9, 1)
	_, ok = b.enter(from("2001:db8::1"))
	require.True(t, ok)
	_, ok = b.enter(from("2001:db8::2"))
	require.False(t, ok, "one network of 64 bits is one owner")
}

// A hook that gets no answer refuses.
func TestHookWithoutServer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{"silence": "", "a log only": "L building\n", "a cut verdict": "V"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var said strings.Builder
			accepted, err := relay(strings.NewReader(answer), &said)
			require.False(t, accepted)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		})
	}
	accepted, err := relay(strings.NewReader("L one\nV no\n"), io.Discard)
	require.NoError(t, err)
	require.False(t, accepted)
	accepted, err = relay(strings.NewReader("L V no\nV yes\n"), io.Discard)
	require.NoError(t, err)
	require.True(t, accepted)
	var said strings.Builder
	require.Equal(t, 1, hook(strings.NewReader(""), &said, func(string) string { return "/nonexistent" }))
	require.Contains(t, said.String(), "Push again in a minute")
}

func TestBucket(t *testing.T) {
	t.Parallel()
	var cause error
	full := errors.New("full")
	tests := map[string]struct {
		bucket bucket
		want   error
	}{
		"fits":         {bucket{left: 8, floor: 5, free: func() (int64, error) { return 5, nil }}, nil},
		"too large":    {bucket{left: 7, free: func() (int64, error) { return 5, nil }}, errTree("The tree is larger than this platform builds (SLIPWAY_BUILD_SOURCE_LIMIT). Keep large files out of the repository.")},
		"no room":      {bucket{left: 8, floor: 6, free: func() (int64, error) { return 5, nil }}, errTree(diskFull)},
		"unknown room": {bucket{left: 8, free: func() (int64, error) { return 0, full }}, full},
	}
	for name, tt := range tests {
		cause = nil
		tt.bucket.to, tt.bucket.stop = io.Discard, func(err error) { cause = err }
		_, err := tt.bucket.Write([]byte("12345678"))
		assert.Equal(t, tt.want, err, name)
		assert.Equal(t, tt.want, cause, name)
	}
}
