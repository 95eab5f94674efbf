package gitssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"github.com/slipway-paas/slipway/platform"
)

// Server is the door. Make it with New, then Listen and Run.
type Server struct {
	control Control
	git     Git
	repos   *repos
	hooks   *hookServer
	logger  *logrus.Logger
	limits  Limits
	grace   time.Duration
	addrs   []string
	program string // of the hook
	config  *ssh.ServerConfig

	listeners []net.Listener
	admission *admission
	slots     chan struct{} // full when as many commands run as may
	cleaner   chan struct{} // full while a repository is cleaned

	// The stages of an end: nothing new is let in, builds have to end, all
	// commands have to, connections have to.
	stop   chan struct{}
	builds context.Context
	work   context.Context
	open   context.Context

	mu       sync.Mutex // over stopped, and adding to commands
	stopped  bool
	commands sync.WaitGroup
}

// sweepInterval is how often repositories of apps that are no more are looked
// for, beside the start.
const sweepInterval = 10 * time.Minute

// New checks the options and reads or makes the host keys.
func New(o Options) (*Server, error) {
	if o.Control == nil || o.Logger == nil || o.Git.Path == "" || o.Dir == "" || o.KeyDir == "" || o.Hook == "" {
		return nil, errors.New("git door: an option is missing")
	}
	keys, err := openHostKeys(o.KeyDir)
	if err != nil {
		return nil, err
	}
	limits := o.Limits.withDefaults()
	s := &Server{
		control: o.Control, git: o.Git, logger: o.Logger, limits: limits, grace: o.Grace, addrs: o.Addrs, program: o.Hook,
		repos:     &repos{dir: o.Dir, git: o.Git, limits: limits, gates: map[string]*gate{}},
		admission: newAdmission(limits.Connections, limits.PerAddress),
		slots:     make(chan struct{}, limits.Commands), cleaner: make(chan struct{}, 1),
		stop: make(chan struct{}),
	}
	s.hooks = &hookServer{socket: s.repos.socket(), pushes: map[string]*push{}}
	s.config = s.sshConfig(keys)
	return s, nil
}

// Listen prepares the folder of repositories, for which no other server may
// be running, and opens the addresses.
func (s *Server) Listen(ctx context.Context) ([]net.Addr, error) {
	if err := s.repos.prepare(s.program); err != nil {
		return nil, fmt.Errorf("git repositories: %w", err)
	}
	var bound []net.Addr
	for _, addr := range s.addrs {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("git door: %w", err), s.closeListeners())
		}
		s.listeners = append(s.listeners, l)
		bound = append(bound, l.Addr())
	}
	return bound, nil
}

func (s *Server) closeListeners() error {
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, l.Close())
	}
	s.listeners = nil
	return errors.Join(errs...)
}

// Run serves until ctx ends. Commands that run then get the grace time to
// finish; a build that still runs after it is broken off, and its push is
// refused in words. Everything has ended when Run returns.
func (s *Server) Run(ctx context.Context) error {
	if len(s.listeners) == 0 {
		return errors.New("git door: Run before Listen")
	}
	var finish, leave context.CancelFunc
	var abandon context.CancelCauseFunc
	s.builds, abandon = context.WithCancelCause(context.WithoutCancel(ctx))
	s.work, finish = context.WithCancel(context.WithoutCancel(ctx))
	s.open, leave = context.WithCancel(context.WithoutCancel(ctx))
	defer abandon(nil)
	defer finish()
	defer leave()
	hooks, err := s.hooks.listen(ctx, s.repos.own)
	if err != nil {
		return errors.Join(err, s.closeListeners())
	}
	var group errgroup.Group
	failed := make(chan struct{})
	fail := sync.OnceFunc(func() { close(failed) })
	group.Go(func() error { defer fail(); return s.hooks.serve(hooks) })
	for _, l := range s.listeners {
		group.Go(func() error { defer fail(); return s.accept(l, &group) })
	}
	group.Go(func() error { s.tidy(s.work); return nil })
	select {
	case <-ctx.Done():
	case <-failed:
	}
	err = s.closeListeners()
	s.drain(func() {
		abandon(platform.Errorf(platform.Unavailable, "The platform is restarting; push again in a minute."))
	}, finish)
	leave()
	return errors.Join(err, hooks.Close(), group.Wait())
}

// drain waits for what runs, a while. Then it ends the builds, so that their
// pushers hear of it, and soon after that everything else.
func (s *Server) drain(abandon, finish func()) {
	s.mu.Lock()
	s.stopped = true
	close(s.stop)
	s.mu.Unlock()
	idle := make(chan struct{})
	go func() { s.commands.Wait(); close(idle) }()
	for _, stage := range []struct {
		patience time.Duration
		then     func()
	}{{s.grace, abandon}, {killDelay, finish}} {
		timer := time.NewTimer(stage.patience)
		select {
		case <-idle:
		case <-timer.C:
			s.logger.Warn("git door: breaking off what did not finish")
		}
		timer.Stop()
		stage.then()
	}
	<-idle
}

// stopping reports whether the server is about to end.
func (s *Server) stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// enter counts a command that begins; false when none may begin any more.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.commands.Add(1)
	}
	return !s.stopped
}

func (s *Server) accept(l net.Listener, group *errgroup.Group) error {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			// Out of files, most likely: connections that end make room.
			s.logger.WithError(err).Warn("git door: taking a connection")
			select {
			case <-s.stop:
				return nil
			case <-time.After(time.Second):
				continue
			}
		}
		leave, ok := s.admission.enter(conn.RemoteAddr())
		if !ok {
			_ = conn.Close() // nothing was said yet
			continue
		}
		group.Go(func() error {
			defer leave()
			s.serve(conn)
			return nil
		})
	}
}

// tidy removes the repositories of apps that are no more.
func (s *Server) tidy(ctx context.Context) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		if err := s.repos.reconcile(ctx, s.control.AppUUID); err != nil && ctx.Err() == nil {
			s.logger.WithError(err).Warn("git door: looking for repositories without an app")
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (s *Server) log(who identity, app string) *logrus.Entry {
	return s.logger.WithFields(logrus.Fields{"user": who.username, "app": app, "from": who.from})
}

// sshConfig allows what OpenSSH of the last ten years speaks and no more.
func (s *Server) sshConfig(keys []ssh.Signer) *ssh.ServerConfig {
	c := &ssh.ServerConfig{
		Config: ssh.Config{
			KeyExchanges: []string{
				ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519,
				ssh.KeyExchangeECDHP256, ssh.KeyExchangeECDHP384, ssh.KeyExchangeECDHP521, ssh.KeyExchangeDH14SHA256,
			},
			Ciphers: []string{
				ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherChaCha20Poly1305,
				ssh.CipherAES128CTR, ssh.CipherAES192CTR, ssh.CipherAES256CTR,
			},
			MACs: []string{ssh.HMACSHA256ETM, ssh.HMACSHA512ETM, ssh.HMACSHA256, ssh.HMACSHA512},
		},
		PublicKeyAuthAlgorithms: slices.DeleteFunc(ssh.SupportedAlgorithms().PublicKeyAuths, func(a string) bool { return a == ssh.KeyAlgoRSA }),
		MaxAuthTries:            maxAuthTries,
		ServerVersion:           "SSH-2.0-Slipway",
		PublicKeyCallback:       s.authenticate,
	}
	for _, k := range keys {
		c.AddHostKey(k)
	}
	return c
}
