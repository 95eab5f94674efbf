package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const patience = 20 * time.Second

// serverScript stands for the server: it notes its start, its environment and
// the signal that ends it.
const serverScript = `#!/bin/sh
echo "start $$ $1 $WORD" >> %[1]s/starts
if [ -e %[1]s/crash ]; then echo "it crashes"; exit 7; fi
trap 'echo term >> %[1]s/starts; exit 0' TERM
if [ -e %[1]s/deaf ]; then trap '' TERM; fi
echo "log line"
while :; do sleep 0.02; done
`

// supervised is a supervisor with a real child in a temporary folder.
func supervised(t *testing.T) (*Supervisor, string) {
	t.Helper()
	dir := t.TempDir()
	script := filepath.Join(dir, "slipway")
	require.NoError(t, os.WriteFile(script, []byte(fmt.Sprintf(serverScript, dir)), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "env"), []byte("# settings\nWORD=\"two words\"\n"), 0o600))
	return &Supervisor{
		Host: NewLinux(Options{}), Backoff: 10 * time.Millisecond, Rotate: 10 * time.Millisecond,
		Unit: Unit{Name: "slipway", Binary: script, Args: []string{"server"}, EnvFile: filepath.Join(dir, "env"),
			LogFile: filepath.Join(dir, "slipway.log"), RunDir: filepath.Join(dir, "run")},
	}, dir
}

func read(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(data)
}

// eventually waits for a line count of what the script noted.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	require.Eventually(t, cond, patience, 5*time.Millisecond, what)
}

