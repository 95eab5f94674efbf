package gitssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Git says how to run git.
type Git struct {
	Path string   // the file to execute
	Args []string // its arguments with the zeroth, before those for git
	Env  []string // PATH, and GIT_EXEC_PATH when git is not where it was built for
	// UID is the user and group that git runs as, so that a flaw in it does not
	// open the host; 0 leaves it with this process's. Another user's git has no
	// network either.
	UID int
}

const (
	gitMemory = 1 << 30 // bytes of data that one git process may have
	gitNice   = 10
	gitOOM    = "700" // the kernel takes it before anything that serves
	killDelay = 5 * time.Second
)

// task is one run of git.
type task struct {
	args   []string
	env    []string
	stdin  io.Reader // need not end when git does
	stdout io.Writer
	stderr io.Writer
	nice   int        // 0 is gitNice
	files  []*os.File // that git has open as 3 and on; closed here once it has them
}

// run runs git until it ends or ctx does, which ends it and all it started.
func (g Git) run(ctx context.Context, config string, t task) error {
	// The kernel kills git when the thread that started it ends, which is how
	// git ends with this process, kill -9 included. So the thread has to stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, g.Path)
	cmd.Args = append(append([]string{}, g.Args...), t.args...)
	cmd.Env = append(append(g.environment(config), g.Env...), t.env...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = t.stdout, t.stderr, t.files
	cmd.SysProcAttr = g.attributes()
	// Asked first, git removes what it has not finished.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = killDelay
	var input io.WriteCloser
	if t.stdin != nil {
		var err error
		if input, err = cmd.StdinPipe(); err != nil {
			return err
		}
	}
	err := cmd.Start()
	for _, f := range t.files {
		_ = f.Close() // git has its own
	}
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("git %s: %w", t.args[0], err)
	}
	restrain(cmd.Process.Pid, or(t.nice, gitNice))
	if input != nil {
		// Not waited for: it ends with the client or the pipe.
		go func() {
			_, _ = io.Copy(input, t.stdin) // git says what it misses
			_ = input.Close()
		}()
	}
	err = cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // most often nobody is left
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// environment is all that git sees: nothing of this process's own.
func (g Git) environment(config string) []string {
	return []string{
		"HOME=/nonexistent", "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + config, "GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1",
		"GIT_AUTHOR_NAME=slipway", "GIT_AUTHOR_EMAIL=git@localhost",
		"GIT_COMMITTER_NAME=slipway", "GIT_COMMITTER_EMAIL=git@localhost",
	}
}

func (g Git) attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if g.UID != 0 {
		id := uint32(g.UID)
		a.Credential = &syscall.Credential{Uid: id, Gid: id}
		a.Cloneflags = syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC
	}
	return a
}

// restrain makes a process that has just started the first to give way. What
// it starts inherits that; it starts nothing before it has read its input.
// None of it is needed for git to work, so errors are not.
func restrain(pid, nice int) {
	limit := unix.Rlimit{Cur: gitMemory, Max: gitMemory}
	_ = unix.Prlimit(pid, unix.RLIMIT_DATA, &limit, nil)
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
	_ = unix.Setpriority(unix.PRIO_PROCESS, pid, nice)
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(gitOOM), 0)
}

// output runs git and returns what it prints, at most limit bytes.
func (g Git) output(ctx context.Context, config string, limit int, env []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, complaint := &capped{limit: limit}, &capped{limit: 4 << 10}
	err := g.run(ctx, config, task{args: args, env: env, stdout: out, stderr: complaint})
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	if out.full {
		return "", fmt.Errorf("git %s: %w", args[0], errTooMuch)
	}
	return out.String(), nil
}

var errTooMuch = errors.New("more output than is read")

// capped keeps the first bytes and swallows the rest.
type capped struct {
	bytes.Buffer
	limit int
	full  bool
}

// Write never errs.
func (c *capped) Write(p []byte) (int, error) {
	if room := c.limit - c.Len(); room < len(p) {
		c.full = true
		c.Buffer.Write(p[:max(room, 0)])
		return len(p), nil
	}
	return c.Buffer.Write(p)
}
