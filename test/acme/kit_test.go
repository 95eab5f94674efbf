package acme

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/edge"
	"github.com/slipway-paas/slipway/platform/identity"
	"github.com/slipway-paas/slipway/platform/platformtest"
	"github.com/slipway-paas/slipway/platform/store"
)

const domain = "slipway.test"

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// gateway plays the gateway: it leads challenges to the controller for the
// hosts that the cluster was told of, all else to the apps, which answer too;
// and it serves TLS with the certificates that the cluster was given.
type gateway struct {
	cluster *platformtest.Cluster
	port    int // plain
	tls     net.Listener

	mu         sync.Mutex
	challenges http.Handler
	apps       []string
}

func startGateway(t *testing.T, cluster *platformtest.Cluster) *gateway {
	t.Helper()
	g := &gateway{cluster: cluster}
	plain := httptest.NewServer(g)
	t.Cleanup(plain.Close)
	g.port = plain.Listener.Addr().(*net.TCPAddr).Port
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: g.certificate, MinVersion: tls.VersionTLS12})
	require.NoError(t, err)
	g.tls = listener
	server := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Minute, ErrorLog: quiet()}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }() // until it is closed
	t.Cleanup(func() { _ = server.Close(); <-done })
	return g
}

func (g *gateway) lead(apps []string, challenges http.Handler) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.apps, g.challenges = apps, challenges
}

func (g *gateway) known() ([]string, http.Handler) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.apps, g.challenges
}

// ServeHTTP is the plain port.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	apps, challenges := g.known()
	for _, app := range apps {
		for _, asked := range g.cluster.Exposed(app).Challenges {
			if asked == host && strings.HasPrefix(r.URL.Path, control.ChallengePath) {
				challenges.ServeHTTP(w, r)
				return
			}
		}
	}
	_, _ = io.WriteString(w, "hello from an app")
}

func (g *gateway) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	apps, _ := g.known()
	for _, app := range apps {
		for _, p := range g.cluster.Exposed(app).Certs {
			if p.Domain == hello.ServerName {
				pair, err := tls.X509KeyPair(p.Chain, p.Key)
				return &pair, err
			}
		}
	}
	return nil, fmt.Errorf("no certificate for %s", hello.ServerName)
}

// clock is the system's, ahead by what tests say.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// kit is a controller whose domains get certificates of a real authority.
type kit struct {
	*control.Controller
	t       *testing.T
	store   *store.Store
	cluster *platformtest.Cluster
	gateway *gateway
	ca      *ca
	acme    *edge.ACME
	clock   *clock
	kick    chan time.Time
	alice   control.Actor
	stop    func()
}

type change func(*edge.ACMESettings)

// newKit starts everything; args are the authority's.
func newKit(t *testing.T, args []string, changes ...change) *kit {
	t.Helper()
	return newKitOn(t, filepath.Join(t.TempDir(), "slipway.db"), args, changes...)
}

// newKitOn is newKit with a database that is elsewhere.
func newKitOn(t *testing.T, location string, args []string, changes ...change) *kit {
	t.Helper()
	s, err := store.Open(t.Context(), location, make([]byte, store.KeySize))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	k := &kit{t: t, store: s, cluster: platformtest.NewCluster(), clock: &clock{}, kick: make(chan time.Time), stop: func() {}}
	k.gateway = startGateway(t, k.cluster)
	k.ca = startCA(t, k.gateway.port, args...)
	u, err := s.CreateUser(t.Context(), platform.User{Username: "alice", IsActive: true}, "")
	require.NoError(t, err)
	k.alice = control.Actor{User: u}
	k.renew(s, changes...)
	_, _, err = k.ListWorkspaces(t.Context(), k.alice, control.Page{})
	require.NoError(t, err)
	t.Cleanup(func() { k.stop() })
	return k
}