func TestSupervisorRunsAndStops(t *testing.T) {
	s, dir := supervised(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	eventually(t, "the server logs", func() bool { return strings.Contains(read(s.Unit.LogFile), "log line") })
	assert.Contains(t, read(dir+"/starts"), "server two words\n")
	assert.Equal(t, fmt.Sprintf("%d\n", os.Getpid()), read(s.Unit.pidFile()))

	err := (&Supervisor{Host: s.Host, Unit: s.Unit}).Run(ctx)
	require.ErrorIs(t, err, ErrLocked, "a second supervisor gives way")

	svc, err := NewService(ManagerNone, s.Host, s.Unit)
	require.NoError(t, err)
	eventually(t, "status knows it", func() bool { st, err := svc.Status(ctx); return err == nil && st.Running })
	st, err := svc.Status(ctx)
	require.NoError(t, err)
	assert.Contains(t, read(dir+"/starts"), fmt.Sprintf("start %d ", st.PID))

	cancel()
	require.NoError(t, <-ended)
	assert.Contains(t, read(dir+"/starts"), "term\n", "the server was asked to stop")
	names, err := s.Host.List(s.Unit.RunDir)
	require.NoError(t, err)
	assert.Empty(t, names, "pid file and state are gone")
	st, err = svc.Status(context.Background())
	require.NoError(t, err)
	assert.False(t, st.Running)
}

func TestSupervisorRestartsACrashedServer(t *testing.T) {
	s, dir := supervised(t)
	require.NoError(t, os.WriteFile(dir+"/crash", nil, 0o600))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	eventually(t, "it is started again and again", func() bool { return strings.Count(read(dir+"/starts"), "start") >= 3 })
	require.NoError(t, os.Remove(dir+"/crash"))
	eventually(t, "it runs at last", func() bool { return strings.Contains(read(s.Unit.LogFile), "log line") })
	assert.Contains(t, read(s.Unit.LogFile), "slipway ended (exit status 7); it starts again in")
	cancel()
	require.NoError(t, <-ended)
}

func TestSupervisorSurvivesAMissingBinary(t *testing.T) {
	s, dir := supervised(t)
	require.NoError(t, os.Rename(s.Unit.Binary, s.Unit.Binary+".new"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	eventually(t, "it complains", func() bool { return strings.Contains(read(s.Unit.LogFile), "no such file") })
	require.NoError(t, os.Rename(s.Unit.Binary+".new", s.Unit.Binary))
	eventually(t, "it runs at last", func() bool { return strings.Contains(read(dir+"/starts"), "start") })
	cancel()
	require.NoError(t, <-ended)
}

func TestSupervisorKillsADeafServer(t *testing.T) {
	s, dir := supervised(t)
	s.Grace = 50 * time.Millisecond
	require.NoError(t, os.WriteFile(dir+"/deaf", nil, 0o600))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	eventually(t, "it runs", func() bool { return strings.Contains(read(s.Unit.LogFile), "log line") })
	cancel()
	require.NoError(t, <-ended)
	assert.NotContains(t, read(dir+"/starts"), "term")
}

func TestSupervisorRotatesTheLog(t *testing.T) {
	s, _ := supervised(t)
	s.LogLimit = 100
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	eventually(t, "it runs", func() bool { return strings.Contains(read(s.Unit.LogFile), "log line") })
	for n := 1; n <= logKeep+1; n++ {
		mark := fmt.Sprintf("round %d ", n)
		require.NoError(t, s.Host.Append(s.Unit.LogFile, []byte(mark+strings.Repeat("x", 200)+"\n"), 0o600))
		eventually(t, "it is rotated", func() bool { return strings.Contains(read(s.Unit.LogFile+".1"), mark) })
	}
	cancel()
	require.NoError(t, <-ended)
	assert.Contains(t, read(s.Unit.LogFile+".3"), "round 2 ")
	_, err := os.Stat(s.Unit.LogFile + ".4")
	require.ErrorIs(t, err, os.ErrNotExist, "old logs are dropped")
}

// TestHelperSupervise is the supervisor as a process of its own, for the tests
// below; in a normal run it does nothing.
func TestHelperSupervise(t *testing.T) {
	dir := os.Getenv("SUPERVISE_DIR")
	if dir == "" {
		return
	}
	s := &Supervisor{Host: NewLinux(Options{}), Unit: Unit{Name: "slipway", Binary: dir + "/slipway", Args: []string{"server"},
		LogFile: dir + "/slipway.log", RunDir: dir + "/run"}}
	require.NoError(t, s.Run(context.Background()))
}

func TestServerEndsWithItsSupervisor(t *testing.T) {
	s, dir := supervised(t)
	cmd := exec.Command(testProgram(t), "-test.run=^TestHelperSupervise$")
	cmd.Env = append(os.Environ(), "SUPERVISE_DIR="+dir)
	require.NoError(t, cmd.Start())
	eventually(t, "it runs", func() bool { return strings.Contains(read(s.Unit.LogFile), "log line") })
	require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
	require.Error(t, cmd.Wait())
	eventually(t, "the server was told to stop", func() bool { return strings.Contains(read(dir+"/starts"), "term") })
	st, err := (&unmanaged{host: s.Host, unit: s.Unit}).Status(context.Background())
	require.NoError(t, err)
	assert.False(t, st.Running, "a state of a dead supervisor is not believed")

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	eventually(t, "another supervisor takes over", func() bool { return strings.Count(read(dir+"/starts"), "start") == 2 })
	cancel()
	require.NoError(t, <-ended)
}

// TestUnmanagedService starts, restarts and stops a supervisor as install does.
func TestUnmanagedService(t *testing.T) {
	s, dir := supervised(t)
	// The unit's binary called with "supervise" is this test.
	launcher := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = supervise ]; then SUPERVISE_DIR=%s exec %s -test.run='^TestHelperSupervise$'; fi\n", dir, testProgram(t))
	script := strings.Replace(fmt.Sprintf(serverScript, dir), "#!/bin/sh\n", launcher, 1)
	require.NoError(t, os.WriteFile(s.Unit.Binary, []byte(script), 0o755))
	svc, err := NewService(ManagerNone, s.Host, s.Unit)
	require.NoError(t, err)
	ctx := context.Background()
	t.Cleanup(func() { _ = svc.Stop(ctx) })

	require.NoError(t, svc.Stop(ctx), "stopping what does not run is no error")
	require.NoError(t, svc.Start(ctx))
	eventually(t, "it runs", func() bool { st, err := svc.Status(ctx); return err == nil && st.Running })
	first, err := svc.Status(ctx)
	require.NoError(t, err)
	require.NoError(t, svc.Start(ctx), "starting what runs restarts it")
	eventually(t, "another runs", func() bool { st, err := svc.Status(ctx); return err == nil && st.Running && st.PID != first.PID })
	require.NoError(t, svc.Stop(ctx))
	st, err := svc.Status(ctx)
	require.NoError(t, err)
	assert.False(t, st.Running)
	require.NoError(t, svc.Uninstall(ctx))
	_, err = os.Stat(s.Unit.LogFile)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestEnvFiles(t *testing.T) {
	values := []EnvValue{{"A", "plain"}, {"B", `quo"te $HOME \ back`}, {"C", ""}, {"D", "it's `x`"}}
	text, err := FormatEnvFile(values)
	require.NoError(t, err)
	got, err := ParseEnvFile(text)
	require.NoError(t, err)
	assert.Equal(t, values, got)

	file := filepath.Join(t.TempDir(), "env")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	out, err := exec.Command("sh", "-c", ". "+file+`; printf '%s|%s|%s|%s' "$A" "$B" "$C" "$D"`).Output()
	require.NoError(t, err)
	assert.Equal(t, "plain|quo\"te $HOME \\ back||it's `x`", string(out), "a shell reads the same")

	_, err = FormatEnvFile([]EnvValue{{"SECRET", "two\nlines"}})
	require.EqualError(t, err, "SECRET: a value may not hold a line break")
	for _, bad := range []string{"novalue", "=x", "BAD NAME=x"} {
		_, err := ParseEnvFile("# fine\n" + bad + "\n")
		require.EqualError(t, err, "line 2 is not NAME=value")
	}
	got, err = ParseEnvFile("; c\n\n X='single $q'\n")
	require.NoError(t, err)
	assert.Equal(t, []EnvValue{{"X", "single $q"}}, got)
}

// testProgram is the absolute path of this test.
func testProgram(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	return path
}
