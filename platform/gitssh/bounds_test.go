package gitssh_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/slipway-paas/slipway/platform/gitssh"
)

func limitsOf(bytes int64) gitssh.Limits {
	return gitssh.Limits{Pack: bytes, Tree: bytes, Free: 1}
}

// What is too much is refused, and the next push is not hurt by it.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		limits gitssh.Limits
		want   string
	}{
		"a large pack":     {gitssh.Limits{Pack: 10_000, Free: 1}, "pack exceeds maximum allowed size"},
		"a large tree":     {gitssh.Limits{Tree: 10_000, Free: 1}, "The tree is larger than this platform builds (SLIPWAY_BUILD_SOURCE_LIMIT)."},
		"many files":       {gitssh.Limits{Files: 1, Free: 1}, "The tree has more than 1 files (SLIPWAY_BUILD_SOURCE_FILES)"},
		"a full disk":      {gitssh.Limits{Free: 1 << 60}, "The platform's disk is nearly full"},
		"a large history":  {gitssh.Limits{Repo: 1, Free: 1}, "has become larger than"},
		"many refs":        {gitssh.Limits{Refs: 1, Free: 1}, "A push may move 1 branches and tags; this one has 2."},
		"a slow push":      {gitssh.Limits{Transfer: time.Nanosecond, Free: 1}, "it took too long (SLIPWAY_GIT_TIMEOUT)"},
		"a push in pauses": {gitssh.Limits{Stall: time.Nanosecond, Free: 1}, "nothing came for too long"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t, limits(tt.limits))
			c := d.client("alice", app)
			c.commit("blob", random(100_000))
			c.must("tag", "v1")
			c.refused(tt.want, "push", "drycc", "main", "v1")
			require.Empty(t, d.at(app, "refs/heads/main"))
			require.Empty(t, d.verbs.pushed())
			d.stop()
			d.start()
			c.must("push", d.url(app), "main")
		})
	}
}

// Attack: a few small objects stand for a tree of a billion files.
func TestTreeBomb(t *testing.T) {
	t.Parallel()
	d := openDoor(t, limits(gitssh.Limits{Free: 1}))
	c := d.client("alice", app)
	object := c.must("hash-object", "-w", "Dockerfile")
	kind, mode := "blob", "100644"
	for range 9 {
		var entries strings.Builder
		for i := range 10 {
			fmt.Fprintf(&entries, "%s %s %s\tf%d\n", mode, kind, object, i)
		}
		object = c.feed(entries.String(), "mktree")
		kind, mode = "tree", "040000"
	}
	commit := c.must("commit-tree", "-m", "bomb", object)
	c.refused("The tree has more than 100000 files (SLIPWAY_BUILD_SOURCE_FILES)", "push", "drycc", commit+":refs/heads/main")
	require.Empty(t, d.verbs.pushed())
	require.Empty(t, d.scratch())
}

// Attack: a tree whose names lead out of it.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.client("alice", app)
	blob := c.must("hash-object", "-w", "Dockerfile")
	raw := make([]byte, 20)
	_, err := fmt.Sscanf(blob, "%40x", &raw)
	require.NoError(t, err)
	for _, name := range []string{"..", ".", ".git", "../../etc/cron.d/x", "/etc/passwd"} {
		tree := c.feed("100644 "+name+"\x00"+string(raw), "hash-object", "-t", "tree", "-w", "--stdin", "--literally")
		commit := c.must("commit-tree", "-m", "x", tree)
		out := c.refused("unpack", "push", "drycc", commit+":refs/heads/main")
		require.Contains(t, out, "fsck", name)
	}
	require.Empty(t, d.verbs.pushed())
}

