package gitssh_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/gitssh"
	"github.com/slipway-paas/slipway/platform/identity"
	"github.com/slipway-paas/slipway/platform/platformtest"
	"github.com/slipway-paas/slipway/platform/store"
)

// realVerbs are the real ones over a real store, with an app of alice's.
func realVerbs(t *testing.T, builder control.Builder) (*control.Controller, control.Actor) {
	t.Helper()
	database, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "slipway.db"), make([]byte, store.KeySize))
	require.NoError(t, err)
	verbs, err := control.New(control.Options{
		Store: database, Cluster: platformtest.NewCluster(), Identity: identity.New(), Domain: "example.test", Builder: builder,
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- verbs.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
		require.NoError(t, database.Close())
	})
	user, err := database.CreateUser(ctx, platform.User{Username: "alice", IsActive: true}, "")
	require.NoError(t, err)
	alice := control.Actor{User: user}
	_, _, err = verbs.ListWorkspaces(ctx, alice, control.Page{}) // makes hers
	require.NoError(t, err)
	_, err = verbs.CreateApp(ctx, alice, control.NewApp{ID: app, Workspace: "alice"})
	require.NoError(t, err)

	return verbs, alice
}

// A push from git to a release, through all but the cluster.
func TestPushToARelease(t *testing.T) {
	t.Parallel()
	ctx, builder := t.Context(), platformtest.NewBuilder()
	verbs, alice := realVerbs(t, builder)
	d := openDoor(t, func(o *gitssh.Options) { o.Control = verbs })
	c := d.client("alice", app)
	c.refused("Permission denied (publickey)", "push", "drycc", "main")
	public, err := os.ReadFile(filepath.Join(d.home, "alice.pub"))
	require.NoError(t, err)
	_, err = verbs.AddKey(ctx, alice, "laptop", strings.TrimSpace(string(public)))
	require.NoError(t, err)

	out := c.must("push", "drycc", "main")
	for _, line := range []string{"Starting build... but first, coffee!", "Build complete.", "Launching App...", "Done, hello:v2 deployed to Workflow"} {
		require.Contains(t, out, "remote: ---> "+line)
	}
	head := c.must("rev-parse", "HEAD")
	b, err := verbs.FindBuild(ctx, alice, app, 0)
	require.NoError(t, err)
	require.Equal(t, head, b.SHA)

	builder.Refuse(func(control.BuildOrder) error {
		return platform.Errorf(platform.Invalid, "RUN false: exit code 1")
	})
	c.commit("Dockerfile", "FROM scratch\nRUN false\n")
	out = c.refused("pre-receive hook declined", "push", "drycc", "main")
	require.Equal(t, 1, strings.Count(out, "RUN false: exit code 1"), out)
	require.Equal(t, head, d.at(app, "refs/heads/main"))
	builder.Refuse(nil)

	// Whoever leaves takes the build along.
	gate := builder.Hold()
	cmd := c.command("push", "drycc", "main")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	<-gate.Reached
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)) // as Ctrl-C does: git and its ssh
	require.Error(t, cmd.Wait())
	require.Eventually(t, func() bool {
		runs, _, err := verbs.ListBuildRuns(ctx, alice, app, control.Page{})
		return err == nil && runs[0].State == platform.BuildCanceled
	}, patience, 10*time.Millisecond)
	require.Equal(t, head, d.at(app, "refs/heads/main"))
}
