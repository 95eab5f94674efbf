package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The log of a supervised server is kept to logKeep old files of logLimit bytes.
const (
	logLimit = 20 << 20
	logKeep  = 3
)

// ProcessID names a process so that it is not mistaken for a later one.
type ProcessID struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
}

func (p ProcessID) process() Process { return Process{PID: p.PID, StartTime: p.Start} }

// SupervisorState is what a supervisor writes down for status and stop.
type SupervisorState struct {
	Supervisor ProcessID `json:"supervisor"`
	Server     ProcessID `json:"server"`
	Starts     int       `json:"starts"`
	LastExit   string    `json:"lastExit,omitempty"`
}

// Supervisor keeps one server running.
//
//	start -> running -> ended -> (wait) -> start
//	            |                   |
//	         ctx ends: SIGTERM, after Grace SIGKILL -> return
//
// The server writes to the log file itself, so it does not depend on the
// supervisor's life for its output; but it is told to stop when the supervisor
// dies, so that there is never a server that nobody owns.
type Supervisor struct {
	Host     *Linux
	Unit     Unit
	Backoff  time.Duration // first wait before a restart; 1 s when 0
	Grace    time.Duration // time to stop; 90 s when 0
	LogLimit int64         // bytes; 20 MiB when 0
	Rotate   time.Duration // how often the size of the log is looked at; 10 s when 0
}

// maxBackoff bounds the wait between restarts of a server that keeps ending.
const maxBackoff = time.Minute

// Run supervises until ctx ends, which stops the server. ErrLocked when another
// supervisor runs.
func (s *Supervisor) Run(ctx context.Context) (err error) {
	// The kernel sends the parent-death signal when the thread that started the
	// child ends, so this thread has to stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := os.MkdirAll(s.Host.path(s.Unit.RunDir), 0o755); err != nil {
		return err
	}
	release, err := s.Host.Lock(s.Unit.pidFile())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Host.Remove(s.Unit.stateFile()), release()) }()
	self, err := s.Host.process(os.Getpid())
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.Host.path(s.Unit.pidFile()), []byte(strconv.Itoa(self.PID)+"\n"), 0o644); err != nil {
		return err
	}
	state := SupervisorState{Supervisor: ProcessID{self.PID, self.StartTime}}
	return s.loop(ctx, &state)
}

func (s *Supervisor) loop(ctx context.Context, state *SupervisorState) error {
	wait := s.backoff()
	for {
		began := time.Now()
		exit, err := s.once(ctx, state)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if time.Since(began) > maxBackoff {
			wait = s.backoff()
		}
		state.Server, state.LastExit = ProcessID{}, exit
		if err := s.save(state); err != nil {
			return err
		}
		if err := s.say("%s ended (%s); it starts again in %s", s.Unit.Name, exit, wait); err != nil {
			return err
		}
		if s.Host.Wait(ctx, wait) != nil {
			return nil
		}
		wait = min(2*wait, maxBackoff)
	}
}

func (s *Supervisor) backoff() time.Duration {
	if s.Backoff > 0 {
		return s.Backoff
	}
	return time.Second
}

// once runs the server until it ends and returns how.
func (s *Supervisor) once(ctx context.Context, state *SupervisorState) (exit string, err error) {
	log, err := os.OpenFile(s.Host.path(s.Unit.LogFile), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	env, err := s.environ()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(s.Unit.Binary, s.Unit.Args...)
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = log, log, env, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	state.Starts++
	if err := cmd.Start(); err != nil {
		return err.Error(), nil // the binary may be in the middle of a replacement
	}
	if p, err := s.Host.process(cmd.Process.Pid); err == nil {
		state.Server = ProcessID{p.PID, p.StartTime}
	}
	saveErr := s.save(state)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if saveErr != nil { // without the state nobody could stop it
		return "", errors.Join(saveErr, cmd.Process.Kill(), discard(<-ended))
	}
	return s.watch(ctx, cmd, ended)
}

// discard drops the exit status of a process we killed ourselves.
func discard(error) error { return nil }

// watch waits for the server's end, and brings it about when ctx ends.
func (s *Supervisor) watch(ctx context.Context, cmd *exec.Cmd, ended <-chan error) (string, error) {
	every := s.Rotate
	if every == 0 {
		every = 10 * time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	done := ctx.Done()
	var force <-chan time.Time
	for {
		select {
		case err := <-ended:
			return exitText(err), nil
		case <-tick.C:
			if err := s.rotate(); err != nil {
				if err := s.say("rotate the log: %v", err); err != nil {
					return "", err
				}
			}
		case <-done:
			done = nil
			grace := s.Grace
			if grace == 0 {
				grace = stopTime
			}
			force = time.After(grace)
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return "", err
			}
		case <-force:
			if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return "", err
			}
		}
	}
}