// Whoever says nothing, or comes too often, is shown out.
func TestConnections(t *testing.T) {
	t.Parallel()
	d := openDoor(t, limits(gitssh.Limits{Login: 50 * time.Millisecond, PerAddress: 2, Free: 1}))
	silent, err := net.Dial("tcp", "127.0.0.1:"+d.port)
	require.NoError(t, err)
	defer silent.Close()
	_, err = io.Copy(io.Discard, silent) // its banner, then the end
	require.NoError(t, err)

	d = openDoor(t, limits(gitssh.Limits{PerAddress: 2, Free: 1}))
	one, two := d.dial("alice"), d.dial("alice")
	third, err := net.Dial("tcp", "127.0.0.1:"+d.port)
	require.NoError(t, err)
	defer third.Close()
	said, _ := io.ReadAll(third)
	require.Empty(t, said)
	require.NoError(t, one.Close())
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+d.port)
		require.NoError(t, err)
		defer conn.Close()
		n, _ := conn.Read(make([]byte, 1))
		return n == 1
	}, patience, 10*time.Millisecond)
	require.NoError(t, two.Close())
}

// A client that is gone without a word is noticed.
func TestDeadClient(t *testing.T) {
	t.Parallel()
	d := openDoor(t, limits(gitssh.Limits{Idle: 4 * time.Second, Free: 1}))
	alive := d.dial("alice")
	said, code := run(t, alive, "ping", "")
	require.Equal(t, []any{"pong\n", 0}, []any{said, code})
	// This one speaks SSH and then never answers what keeps it alive.
	raw, err := net.Dial("tcp", "127.0.0.1:"+d.port)
	require.NoError(t, err)
	defer raw.Close()
	_, _, requests, err := ssh.NewClientConn(raw, "", &ssh.ClientConfig{
		User: "git", Auth: []ssh.AuthMethod{ssh.PublicKeys(d.signer("alice"))}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	require.NoError(t, err)
	first := <-requests
	require.Equal(t, "keepalive@openssh.com", first.Type)
	require.Eventually(t, func() bool {
		select {
		case _, open := <-requests:
			return !open
		default:
			return false
		}
	}, patience, 10*time.Millisecond, "the server has hung up")
	said, code = run(t, alive, "ping", "")
	require.Equal(t, []any{"pong\n", 0}, []any{said, code})
}

// The hook's socket answers nobody without a push's own token.
func TestHookSocket(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	socket := filepath.Join(d.dir, ".hook.sock")
	require.Eventually(t, func() bool {
		_, err := os.Stat(socket)
		return err == nil
	}, patience, time.Millisecond, "the door may be open before its socket is there")
	info, err := os.Stat(socket)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	for _, request := range []string{"", "{}\n", "{\"token\":\"\"}\n", "{\"token\":\"guessed\",\"updates\":[]}\n", "no json\n"} {
		conn, err := net.Dial("unix", socket)
		require.NoError(t, err)
		_, err = io.WriteString(conn, request)
		require.NoError(t, err)
		require.NoError(t, conn.(*net.UnixConn).CloseWrite())
		said, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Empty(t, said)
		require.NoError(t, conn.Close())
	}
}

// As root the door lets git run as somebody else, who has no network.
func TestAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can")
	}
	base := t.TempDir()
	require.NoError(t, os.Chmod(base, 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(base), 0o755))
	executable, err := os.Executable()
	require.NoError(t, err)
	hook := filepath.Join(base, "hook")
	require.NoError(t, exec.Command("cp", executable, hook).Run())
	const uid = 65522
	d := openDoor(t, func(o *gitssh.Options) {
		o.Dir, o.Hook = filepath.Join(base, "git"), hook
		o.Git.UID = uid
	})
	d.dir = filepath.Join(base, "git")
	c := d.client("alice", app)
	c.must("push", "drycc", "main")
	require.Len(t, d.verbs.pushed(), 1)
	out, err := exec.Command("find", filepath.Join(d.dir, app+".git"), "!", "-user", "65522", "!", "-name", "slipway-app").CombinedOutput()
	require.NoError(t, err)
	require.Empty(t, string(out))
	info, err := os.Stat(d.dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o750), info.Mode().Perm())
}
