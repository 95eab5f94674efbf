//go:build e2e

package push

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
)

// TestPush goes through what developers push, on one host.
func TestPush(t *testing.T) {
	p := open(t)
	d := p.developer(t, "dev", "site", true)
	t.Run("nothing to push", func(t *testing.T) {
		out, ok := d.push(t, "main")
		assert.False(t, ok, out)
		assert.Empty(t, d.git(t, "ls-remote", "drycc"), "the app's repository is there and empty")
	})
	d.write(t, site("from main"))
	out, ok := d.push(t, "main")
	require.True(t, ok, out)
	p.serves(t, "site", "/", "from main")
	t.Run("another branch", func(t *testing.T) { anotherBranch(t, d) })
	t.Run("a tag", func(t *testing.T) { aTag(t, d) })
	t.Run("binary files", func(t *testing.T) { binary(t, d) })
	t.Run("a submodule", func(t *testing.T) { submodule(t, d) })
	t.Run("100 MB", func(t *testing.T) { large(t, d) })
	t.Run("two at once", func(t *testing.T) { twoAtOnce(t, d) })
	t.Run("a client that is killed", func(t *testing.T) { clientKilled(t, d) })
	t.Run("a build hook", func(t *testing.T) { buildHook(t, d) })
	t.Run("old images", func(t *testing.T) { oldImages(t, d) })
	t.Run("a server that is killed", func(t *testing.T) { serverKilled(t, d) })
}

func anotherBranch(t *testing.T, d *developer) {
	d.git(t, "checkout", "-qb", "next")
	d.write(t, site("from next"))
	out, ok := d.push(t, "next")
	require.True(t, ok, out)
	d.p.serves(t, "site", "/", "from next")
	refs := d.git(t, "ls-remote", "--symref", "drycc")
	assert.Contains(t, refs, "ref: refs/heads/next\tHEAD", "a clone gets what runs")
	assert.Contains(t, refs, "refs/heads/main", "the first branch is still there")
	out, ok = d.push(t, "main", "next:other")
	assert.False(t, ok, "two branches at once: which is it to be?")
	assert.Contains(t, out, "remote:")
	d.git(t, "checkout", "-q", "main")
}

func aTag(t *testing.T, d *developer) {
	before := d.p.version(t, "site")
	d.git(t, "tag", "-a", "v1", "-m", "first", "main")
	out, ok := d.push(t, "v1")
	require.True(t, ok, out)
	assert.Equal(t, before, d.p.version(t, "site"), "a tag is kept, not deployed")
	out, ok = d.push(t, "v1^{}:refs/heads/main", "--force")
	require.True(t, ok, out)
}

// binary has every byte, in a name that is no ASCII, come out as it went in.
func binary(t *testing.T, d *developer) {
	raw := make([]byte, 256<<10)
	_, _ = rand.Read(raw) // never errs
	files := site("binary")
	files["www/bin/ü.bin"] = string(raw)
	d.write(t, files)
	out, ok := d.push(t, "main")
	require.True(t, ok, out)
	d.p.serves(t, "site", "/bin/%C3%BC.bin", string(raw))
}

func submodule(t *testing.T, d *developer) {
	lib := filepath.Join(d.home, "lib")
	require.NoError(t, os.MkdirAll(lib, 0o755))
	d.git(t, "-C", lib, "init", "-q", "-b", "main")
	require.NoError(t, os.WriteFile(filepath.Join(lib, "a"), []byte("a\n"), 0o644))
	d.git(t, "-C", lib, "add", "-A")
	d.git(t, "-C", lib, "commit", "-qm", "lib")
	d.git(t, "submodule", "--quiet", "add", lib, "lib")
	d.write(t, site("with a submodule"))
	out, ok := d.push(t, "main")
	require.True(t, ok, out)
	assert.Contains(t, out, "submodules are not built: lib", "it is said")
	d.p.serves(t, "site", "/", "with a submodule")
}

// large has a tree of 100 MB, a quarter of it in one file.
func large(t *testing.T, d *developer) {
	chunk := make([]byte, 25<<20)
	for i := range 4 {
		_, _ = rand.Read(chunk) // never errs; it does not compress
		require.NoError(t, os.WriteFile(filepath.Join(d.dir, fmt.Sprintf("ballast-%d", i)), chunk, 0o644))
	}
	d.write(t, site("with ballast"))
	out, ok := d.push(t, "main")
	require.True(t, ok, out)
	d.p.serves(t, "site", "/", "with ballast")
	d.git(t, "rm", "-qf", "ballast-0", "ballast-1", "ballast-2", "ballast-3")
	d.git(t, "commit", "-qm", "overboard")
}

