package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHierarchies(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mountinfo")
	require.NoError(t, os.WriteFile(file, []byte(`31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/x,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
`), 0o600))
	found, err := hierarchies(file)
	require.NoError(t, err)
	assert.Equal(t, []hierarchy{
		{"/sys/fs/cgroup/cpu,cpuacct", 1, "cpu,cpuacct"},
		{"/sys/fs/cgroup/systemd", 1, "none,name=systemd"},
		{"/sys/fs/cgroup/unified", 2, ""},
	}, found)
}

func TestSourceURL(t *testing.T) {
	for line, want := range map[string]string{
		"URIs: http://deb.example/debian":                           "http://deb.example/debian",
		"deb [signed-by=/x] https://deb.example/debian trixie main": "https://deb.example/debian",
		"deb-src http://deb.example/debian trixie main":             "",
		"# deb http://deb.example/debian trixie main":               "",
		"URIs: http://deb.example/debian-security":                  "",
		"Suites: bookworm":                                          "",
		"":                                                          "",
	} {
		assert.Equal(t, want, sourceURL(line), line)
	}
}

func TestRecipesHaveDifferentNames(t *testing.T) {
	a, b := bare(), bare()
	b.packages = append(b.packages, "iptables")
	assert.Equal(t, a.hash(), bare().hash())
	assert.NotEqual(t, a.hash(), b.hash())
}

// A process number is only good together with a start time.
func TestAlive(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	require.NoError(t, cmd.Start())
	r := record{Name: "x", PID: cmd.Process.Pid, Start: startTime(cmd.Process.Pid)}
	assert.True(t, r.alive())
	other := r
	other.Start = "1"
	assert.False(t, other.alive(), "another process with the number of ours")
	require.NoError(t, other.kill(), "which must not be killed")
	assert.True(t, r.alive())
	go func() { _ = cmd.Wait() }()
	require.NoError(t, r.kill())
	assert.False(t, r.alive())
	assert.False(t, record{}.alive())
}

func TestStartTimeReadsNamesWithSpaces(t *testing.T) {
	assert.NotEmpty(t, startTime(os.Getpid()))
	program := filepath.Join(t.TempDir(), "a) b (c")
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(sleep, program))
	cmd := exec.Command(program, "600")
	require.NoError(t, cmd.Start())
	assert.Regexp(t, `^\d{3,}$`, startTime(cmd.Process.Pid), fmt.Sprint(cmd.Process.Pid))
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
}

func TestTail(t *testing.T) {
	assert.Equal(t, "b\nc", tail("a\nb\nc\n", 2))
	assert.Equal(t, "a", tail("a", 5))
}
