package gitssh_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/gitssh"
)

// newFetcher may call this machine, unless others are named.
func newFetcher(t *testing.T, l gitssh.Limits, allowed ...string) (*gitssh.Fetcher, string) {
	t.Helper()
	l.Free = 1
	o := gitssh.FetchOptions{Dir: filepath.Join(t.TempDir(), "git"), Git: hostGit(t), Limits: l,
		Forbidden: func() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("10.43.0.0/16")} }}
	for _, a := range allowed {
		o.Allowed = append(o.Allowed, netip.MustParsePrefix(a))
	}
	f, err := gitssh.NewFetcher(o)
	require.NoError(t, err)
	return f, filepath.Join(o.Dir, ".fetch")
}

// forge is a host of repositories that git itself serves over HTTPS, to who
// knows the password.
type forge struct {
	*httptest.Server
	root, ca string
}

const forgePassword = "glpat-let-me-in"

func newForge(t *testing.T) *forge {
	t.Helper()
	f := &forge{root: t.TempDir()}
	core, err := exec.Command("git", "--exec-path").Output()
	require.NoError(t, err)
	git := &cgi.Handler{Path: filepath.Join(strings.TrimSpace(string(core)), "git-http-backend"),
		Env: []string{"GIT_PROJECT_ROOT=" + f.root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "HOME=/nonexistent"}}
	f.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch name, password, _ := r.BasicAuth(); {
		case strings.HasPrefix(r.URL.Path, "/moved.git"):
			http.Redirect(w, r, strings.Replace(r.URL.String(), "moved", "site", 1), http.StatusMovedPermanently)
		case strings.HasPrefix(r.URL.Path, "/away.git"):
			http.Redirect(w, r, "https://localhost:1/site.git/info/refs", http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/page"):
			_, _ = w.Write([]byte("<html>"))
		case name != "reader" || password != forgePassword:
			w.WriteHeader(http.StatusUnauthorized)
		default:
			git.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(f.Close)
	f.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw}))
	return f
}

// repository makes a bare copy of a client's.
func (f *forge) repository(c *client, name string) {
	c.must("clone", "-q", "--bare", c.dir, filepath.Join(f.root, name))
}

func (f *forge) source(name string) control.GitSource {
	return control.GitSource{URL: f.URL + "/" + name, Branch: "main", Username: "reader", Password: forgePassword, CA: f.ca}
}

func TestFetchHTTPS(t *testing.T) {
	d := openDoor(t)
	f := newForge(t)
	c := d.client("alice", app)
	c.commit("deep/er.txt", "first\n")
	c.commit("deep/er.txt", "second\n")
	require.NoError(t, os.Symlink("deep/er.txt", filepath.Join(c.dir, "link")))
	c.commit("big.bin", random(3<<20))
	f.repository(c, "site.git")
	fetcher, dir := newFetcher(t, gitssh.Limits{}, "127.0.0.0/8")
	for _, name := range []string{"site.git", "moved.git"} {
		var log bytes.Buffer
		got, err := fetcher.Fetch(t.Context(), f.source(name), &log)
		require.NoError(t, err, name)
		assert.Equal(t, c.must("rev-parse", "main"), got.SHA)
		files, err := untar(got.Tar)
		require.NoError(t, err)
		assert.Equal(t, "second\n", files["deep/er.txt"])
		assert.Equal(t, "→deep/er.txt", files["link"])
		require.NoError(t, os.Remove(got.Tar))
		assert.Empty(t, log.String())
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1, "the configuration only")
}