// renew makes a new controller over the same store, cluster and authority.
func (k *kit) renew(over control.Store, changes ...change) {
	k.t.Helper()
	log := logrus.New()
	log.SetOutput(io.Discard)
	settings := edge.ACMESettings{Enabled: true, Server: k.ca.directory, Roots: k.ca.roots, Email: "ops@example.com"}
	for _, f := range changes {
		f(&settings)
	}
	var err error
	k.acme, err = edge.NewACME(edge.ACMEOptions{
		Settings: settings, Shelf: k.store, Domain: domain, Listen: fmt.Sprintf("127.0.0.1:%d", k.gateway.port), Logger: log, Now: k.clock.Now,
	})
	require.NoError(k.t, err)
	authority, err := edge.OpenAuthority(k.t.TempDir(), k.clock.Now)
	require.NoError(k.t, err)
	apps, _ := k.gateway.known()
	k.gateway.lead(apps, edge.NewChallenges(k.store, k.clock.Now, log))
	k.Controller, err = control.New(control.Options{
		Store: over, Cluster: k.cluster, Identity: identity.New(), Domain: domain, Clock: k.clock.Now, Logger: log,
		Backoff: func(int) time.Duration { return time.Millisecond },
		EdgeOptions: control.EdgeOptions{
			Certifier: authority, Authorities: k.acme,
			CertBackoff: func(n int) time.Duration { return time.Duration(n) * 10 * time.Minute },
			After:       func(time.Duration) <-chan time.Time { return k.kick },
		},
	})
	require.NoError(k.t, err)
}

// run starts the queue; stop ends it.
func (k *kit) run() {
	ctx, cancel := context.WithCancel(k.t.Context())
	done := make(chan error, 1)
	core := k.Controller
	go func() { done <- core.Run(ctx) }()
	var once sync.Once
	k.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				k.t.Errorf("Run: %v", err)
			}
		})
	}
}

func (k *kit) settle() {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), 2*time.Minute)
	defer cancel()
	require.NoError(k.t, k.Idle(ctx))
}

// pass moves the clock and has the certificates looked at.
func (k *kit) pass(d time.Duration) {
	k.t.Helper()
	k.clock.pass(d)
	k.kick <- k.clock.Now()
	k.kick <- k.clock.Now() // taken when the look after the first is over
	k.settle()
}

// create makes an app that gets certificates by itself, with domains.
func (k *kit) create(app string, issuer *platform.Issuer, domains ...string) {
	k.t.Helper()
	ctx := k.t.Context()
	apps, challenges := k.gateway.known()
	k.gateway.lead(append(append([]string{}, apps...), app), challenges)
	_, err := k.CreateApp(ctx, k.alice, control.NewApp{ID: app})
	require.NoError(k.t, err)
	_, err = k.Deploy(ctx, k.alice, app, control.NewBuild{Image: "img:1", Stack: "container", Procfile: map[string]string{"web": "run"}})
	require.NoError(k.t, err)
	for _, d := range domains {
		_, err := k.AddDomain(ctx, k.alice, app, d, "web")
		require.NoError(k.t, err)
	}
	on := true
	_, err = k.ChangeTLS(ctx, k.alice, app, control.TLSChange{AutoCerts: &on, Issuer: issuer})
	require.NoError(k.t, err)
}

// says is what tls info tells of an app's domain.
func (k *kit) says(app, name string) platform.TLSEvent {
	k.t.Helper()
	found, err := k.FindTLS(k.t.Context(), k.alice, app)
	require.NoError(k.t, err)
	for _, e := range found.Events {
		if e.Name == name {
			return e
		}
	}
	require.Fail(k.t, "nothing is told of "+name)
	return platform.TLSEvent{}
}

func (k *kit) edge(app string) control.Edge {
	k.t.Helper()
	e, err := k.store.FindEdge(k.t.Context(), app)
	require.NoError(k.t, err)
	return e
}

func (k *kit) leaf(app, name string) control.Leaf {
	k.t.Helper()
	for _, l := range k.edge(app).Leaves {
		if l.Domain == name {
			return l
		}
	}
	return control.Leaf{}
}