// twoAtOnce lets two people push to one app: one of them is told to wait, and
// the app runs what was accepted.
func twoAtOnce(t *testing.T, d *developer) {
	other := d.p.developer(t, "mate", "site", false)
	other.git(t, "fetch", "-q", "drycc", "main")
	other.git(t, "reset", "-q", "--hard", "FETCH_HEAD")
	other.write(t, site("from the mate"))
	d.git(t, "checkout", "-qB", "main", "drycc/main")
	slow := site("from the first")
	slow["Dockerfile"] += "RUN sleep 20\n"
	d.write(t, slow)
	type outcome struct {
		text string
		ok   bool
	}
	first := make(chan outcome, 1)
	var once sync.WaitGroup
	once.Go(func() {
		text, ok := d.push(t, "main")
		first <- outcome{text, ok}
	})
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) error { return d.building(ctx) }))
	out, ok := other.push(t, "main")
	assert.False(t, ok, out)
	assert.Contains(t, out, "Another git push is ongoing")
	once.Wait()
	won := <-first
	require.True(t, won.ok, won.text)
	d.p.serves(t, "site", "/", "from the first")
	out, ok = other.push(t, "main")
	assert.False(t, ok, "history of somebody else is not overwritten by accident: %s", out)
	assert.Contains(t, out, "fetch first")
}

// building is nil while a build of the app runs.
func (d *developer) building(ctx context.Context) error {
	var runs struct{ Results []struct{ State string } }
	if _, err := d.p.client.Call(ctx, "GET", "/apps/"+d.app+"/builds/runs/?limit=1", nil, &runs); err != nil {
		return err
	}
	if len(runs.Results) == 0 || runs.Results[0].State != "running" {
		return fmt.Errorf("no build runs: %+v", runs.Results)
	}
	return nil
}

// ended waits for the newest run and returns its state.
func (d *developer) ended(t *testing.T) (state, release string) {
	t.Helper()
	var runs struct {
		Results []struct{ State, Release string }
	}
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) error {
		_, err := d.p.client.Call(ctx, "GET", "/apps/"+d.app+"/builds/runs/?limit=1", nil, &runs)
		if err == nil && (len(runs.Results) == 0 || runs.Results[0].State == "running" || runs.Results[0].State == "queued") {
			err = fmt.Errorf("it goes on: %+v", runs.Results)
		}
		return err
	}))
	return runs.Results[0].State, runs.Results[0].Release
}

// breakOff begins a push of a slow build and returns when that runs.
func (d *developer) breakOff(t *testing.T) (kill func(), said *bytes.Buffer) {
	t.Helper()
	d.git(t, "fetch", "-q", "drycc")
	d.git(t, "checkout", "-qB", "main", "drycc/main")
	slow := site("never")
	slow["Dockerfile"] += "RUN sleep 600\n"
	d.write(t, slow)
	said = &bytes.Buffer{}
	cmd := d.command(t.Context(), "push", "drycc", "main")
	cmd.Stderr = said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	kill = sync.OnceFunc(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) error { return d.building(ctx) }))
	return kill, said
}

// mended pushes something that works after all.
func (d *developer) mended(t *testing.T, line string) {
	t.Helper()
	d.write(t, site(line))
	out, ok := d.push(t, "main")
	require.True(t, ok, out)
	d.p.serves(t, "site", "/", line)
}

func clientKilled(t *testing.T, d *developer) {
	before, at := d.p.version(t, "site"), d.git(t, "ls-remote", "drycc", "main")
	kill, _ := d.breakOff(t)
	kill()
	state, release := d.ended(t)
	assert.Equal(t, "canceled", state)
	assert.Empty(t, release)
	assert.Equal(t, before, d.p.version(t, "site"))
	assert.Equal(t, at, d.git(t, "ls-remote", "drycc", "main"), "the branch stays where it was")
	d.mended(t, "after the client")
}

func serverKilled(t *testing.T, d *developer) {
	before, at := d.p.version(t, "site"), d.git(t, "ls-remote", "drycc", "main")
	kill, said := d.breakOff(t)
	_, err := d.p.m.KillServer(t.Context())
	require.NoError(t, err)
	d.p.serves(t, "site", "/", "after the sweep")
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) error {
		_, err := d.p.client.Latest(ctx, "site")
		return err
	}))
	kill()
	t.Logf("the developer read: %.1000s", said)
	state, release := d.ended(t)
	assert.Equal(t, "canceled", state)
	assert.Empty(t, release)
	assert.Equal(t, before, d.p.version(t, "site"))
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) error {
		out, err := d.command(ctx, "ls-remote", "drycc", "main").Output()
		if err == nil && strings.TrimSpace(string(out)) != at {
			err = fmt.Errorf("the branch is at %s, not %s", out, at)
		}
		return err
	}))
	d.mended(t, "after the server")
}

