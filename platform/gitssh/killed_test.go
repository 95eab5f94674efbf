package gitssh_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/gitssh"
)

// Environment of a test binary that is a server.
const (
	envServe = "GITSSH_TEST_SERVE" // base folder of a door
	envKey   = "GITSSH_TEST_KEY"   // fingerprint of alice's key
)

// serveAlone runs a server whose builds never end, until it is killed. It
// prints its port, and a line when a build begins.
func serveAlone(base string) error {
	v := &verbs{
		keys:  map[string]string{os.Getenv(envKey): "alice"},
		apps:  map[string]string{app: "uuid-1"},
		roles: map[string]map[string]platform.Role{app: {"alice": platform.Member}},
		build: func(ctx context.Context, _ order, _ io.Writer) (platform.Release, error) {
			fmt.Println("building")
			<-ctx.Done()
			return platform.Release{}, ctx.Err()
		},
	}
	git, err := exec.LookPath("git")
	if err != nil {
		return err
	}
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	server, err := gitssh.New(gitssh.Options{
		Addrs: []string{"127.0.0.1:0"}, Dir: filepath.Join(base, "git"), KeyDir: filepath.Join(base, "ssh"),
		Hook: executable, Control: v, Logger: logrus.New(), Limits: gitssh.Limits{Free: 1},
		Git: gitssh.Git{Path: git, Args: []string{"git"}, Env: []string{"PATH=" + os.Getenv("PATH")}},
	})
	if err != nil {
		return err
	}
	addrs, err := server.Listen(context.Background())
	if err != nil {
		return err
	}
	fmt.Println(addrs[0])
	return server.Run(context.Background())
}

// A server that is killed in the middle of a build takes all of git with it,
// has moved nothing, and is no obstacle to the next.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.stop()
	executable, err := os.Executable()
	require.NoError(t, err)
	server := exec.Command(executable)
	server.Env = append(os.Environ(), envServe+"="+filepath.Dir(d.dir), envKey+"="+d.addKey("alice", "alice"))
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	defer func() { _ = server.Process.Kill() }()
	said := bufio.NewScanner(out)
	require.True(t, said.Scan())
	_, port, _ := strings.Cut(said.Text(), ":")
	d.port = port
	d.know()

	c := d.client("alice", app)
	push := c.goGit("push", "drycc", "main")
	require.True(t, said.Scan())
	require.Equal(t, "building", said.Text())
	require.NotEmpty(t, processesWith(t, d.dir))
	require.NoError(t, server.Process.Kill())
	require.Error(t, server.Wait())
	o := receive(t, push)
	require.Error(t, o.err, o.out)
	require.Eventually(t, func() bool { return len(processesWith(t, d.dir)) == 0 }, patience, 1e7)
	require.Empty(t, d.at(app, "refs/heads/main"))

	d.start()
	require.Empty(t, d.scratch())
	left, err := filepath.Glob(filepath.Join(d.dir, app+".git", "objects", "*incoming*"))
	require.NoError(t, err)
	require.Empty(t, left)
	c.must("push", d.url(app), "main")
	require.Equal(t, c.must("rev-parse", "HEAD"), d.at(app, "refs/heads/main"))
}

// processesWith lists the processes that have a text in their arguments or
// environment.
func processesWith(t *testing.T, text string) (found []string) {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, folder := range folders {
		for _, name := range []string{"cmdline", "environ"} {
			raw, err := os.ReadFile(filepath.Join(folder, name)) // it may have ended meanwhile
			if err == nil && bytes.Contains(raw, []byte(text)) {
				found = append(found, string(raw))
			}
		}
	}
	return found
}