func exitText(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// environ is our own environment with the settings file over it.
func (s *Supervisor) environ() ([]string, error) {
	env := os.Environ()
	if s.Unit.EnvFile == "" {
		return env, nil
	}
	data, err := s.Host.ReadFile(s.Unit.EnvFile)
	if errors.Is(err, fs.ErrNotExist) {
		return env, nil
	}
	if err != nil {
		return nil, err
	}
	values, err := ParseEnvFile(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Unit.EnvFile, err)
	}
	for _, v := range values {
		env = append(env, v.Name+"="+v.Value)
	}
	return env, nil
}

func (s *Supervisor) save(state *SupervisorState) error {
	data, err := json.Marshal(state)
	if err != nil {
		return err
	}
	return s.Host.WriteFile(s.Unit.stateFile(), append(data, '\n'), 0o644)
}

// say writes a line of the supervisor's own into the server's log.
func (s *Supervisor) say(format string, args ...any) error {
	line := fmt.Sprintf("time=%q level=warning msg=%q\n", time.Now().UTC().Format(time.RFC3339), fmt.Sprintf(format, args...))
	return s.Host.Append(s.Unit.LogFile, []byte(line), 0o600)
}

// rotate copies the log away and cuts it, since the server holds it open. What
// is written between the two is lost; that is microseconds, at a limit few
// servers reach.
func (s *Supervisor) rotate() (err error) {
	limit := s.LogLimit
	if limit == 0 {
		limit = logLimit
	}
	path := s.Host.path(s.Unit.LogFile)
	st, err := os.Stat(path)
	if err != nil || st.Size() <= limit {
		return ignoreAbsent(err)
	}
	for n := logKeep - 1; n >= 1; n-- {
		if err := ignoreAbsent(os.Rename(fmt.Sprintf("%s.%d", path, n), fmt.Sprintf("%s.%d", path, n+1))); err != nil {
			return err
		}
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(path+".1", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Truncate(path, 0)
}

// EnvValue is one line of an environment file.
type EnvValue struct{ Name, Value string }

// ParseEnvFile reads NAME=value lines as systemd does: blank lines and comments
// are skipped, a value may stand in single or double quotes.
func ParseEnvFile(text string) ([]EnvValue, error) {
	var values []EnvValue
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || name == "" || strings.ContainsAny(name, " \t'\"") {
			return nil, fmt.Errorf("line %d is not NAME=value", n+1)
		}
		values = append(values, EnvValue{name, unquoteEnv(value)})
	}
	return values, nil
}

func unquoteEnv(v string) string {
	if len(v) >= 2 && v[0] == '\'' && v[len(v)-1] == '\'' {
		return v[1 : len(v)-1]
	}
	if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, "\\`", "`").Replace(v[1 : len(v)-1])
	}
	return v
}

// FormatEnvFile writes what ParseEnvFile, systemd and a POSIX shell read back
// unchanged. Line breaks cannot be written.
func FormatEnvFile(values []EnvValue) (string, error) {
	var b strings.Builder
	for _, v := range values {
		if strings.ContainsAny(v.Value, "\n\r\x00") {
			return "", fmt.Errorf("%s: a value may not hold a line break", v.Name)
		}
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(v.Value)
		fmt.Fprintf(&b, "%s=\"%s\"\n", v.Name, quoted)
	}
	return b.String(), nil
}