func TestFetchRefusals(t *testing.T) {
	d := openDoor(t)
	f := newForge(t)
	c := d.client("alice", app)
	f.repository(c, "site.git")
	c.must("checkout", "-q", "--orphan", "bare")
	c.must("rm", "-rqf", ".")
	c.must("commit", "-q", "--allow-empty", "-m", "nothing")
	f.repository(c, "blank.git")
	cases := []struct {
		name   string
		change func(s *control.GitSource)
		limits gitssh.Limits
		closed bool // the machine itself may not be called
		want   string
	}{
		{name: "a wrong password", change: func(s *control.GitSource) { s.Password = "glpat-wrong" }, want: "answers 401"},
		{name: "no repository", change: func(s *control.GitSource) { s.URL = f.URL + "/none.git" }, want: "answers 404"},
		{name: "no branch", change: func(s *control.GitSource) { s.Branch = "next" }, want: "has no branch next"},
		{name: "a branch that is an option", change: func(s *control.GitSource) { s.Branch = "--upload-pack=x" }, want: "no name of a branch"},
		{name: "no git", change: func(s *control.GitSource) { s.URL = f.URL + "/page" }, want: "check the address"},
		{name: "an unknown authority", change: func(s *control.GitSource) { s.CA = "" }, want: "can't be reached: tls:"},
		{name: "no files", change: func(s *control.GitSource) { s.URL, s.Branch = f.URL+"/blank.git", "bare" }, want: "there is nothing to build"},
		{name: "sent elsewhere", change: func(s *control.GitSource) { s.URL = f.URL + "/away.git" }, want: "to another place, https://localhost:1"},
		{name: "plain HTTP", change: func(s *control.GitSource) { s.URL = "http://example.com/a.git" }, want: "Enter the address"},
		{name: "a file", change: func(s *control.GitSource) { s.URL = f.root + "/site.git" }, want: "Enter the address"},
		{name: "another helper", change: func(s *control.GitSource) { s.URL = "ext::sh -c id" }, want: "Enter the address"},
		{name: "too much", limits: gitssh.Limits{Pack: 100}, want: "sends more than 0 MiB"},
		{name: "this machine", closed: true, want: "is one of this machine"},
		{name: "the cluster", change: func(s *control.GitSource) { s.URL = "https://10.43.0.1/a.git" }, want: "is one of this machine"},
		{name: "where clouds hand out passwords", change: func(s *control.GitSource) { s.URL = "https://169.254.169.254/a.git" }, want: "is one of this machine"},
		{name: "the same in IPv6", change: func(s *control.GitSource) { s.URL = "https://[::ffff:a9fe:a9fe]/a.git" }, want: "is one of this machine"},
		{name: "the same over SSH", change: func(s *control.GitSource) { s.URL = "git@10.43.0.1:a.git" }, want: "host key"},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			allowed := []string{"127.0.0.0/8"}
			if k.closed {
				allowed = nil
			}
			fetcher, dir := newFetcher(t, k.limits, allowed...)
			s := f.source("site.git")
			if k.change != nil {
				k.change(&s)
			}
			var log bytes.Buffer
			_, err := fetcher.Fetch(t.Context(), s, &log)
			require.ErrorContains(t, err, k.want)
			assert.Equal(t, platform.Invalid, platform.CodeOf(err), "%v", err)
			assert.NotContains(t, err.Error()+log.String(), "glpat")
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Len(t, left, 1, "nothing is left")
		})
	}
}

// TestFetchSSH fetches from the door itself.
func TestFetchSSH(t *testing.T) {
	d := openDoor(t)
	c := d.client("alice", app)
	c.must("push", "-q", "drycc", "main")
	key, err := os.ReadFile(filepath.Join(d.home, "vivian"))
	require.NoError(t, err)
	fetcher, _ := newFetcher(t, gitssh.Limits{}, "127.0.0.0/8")
	host, err := fetcher.HostKey(t.Context(), d.url(app))
	require.NoError(t, err)
	s := control.GitSource{URL: d.url(app), Branch: "main", PrivateKey: string(key), HostKey: host}
	var log bytes.Buffer
	got, err := fetcher.Fetch(t.Context(), s, &log)
	require.NoError(t, err)
	assert.Equal(t, c.must("rev-parse", "main"), got.SHA)
	require.NoError(t, os.Remove(got.Tar))

	s.URL = d.url("other")
	_, err = fetcher.Fetch(t.Context(), s, &log)
	require.ErrorContains(t, err, "There is no app other")

	s.URL, s.HostKey = d.url(app), strings.TrimSpace(string(publicKey(t, key)))
	_, err = fetcher.Fetch(t.Context(), s, &log)
	require.Error(t, err)
	assert.Equal(t, platform.Invalid, platform.CodeOf(err), "%v", err)

	s.HostKey, s.PrivateKey = host, string(newKey(t))
	_, err = fetcher.Fetch(t.Context(), s, &log)
	require.ErrorContains(t, err, "does not let us in as git")

	closed, _ := newFetcher(t, gitssh.Limits{})
	_, err = closed.HostKey(t.Context(), d.url(app))
	require.ErrorContains(t, err, "is one of this machine")
}

// newKey is a private key that nobody knows.
func newKey(t *testing.T) []byte {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	require.NoError(t, err)
	return pem.EncodeToMemory(block)
}

func publicKey(t *testing.T, private []byte) []byte {
	signer, err := ssh.ParsePrivateKey(private)
	require.NoError(t, err)
	return ssh.MarshalAuthorizedKey(signer.PublicKey())
}

// TestFetchEnds breaks a fetch off while the server is silent.
func TestFetchEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	silent := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer silent.Close()
	fetcher, dir := newFetcher(t, gitssh.Limits{}, "127.0.0.0/8")
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: silent.Certificate().Raw}))
	_, err := fetcher.Fetch(ctx, control.GitSource{URL: silent.URL + "/a.git", Branch: "main", CA: ca}, &bytes.Buffer{})
	require.ErrorIs(t, err, context.Canceled)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1)
}
