package host

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	line := "1234 (odd) name (x)) S 1 1234 1234 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1000 10 18446744073709551615"
	p, state, err := parseStat(line)
	require.NoError(t, err)
	assert.Equal(t, Process{PID: 1234, PPID: 1, StartTime: 987654, Name: "odd) name (x)"}, p)
	assert.Equal(t, "S", state)
	for _, bad := range []string{"", "12 name S", "12 (x) S 1", "x (y) S 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9"} {
		_, _, err := parseStat(bad)
		assert.Error(t, err, bad)
	}
}

// child starts a process that waits to be killed.
func child(t *testing.T) (*exec.Cmd, Process) {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	cmd.Env = append(os.Environ(), "MARK=it is me")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	l := NewLinux(Options{})
	var p Process
	// Between fork and exec the child still looks like this test.
	require.Eventually(t, func() bool {
		all, err := l.Processes()
		require.NoError(t, err)
		for _, q := range all {
			if q.PID == cmd.Process.Pid && q.Name == "sleep" {
				p = q
				return true
			}
		}
		return false
	}, 10*time.Second, 5*time.Millisecond)
	return cmd, p
}

func TestProcessesSeesARealOne(t *testing.T) {
	l := NewLinux(Options{})
	_, p := child(t)
	assert.Equal(t, []string{"sleep", "1000"}, p.Args)
	assert.Equal(t, os.Getpid(), p.PPID)
	env, err := l.Environ(p)
	require.NoError(t, err)
	assert.Equal(t, "it is me", env["MARK"])
}

func TestSignalNeverHitsARecycledNumber(t *testing.T) {
	l := NewLinux(Options{})
	cmd, p := child(t)
	stale := p
	stale.StartTime--
	require.ErrorIs(t, l.Signal(stale, syscall.SIGKILL), ErrGone)
	_, err := l.Environ(stale)
	require.ErrorIs(t, err, ErrGone)
	require.NoError(t, l.Signal(p, 0), "it still runs")
	require.NoError(t, l.Signal(p, syscall.SIGKILL))
	require.Error(t, cmd.Wait())
	require.ErrorIs(t, l.Signal(p, syscall.SIGKILL), ErrGone)
}

func TestRunCapturesAndBounds(t *testing.T) {
	l := NewLinux(Options{})
	out, err := l.Run(context.Background(), Command{Name: "sh", Args: []string{"-c", "cat; echo $WORD >&2"}, Stdin: []byte("in"), Env: []string{"WORD=hello"}})
	require.NoError(t, err)
	assert.Equal(t, "in", string(out.Stdout))
	assert.Equal(t, "hello\n", string(out.Stderr))

	_, err = l.Run(context.Background(), Command{Name: "sh", Args: []string{"-c", "echo first >&2; echo the reason >&2; exit 3", "hunter2"}})
	require.EqualError(t, err, "sh -c: exit status 3: the reason")

	out, err = l.Run(context.Background(), Command{Name: "sh", Args: []string{"-c", "head -c 3000000 /dev/zero"}})
	require.NoError(t, err)
	assert.Len(t, out.Stdout, outputLimit)

	_, err = l.Run(context.Background(), Command{Name: "no-such-program-here"})
	require.ErrorIs(t, err, ErrNoCommand)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = l.Run(ctx, Command{Name: "sleep", Args: []string{"1000"}})
	require.ErrorIs(t, err, context.Canceled)
}

func TestLookPathPrefersTheHostsProgram(t *testing.T) {
	root := t.TempDir()
	put(t, root, "/carried/iptables", "")
	put(t, root, "/usr/sbin/nft", "")
	put(t, root, "/carried/nft", "")
	put(t, root, "/carried/readme", "")
	for _, f := range []string{"/carried/iptables", "/usr/sbin/nft", "/carried/nft"} {
		require.NoError(t, os.Chmod(filepath.Join(root, f), 0o755))
	}
	l := NewLinux(Options{Root: root, Carried: "/carried"})
	p, err := l.LookPath("iptables")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(root, "carried/iptables"), p)
	p, err = l.LookPath("nft")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(root, "usr/sbin/nft"), p)
	_, err = l.LookPath("readme")
	require.ErrorIs(t, err, ErrNoCommand, "not a program")
}

func TestSpawnOutlivesItsParentsSession(t *testing.T) {
	l := NewLinux(Options{})
	log := filepath.Join(t.TempDir(), "log")
	p, err := l.Spawn(Command{Name: "sh", Args: []string{"-c", "echo started; exec sleep 1000"}}, log)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Signal(p, syscall.SIGKILL) })
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(log)
		return err == nil && bytes.Contains(data, []byte("started"))
	}, 10*time.Second, 5*time.Millisecond)
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.PID), "stat"))
	require.NoError(t, err)
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	assert.Equal(t, strconv.Itoa(p.PID), fields[3], "it leads a session of its own")
}
