package platform_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

const sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestParseImage(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]platform.ImageRef{
		"nginx":                          {Repository: "nginx"},
		"nginx:1.27":                     {Repository: "nginx", Tag: "1.27"},
		"team/app":                       {Repository: "team/app"},
		"a/b/c:latest":                   {Repository: "a/b/c", Tag: "latest"},
		"registry.test/app":              {Registry: "registry.test", Repository: "app"},
		"registry.test:5000/app:v1":      {Registry: "registry.test:5000", Repository: "app", Tag: "v1"},
		"host:5000/app":                  {Registry: "host:5000", Repository: "app"},
		"HOST/app":                       {Registry: "HOST", Repository: "app"},
		"localhost/app":                  {Registry: "localhost", Repository: "app"},
		"[::1]:5000/app":                 {Registry: "[::1]:5000", Repository: "app"},
		"[2001:db8::1]/app":              {Registry: "[2001:db8::1]", Repository: "app"},
		"app@sha256:" + sum:              {Repository: "app", Digest: "sha256:" + sum},
		"r.test/a:1@sha512:" + sum + sum: {Registry: "r.test", Repository: "a", Tag: "1", Digest: "sha512:" + sum + sum},
		"a.b/c__d-e---f.g_h:_x.Y-z":      {Registry: "a.b", Repository: "c__d-e---f.g_h", Tag: "_x.Y-z"},
		"slipway.internal/hello:v0.1.0":  {Registry: "slipway.internal", Repository: "hello", Tag: "v0.1.0"},
		"a:" + strings.Repeat("x", 128):  {Repository: "a", Tag: strings.Repeat("x", 128)},
		sum + ":tag":                     {}, // an image id even so
	} {
		got, err := platform.ParseImage(s)
		if want.Repository == "" {
			require.Error(t, err, s)
			continue
		}
		require.NoError(t, err, s)
		require.Equal(t, want, got, s)
		require.Equal(t, s, got.String())
	}
}

func TestParseImageRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", " ", "nginx ", " nginx", "NGINX", "team/App", "nginx:", "nginx:.x", "nginx:-x", "nginx:a b", "a:" + strings.Repeat("x", 129),
		"/nginx", "nginx/", "a//b", "a/../b", "-a", "a-", "a_", "a...b", "a___b", "a.-b", "a@", "a@sha256:", "a@sha256:" + sum[1:],
		"a@sha256:" + strings.ToUpper(sum), "a@md5:" + sum[:32], "host:/a", "host:0/a", "host:65536/a", "host:+1/a", "x.y:z/a",
		"-host.x/a", "host-.x/a", "a..b/c", ".a/b", "[::1/a", "[1.2.3.4]/a", "[::1]x/a", "[fe80::1%eth0]/a", "ho_st.x/a",
		"http://r.test/app", "docker://r.test/app", "r.test/app?x=1", "r.test/app#x", "r.test/äpp", "a\x00b", "a\nb", sum,
		"r.test/" + strings.Repeat("a", 250),
	} {
		_, err := platform.ParseImage(s)
		require.Error(t, err, "%q", s)
		require.Equal(t, platform.Invalid, platform.CodeOf(err), "%q", s)
	}
}

func TestValidateImage(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"localhost/app", "localhost:5000/app", "LOCALHOST/app", "127.0.0.1:5555/a/a:git-1", "127.9.9.9/app", "[::1]/app",
		"[::ffff:127.0.0.1]/app", "0.0.0.0/app", "x.localhost/app",
	} {
		requireInvalid(t, platform.ValidateImage(s, "slipway.localhost"), "", "image must not use the loopback address")
	}
	for _, s := range []string{"nginx", "localhostess/app", "128.0.0.1/app", "registry.slipway.localhost/app", "localhost.example/app"} {
		require.NoError(t, platform.ValidateImage(s, "slipway.localhost"), s)
	}
	require.NoError(t, platform.ValidateImage("registry.slipway.localhost/app", "example.com", "slipway.localhost"), "a former domain")
	requireInvalid(t, platform.ValidateImage("registry.slipway.localhost/app", "example.com"), "", "image must not use the loopback address")
	requireInvalid(t, platform.ValidateImage("", "x"), "image", "This field may not be blank.")
	requireInvalid(t, platform.ValidateImage("Nginx", "x"), "image",
		`"Nginx" is not an image reference: a name is made of lower-case letters and digits, joined by single '.', '_', '__' or '-'.`)
}

func FuzzParseImage(f *testing.F) {
	for _, s := range []string{"nginx", "r.test:5000/a/b:v1@sha256:" + sum, "[::1]:5/a", "localhost/a", "a@b", "a:b:c", "[", "]/a", ":/a", "A/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := platform.ParseImage(s)
		if err != nil {
			require.Equal(t, platform.Invalid, platform.CodeOf(err))
			return
		}
		require.Equal(t, s, ref.String())
		require.NotContains(t, s, " ")
		require.LessOrEqual(t, len(ref.Registry)+len(ref.Repository), 256)
		again, err := platform.ParseImage(ref.String())
		require.NoError(t, err)
		require.Equal(t, ref, again)
		_ = ref.IsLoopback()
	})
}
