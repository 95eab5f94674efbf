package gitssh_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

// TestClientGoesAfterTheRelease kills a client when its release is made and
// git has not moved the branch yet: what runs is what the branch says.
func TestClientGoesAfterTheRelease(t *testing.T) {
	d := openDoor(t)
	c := d.client("alice", app)
	c.commit("big.bin", random(2<<20)) // comes as a pack
	command := c.command("push", "drycc", "main")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.verbs.onBuild(func(ctx context.Context, _ order, _ io.Writer) (platform.Release, error) {
		err := syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		<-ctx.Done() // its end was noticed
		return platform.Release{App: app, Version: 2, State: platform.ReleaseDeploying}, err
	})
	// The door's double says that a run whose ctx ended failed; a controller
	// that has made the release does not.
	d.verbs.keepReleases()
	require.NoError(t, command.Start())
	_ = command.Wait() // it was killed
	want := c.must("rev-parse", "main")
	require.Eventually(t, func() bool { return d.at(app, "refs/heads/main") == want }, 20*time.Second, 10*time.Millisecond)
	out, err := c.git("-C", filepath.Join(d.dir, app+".git"), "fsck", "--full", "--strict")
	require.NoError(t, err, out)
	require.Eventually(t, func() bool {
		left, err := filepath.Glob(filepath.Join(d.dir, app+".git", "objects", "*incoming*"))
		return err == nil && len(left) == 0
	}, 20*time.Second, 10*time.Millisecond)

	d.verbs.onBuild(nil)
	c.commit("next", "next\n")
	c.must("push", "-q", "drycc", "main")
	copied := t.TempDir()
	c.must("clone", "-q", d.url(app), copied)
	raw, err := os.ReadFile(filepath.Join(copied, "big.bin"))
	require.NoError(t, err)
	assert.Len(t, raw, 2<<20)
}
