package gitssh_test

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/gitssh"
)

const patience = time.Minute

// gateBuild makes builds stop until they are let on: started tells of each.
func gateBuild(v *verbs) (started chan string, goOn chan struct{}, ended chan error) {
	started, goOn, ended = make(chan string, 9), make(chan struct{}), make(chan error, 9)
	v.onBuild(func(ctx context.Context, o order, _ io.Writer) (platform.Release, error) {
		started <- o.app
		select {
		case <-goOn:
		case <-ctx.Done():
		}
		ended <- ctx.Err()
		return platform.Release{Version: 2, State: platform.ReleaseSucceeded}, ctx.Err()
	})
	return started, goOn, ended
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		require.FailNow(t, "nothing came")
		panic("not reached")
	}
}

type outcome struct {
	out string
	err error
}

func (c *client) goGit(args ...string) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		out, err := c.git(args...)
		done <- outcome{out, err}
	}()
	return done
}

func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	started, goOn, _ := gateBuild(d.verbs)
	alice, adam, bobby := d.client("alice", app), d.client("adam", app), d.client("bobby", "other")
	first := alice.goGit("push", "drycc", "main")
	require.Equal(t, app, receive(t, started))
	// To the same app: in the words that are documented.
	adam.refused("fatal: remote error: Another git push is ongoing", "push", "drycc", "main")
	adam.must("fetch", "-q", "drycc") // looking is free
	// To another app: both build.
	second := bobby.goGit("push", "drycc", "main")
	require.Equal(t, "other", receive(t, started))
	close(goOn)
	for _, c := range []<-chan outcome{first, second} {
		o := receive(t, c)
		require.NoError(t, o.err, o.out)
	}
	adam.must("push", "--force", "drycc", "main")
}

// A client that is killed while its push is built leaves nothing behind.
func TestClientKilled(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	started, goOn, ended := gateBuild(d.verbs)
	c := d.client("alice", app)
	cmd := c.command("push", "drycc", "main")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	receive(t, started)
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)) // git and its ssh
	require.Error(t, cmd.Wait())
	require.ErrorIs(t, receive(t, ended), context.Canceled)
	require.Empty(t, d.at(app, "refs/heads/main"))
	close(goOn)
	require.Eventually(t, func() bool {
		_, err := c.git("push", "drycc", "main")
		return err == nil
	}, patience, 100*time.Millisecond, "the lock is given back")
	require.Equal(t, c.must("rev-parse", "HEAD"), d.at(app, "refs/heads/main"))
	left, err := filepath.Glob(filepath.Join(d.dir, app+".git", "objects", "*incoming*"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.Empty(t, d.scratch())
}

// One that vanishes while it sends does so, too; nothing is built.
func TestClientGoneWhileSending(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	conn := d.dial("alice")
	session, err := conn.NewSession()
	require.NoError(t, err)
	out, err := session.StdoutPipe()
	require.NoError(t, err)
	in, err := session.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, session.Start("git-receive-pack '/hello.git'"))
	_, err = io.ReadFull(out, make([]byte, 4))
	require.NoError(t, err)
	d.client("adam", app).refused("Another git push is ongoing", "push", "drycc", "main")
	_, err = io.WriteString(in, "0094")
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	c := d.client("adam", app)
	require.Eventually(t, func() bool {
		_, err := c.git("push", "drycc", "main")
		return err == nil
	}, patience, 100*time.Millisecond)
	require.Len(t, d.verbs.pushed(), 1)
}

// A server that stops lets a push end that can, refuses one that can't in
// words, and has ended whatever it started.
func TestStop(t *testing.T) {
	t.Parallel()
	d := openDoor(t, func(o *gitssh.Options) { o.Grace = time.Millisecond })
	started, _, ended := gateBuild(d.verbs)
	c := d.client("alice", app)
	push := c.goGit("push", "drycc", "main")
	receive(t, started)
	d.stop()
	require.ErrorIs(t, receive(t, ended), context.Canceled)
	o := receive(t, push)
	require.Error(t, o.err)
	require.Contains(t, o.out, "The platform is restarting; push again in a minute.")
	require.Empty(t, d.at(app, "refs/heads/main"))

	d.verbs.onBuild(nil)
	d.start()
	c.must("push", d.url(app), "main")

	started, goOn, _ := gateBuild(d.verbs)
	c.commit("b", "b")
	push = c.goGit("push", d.url(app), "main")
	receive(t, started)
	stopped := make(chan struct{})
	go func() { d.stop(); close(stopped) }()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+d.port)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, patience, 10*time.Millisecond)
	close(goOn)
	o = receive(t, push)
	require.NoError(t, o.err, o.out)
	receive(t, stopped)
}

// What a killed server leaves in a repository keeps nobody from pushing.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.client("alice", app)
	c.must("push", "drycc", "main")
	d.stop()
	repo := filepath.Join(d.dir, app+".git")
	leftovers := []string{"HEAD.lock", "refs/heads/main.lock", "packed-refs.lock", "config.lock", "gc.pid", "shallow.lock",
		"objects/tmp_objdir-incoming-a1/pack/tmp_pack_x", "objects/pack/tmp_pack_y", "../.new-x/HEAD", "../.gone-x/HEAD", "../.scratch/1.tar"}
	for _, name := range leftovers {
		path := filepath.Join(repo, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	}
	// Attack: a flaw in git let somebody plant a link that leads out.
	outside := filepath.Join(t.TempDir(), "kept.lock")
	require.NoError(t, os.WriteFile(outside, nil, 0o600))
	require.NoError(t, os.Symlink(filepath.Dir(outside), filepath.Join(repo, "refs", "link")))
	d.start()
	for _, name := range leftovers {
		require.NoFileExists(t, filepath.Join(repo, name))
	}
	require.FileExists(t, outside)
	require.NoError(t, os.Remove(filepath.Join(repo, "refs", "link")))
	c.commit("a", "a")
	c.must("push", d.url(app), "main")
	c.must("fsck", "--strict")
}

// An app's repository goes with it, and a later app of that name starts anew.
func TestRepositoryOfAnEarlierApp(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.client("alice", app)
	c.must("push", "drycc", "main")
	d.verbs.mu.Lock()
	d.verbs.apps[app] = "uuid-of-another"
	d.verbs.roles[app] = map[string]platform.Role{"bobby": platform.Admin}
	d.verbs.mu.Unlock()
	bobby := d.client("bobby", app)
	require.Empty(t, bobby.must("ls-remote", "drycc"), "nothing of alice's")
	bobby.must("push", "drycc", "main")
	c.refused("There is no app hello", "fetch", "drycc")

	d.verbs.mu.Lock()
	delete(d.verbs.apps, app)
	d.verbs.mu.Unlock()
	d.stop()
	d.start()
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(d.dir, app+".git"))
		return os.IsNotExist(err)
	}, patience, 10*time.Millisecond)
}