// oldImages waits until only the images of the newest releases are left, and
// looks whether the platform lives on with them.
func oldImages(t *testing.T, d *developer) {
	ctx := t.Context()
	username, password, err := d.p.m.Credentials(ctx)
	require.NoError(t, err)
	secure, err := d.p.m.HTTPS(ctx)
	require.NoError(t, err)
	d.mended(t, "before the sweep")
	oldest, kept := d.tag(t, 2), []string{d.tag(t, d.p.version(t, "site")), d.tag(t, d.p.version(t, "site")-1)}
	room := func() string {
		out, err := d.p.m.Output(ctx, "sh", "-c", "du -sm /var/lib/rancher/k3s/storage/*registry* | cut -f1")
		require.NoError(t, err)
		return strings.TrimSpace(out)
	}
	before := room()
	require.NoError(t, appliance.Eventually(ctx, limit, func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://registry."+domain+"/v2/site/site/tags/list", nil)
		if err != nil {
			return err
		}
		r.SetBasicAuth(username, password)
		res, err := secure.Do(r)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		var list struct{ Tags []string }
		if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
			return err
		}
		if slices.Contains(list.Tags, oldest) {
			return fmt.Errorf("%s is still there: %v", oldest, list.Tags)
		}
		for _, tag := range kept {
			assert.Contains(t, list.Tags, tag)
		}
		return nil
	}))
	// The registry takes pushes again, and has room.
	d.mended(t, "after the sweep")
	t.Logf("the registry took %s MB, and now %s", before, room())
	_, err = d.p.client.Call(ctx, "POST", "/apps/site/releases/rollback/", map[string]int{"version": 2}, nil)
	require.ErrorContains(t, err, "is gone", "it is said, not tried")
	d.p.serves(t, "site", "/", "after the sweep")
}

// tag is that of the image of a release.
func (d *developer) tag(t *testing.T, version int) string {
	t.Helper()
	var build struct{ Image string }
	_, err := d.p.client.Call(t.Context(), "GET", fmt.Sprintf("/apps/%s/build/?version=v%d", d.app, version), nil, &build)
	require.NoError(t, err)
	return build.Image[strings.LastIndex(build.Image, ":")+1:]
}

// buildHook has a second app follow the first one's repository.
func buildHook(t *testing.T, d *developer) {
	ctx := t.Context()
	_, err := d.p.client.CreateApp(ctx, "follower", "")
	require.NoError(t, err)
	const path = "/apps/follower/builds/hook/"
	_, err = d.p.client.Call(ctx, "POST", path, map[string]string{"url": "ssh://git@" + address + ":2222/site.git"}, nil)
	require.ErrorContains(t, err, "is one of this machine", "its own address is not called")
	var hook struct {
		UUID, Secret, Address string
		PublicKey             string `json:"public_key"`
		HostKey               string `json:"host_key"`
	}
	_, err = d.p.client.Call(ctx, "POST", path, map[string]string{"url": "ssh://git@127.0.0.1:2222/site.git"}, &hook)
	require.NoError(t, err)
	d.p.addKey(t, "deploy-key", hook.PublicKey)
	call := func(body, secret string) int {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(body))
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.p.m.URL("drycc", "/v2/builds/hook/"+hook.UUID+"/"), strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-GitHub-Event", "push")
		r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		client := &http.Client{Transport: d.p.m.Transport(), Timeout: 30 * time.Second}
		res, err := client.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	d.mended(t, "from the hook's source")
	body := fmt.Sprintf(`{"ref": "refs/heads/main", "after": %q}`, d.git(t, "rev-parse", "HEAD"))
	assert.Equal(t, http.StatusForbidden, call(body, "guessed"))
	require.Equal(t, http.StatusAccepted, call(body, hook.Secret))
	d.p.serves(t, "follower", "/", "from the hook's source")
	follower := &developer{p: d.p, app: "follower"}
	state, release := follower.ended(t)
	assert.Equal(t, "succeeded", state)
	require.Equal(t, http.StatusAccepted, call(body, hook.Secret), "told again")
	again, _ := follower.ended(t)
	assert.Equal(t, "succeeded", again)
	assert.Equal(t, release, fmt.Sprintf("v%d", d.p.version(t, "follower")), "nothing is built twice")
	assert.Equal(t, http.StatusOK, call(`{"ref": "refs/heads/next"}`, hook.Secret))
	log, err := d.p.m.Output(ctx, "sh", "-c", "cat /var/log/slipway/slipway.log 2>/dev/null; journalctl -u slipway --no-pager 2>/dev/null")
	require.NoError(t, err)
	assert.NotContains(t, log, hook.Secret)
	left, err := os.ReadDir(filepath.Join(d.p.Root(), "/var/lib/slipway/git/.fetch"))
	require.NoError(t, err)
	assert.Len(t, left, 1, "nothing is left of what was fetched")
}
