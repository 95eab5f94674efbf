package pgtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Names and password of every server. The password is one that a test can
// look for.
const (
	User     = "slipway"
	Password = "swordfish-of-postgres"
)

// Server is one PostgreSQL server. Its methods are for one goroutine at a time.
type Server struct {
	bin, dir string
	port     int
	host     string              // where it listens; "" is loopback
	as       *syscall.Credential // nil: as whoever runs the tests

	mu      sync.Mutex
	process *os.Process
	ended   chan struct{}
}

// Start makes a server in dir, which must be empty and which everybody may
// enter, and starts it.
func Start(dir string) (*Server, error) {
	s := &Server{dir: filepath.Join(dir, "data")}
	var err error
	if s.bin, err = binaries(); err != nil {
		return nil, err
	}
	if s.as, err = notRoot(); err != nil {
		return nil, err
	}
	if err := s.own(dir); err != nil {
		return nil, err
	}
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(Password), 0o600); err != nil {
		return nil, err
	}
	if err := s.own(secret); err != nil {
		return nil, err
	}
	err = s.run("initdb", "--pgdata", s.dir, "--username", User, "--pwfile", secret,
		"--auth-host", "scram-sha-256", "--auth-local", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")
	if err != nil {
		return nil, err
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	return s, s.Begin()
}

// binaries finds where the package keeps the server, which is not in PATH.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		one, err := exec.LookPath("postgres")
		if err != nil {
			return "", errors.New("PostgreSQL is not installed: run scripts/deps.sh test")
		}
		return filepath.Dir(one), nil
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1]), nil
}

// notRoot is who the server runs as, because it refuses to run as root.
func notRoot() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	var u *user.User
	var err error
	for _, name := range []string{"postgres", "nobody"} {
		if u, err = user.Lookup(name); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

func (s *Server) own(path string) error {
	if s.as == nil {
		return nil
	}
	return os.Chown(path, int(s.as.Uid), int(s.as.Gid))
}

// command runs as the server's user, in its directory.
func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Dir = filepath.Dir(s.dir)
	cmd.Env = []string{"LC_ALL=C.UTF-8", "PATH=" + s.bin + ":/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	return cmd
}

func (s *Server) run(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if out, err := s.command(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// Dump is the whole database as SQL text, as pg_dump writes it.
func (s *Server) Dump(name string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := s.command(ctx, "pg_dump", "--host", s.socket(), "--port", strconv.Itoa(s.port), "--username", User, name).Output()
	return string(out), err
}

// freePort asks the kernel. Somebody may take it meanwhile, and then the
// server says so.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Begin starts a server that is stopped, and returns when it takes connections.
func (s *Server) Begin() error {
	out, err := os.OpenFile(filepath.Join(filepath.Dir(s.dir), "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	options := []string{"-D", s.dir, "-p", strconv.Itoa(s.port), "-k", s.socket()}
	for _, o := range []string{
		"listen_addresses=" + s.address(), "max_connections=300", "shared_buffers=64MB",
		// The machine does not lose power in a test, and the data is dropped.
		"fsync=off", "full_page_writes=off",
	} {
		options = append(options, "-c", o)
	}
	cmd := s.command(context.Background(), "postgres", options...)
	cmd.Stdout, cmd.Stderr = out, out
	ended, err := startBound(cmd)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.process, s.ended = cmd.Process, ended
	s.mu.Unlock()
	return s.await(ended)
}

// startBound starts cmd so that it dies with this process, even when that is
// killed. The kernel ties a child to the thread that made it, so the thread is
// kept until the child has ended.
func startBound(cmd *exec.Cmd) (chan struct{}, error) {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT // PostgreSQL's immediate shutdown
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // however it ended, it is not there any more
		}
		close(ended)
	}()
	return ended, <-started
}

// await asks until the server answers.
func (s *Server) await(ended chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ready := s.command(ctx, "pg_isready", "-q", "-h", s.socket(), "-p", strconv.Itoa(s.port))
		if ready.Run() == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ended:
			return errors.New("PostgreSQL ended at once: " + s.Log())
		case <-ctx.Done():
			return errors.New("PostgreSQL does not come up: " + s.Log())
		}
	}
}

// Log is what the server has written.
func (s *Server) Log() string {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(s.dir), "log"))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// Stop ends the server at once: connections break, and what was committed
// stays. Idempotent.
func (s *Server) Stop() error {
	s.mu.Lock()
	process, ended := s.process, s.ended
	s.process = nil
	s.mu.Unlock()
	if process == nil {
		return nil
	}
	if err := process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-ended
	return nil
}

// URL names a database of the server. options are of libpq's kind: "a=b&c=d".
func (s *Server) URL(database, options string) string {
	if options == "" {
		options = "sslmode=disable"
	}
	return fmt.Sprintf("postgres://%s:%s@%s:%d/%s?%s", User, Password, s.address(), s.port, database, options)
}

// Listen has the server listen at an address of this machine, and let clients in
// that come from a network, as in "10.0.0.0/8". It restarts.
func (s *Server) Listen(host, network string) error {
	if err := s.Stop(); err != nil {
		return err
	}
	rules, err := os.OpenFile(filepath.Join(s.dir, "pg_hba.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(rules, "host all all %s scram-sha-256\n", network)
	if err := errors.Join(err, rules.Close()); err != nil {
		return err
	}
	s.host = host
	return s.Begin()
}

func (s *Server) address() string { return cmp.Or(s.host, "127.0.0.1") }

// socket is the directory of the server's socket.
func (s *Server) socket() string { return filepath.Dir(s.dir) }

// Data is the directory of the server's files.
func (s *Server) Data() string { return s.dir }
