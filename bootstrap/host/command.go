package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// outputLimit bounds what is kept of each stream of a command.
const outputLimit = 1 << 20

// limited keeps the first bytes written to it and swallows the rest. The buffer
// is not embedded: its ReadFrom would be found, and has no limit.
type limited struct{ buf bytes.Buffer }

func (b *limited) Write(p []byte) (int, error) {
	if room := outputLimit - b.buf.Len(); room > 0 {
		b.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// Run implements Commands.
func (l *Linux) Run(ctx context.Context, c Command) (Output, error) {
	path, err := l.LookPath(c.Name)
	if err != nil {
		return Output{}, err
	}
	cmd := exec.CommandContext(ctx, path, c.Args...)
	var stdout, stderr limited
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(c.Stdin), &stdout, &stderr
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.WaitDelay = 5 * time.Second // a grandchild may keep the pipes open
	err = cmd.Run()
	out := Output{Stdout: stdout.buf.Bytes(), Stderr: stderr.buf.Bytes()}
	if ctx.Err() != nil {
		return out, fmt.Errorf("%s: %w", c.Name, ctx.Err())
	}
	if err != nil {
		return out, commandError(c, out, err)
	}
	return out, nil
}

// commandError names the command with its first argument only: the rest is
// noise, and the place where a secret would be if somebody slipped.
func commandError(c Command, out Output, err error) error {
	name := filepath.Base(c.Name)
	if len(c.Args) > 0 {
		name += " " + c.Args[0]
	}
	text := strings.TrimSpace(string(out.Stderr))
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		text = text[i+1:]
	}
	if text == "" {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s: %w: %s", name, err, text)
}

// LookPath implements Commands. The host's own programs come first, then those
// we carry; sbin folders are searched even when PATH lacks them, as it often
// does under sudo or cron.
func (l *Linux) LookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		if isProgram(l.path(name)) {
			return l.path(name), nil
		}
		return "", fmt.Errorf("%s: %w", name, ErrNoCommand)
	}
	if l.root == "/" {
		if p, err := exec.LookPath(name); err == nil && filepath.IsAbs(p) {
			return p, nil
		}
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin", l.carried} {
		if dir == "" {
			continue
		}
		if p := l.path(filepath.Join(dir, name)); isProgram(p) {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, ErrNoCommand)
}

func isProgram(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o111 != 0
}

// Spawn implements Commands.
func (l *Linux) Spawn(c Command, logPath string) (p Process, err error) {
	path, err := l.LookPath(c.Name)
	if err != nil {
		return Process{}, err
	}
	log, err := os.OpenFile(l.path(logPath), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return Process{}, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	cmd := exec.Command(path, c.Args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, "/"
	for _, name := range []string{"PATH", "HOME", "LANG"} {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.Env = append(cmd.Env, c.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return Process{}, fmt.Errorf("start %s: %w", c.Name, err)
	}
	pid := cmd.Process.Pid
	p, err = l.process(pid)
	// Nobody waits for it here: should it end before we do, it stays a zombie
	// until then, which readProcess reports as gone.
	return p, errors.Join(err, cmd.Process.Release())
}
