package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/helm"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/secrets"
	"github.com/slipway-paas/slipway/charts"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/edge"
	"github.com/slipway-paas/slipway/platform/kube/lease"
	"github.com/spf13/cobra"
)

// Lines of the board, in the order in which they become ready. The charts
// stand between the node and the controller.
const (
	lineKubernetes  = "kubernetes"
	lineCertificate = "certificate"
	lineController  = "controller"
	lineDeploys     = "deploys"
)

func newServerCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "server",
		Short: "Run the platform in the foreground",
		Long: `Runs Kubernetes, the charts and the controller in this process until it gets
SIGINT or SIGTERM. "slipway install" prepares the host for it and has the
host's service manager run it.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			looking, err := unfinishedUpgrade(c.Context(), logrus.StandardLogger())
			if err != nil {
				return err
			}
			s, err := newServer()
			if err != nil {
				return err
			}
			s.holdChanges(looking)
			return s.run(c.Context())
		},
	}
}

// server is the appliance at run time.
type server struct {
	settings bootstrap.Settings
	paths    bootstrap.Paths
	secrets  secrets.Secrets
	board    *lifecycle.Board
	log      *logrus.Logger
	started  time.Time
	nodeName string
	address  string
	home     home
	charts   *helm.Installer

	core   atomic.Pointer[control.Controller] // nil unless this server leads and the store is open
	term   atomic.Pointer[lease.Term]         // nil unless this server leads
	leader atomic.Pointer[string]             // the node whose controller works; nil: not known yet
	ready  chan struct{}                      // closed when this node is ready
	nodes  *nodeList
	rounds rounds

	upgrading atomic.Bool // changes are held back

	mu          sync.Mutex
	certificate time.Time // when the served one ends
}

func newServer() (*server, error) {
	h := host.NewLinux(host.Options{})
	settings, _, err := bootstrap.LoadHost(h, nil, nil)
	if err != nil {
		return nil, err
	}
	if settings.AdminPassword.Empty() {
		return nil, errors.New("this host is not prepared: run \"slipway install\" first")
	}
	s := &server{settings: settings, paths: bootstrap.NewPaths(settings), log: logrus.StandardLogger(), started: time.Now()}
	if s.secrets, err = secrets.Open(secretsFile(s.paths)); err != nil {
		return nil, err
	}
	if err := s.findHome(context.Background(), h); err != nil {
		return nil, err
	}
	names := []string{lineKubernetes, lineCertificate}
	for _, c := range charts.List() {
		names = append(names, c.Name)
	}
	s.board = lifecycle.NewBoard(time.Now, append(names, lineController, lineDeploys, lineGit)...)
	s.charts = helm.NewGuarded(s.paths.Kubeconfig, version, s.mayWrite)
	if s.charts.Images, err = carriedDigests(); err != nil {
		return nil, err
	}
	s.ready, s.nodes = make(chan struct{}), newNodeList(s.address)
	return s, nil
}

// carriedDigests are the digests of the images in this program, by reference.
func carriedDigests() (map[string]string, error) {
	if !embedded.Available() {
		return nil, nil
	}
	carried, err := embedded.Load()
	if err != nil {
		return nil, err
	}
	digests := map[string]string{}
	for _, image := range carried.Images {
		digests[image.Ref] = image.Digest
	}
	return digests, nil
}

func secretsFile(p bootstrap.Paths) string { return filepath.Join(p.Controller, "secrets.json") }

func socketFile(p bootstrap.Paths) string { return filepath.Join(p.RunDir, "slipway.sock") }

// run runs all parts until ctx ends. k3s is the first in and the last out:
// the controller finishes what it does while the API server still answers.
func (s *server) run(ctx context.Context) error {
	if err := k3s.PrependPath(s.paths.Bin, auxDir(s.paths.Bin)); err != nil {
		return err
	}
	if err := tuneMemory(); err != nil {
		return err
	}
	// Helm would keep its caches in the home folder of whoever runs us.
	for _, name := range []string{"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"} {
		if err := os.Setenv(name, filepath.Join(s.paths.RunDir, "helm")); err != nil {
			return err
		}
	}
	status := lifecycle.StatusServer{
		Socket: socketFile(s.paths), Board: s.board, Report: s.report,
		Handlers: s.doctorHandlers(map[string]http.Handler{"GET /tls": s.tlsHandler(), "GET /canary": s.canaryHandler()}),
	}
	return lifecycle.Run(ctx, []lifecycle.Part{
		{Name: "status", Run: status.Run},
		{Name: "kubernetes", Run: s.runKubernetes},
		{Name: "platform", Run: s.runPlatform},
		{Name: "home", Run: s.runHome},
		{Name: "doctor", Run: s.runRounds},
		{Name: lineDoor, Run: s.runDoor},
		{Name: "renewal", Run: s.runRenewal},
		{Name: "upgrade", Run: s.watchUpgrade},
		{Name: "checkpoints", Run: s.pruneCheckpoints},
		{Name: lineBackups, Run: s.runBackups},
	})
}

// filerImage is the image that serves the files of volumes; a program without
// payload has none, and says so to who asks for the files.
func (s *server) filerImage() string {
	ref, err := imageRef("filer")
	if err != nil {
		s.log.WithError(err).Warn("the files of volumes can't be served")
	}
	return ref
}

func (s *server) runKubernetes(ctx context.Context) error {
	if err := s.follow(ctx); err != nil {
		return ignoreEnd(ctx, err)
	}
	err := s.conversion().BeforeStart(ctx, func(doing string) { s.board.Set(lineKubernetes, lifecycle.Working, doing) })
	if err != nil {
		return err
	}
	s.board.Set(lineKubernetes, lifecycle.Working, "starting")
	s.compactCluster(ctx)
	return k3s.Run(ctx, k3s.Server, append(kernelArgs(host.NewLinux(host.Options{}), s.log), s.k3sArgs()...)...)
}

// runPlatform waits for the API server and then runs what stands on it.
func (s *server) runPlatform(ctx context.Context) error {
	if err := k3s.WaitAPI(ctx, s.paths.Kubeconfig); err != nil {
		return ignoreEnd(ctx, err)
	}
	s.board.Set(lineKubernetes, lifecycle.Working, "the API server answers")
	return lifecycle.Run(ctx, []lifecycle.Part{
		{Name: "node", Run: s.runNode},
		{Name: "memory", Run: s.runTrim},
		{Name: "leadership", Run: s.runLeadership},
	})
}

// nodePause is how long a look at this node that failed waits for the next.
const nodePause = 5 * time.Second

// runNode says on the board when this node is ready.
func (s *server) runNode(ctx context.Context) error {
	for {
		err := s.waitNode(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			break
		}
		s.log.WithError(err).Warn("looking at this node")
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(nodePause):
		}
	}
	s.board.Set(lineKubernetes, lifecycle.Ready, "")
	close(s.ready)
	if err := k3s.SayVersion(ctx, s.paths.Kubeconfig, s.nodeName, version, ""); err != nil {
		s.log.WithError(err).Warn("telling the cluster which version runs here")
	}
	<-ctx.Done()
	return nil
}

func (s *server) waitNode(ctx context.Context) error {
	node, err := k3s.WaitNode(ctx, s.paths.Kubeconfig, s.nodeName, func(reason string) {
		s.board.Set(lineKubernetes, lifecycle.Working, reason)
	})
	if err != nil {
		return err
	}
	s.log.WithField("node", node.Name).WithField("address", node.Address).Info("node ready")
	return s.waitPods(ctx)
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// newRenewer keeps the wildcard certificate in the Secret the gateway names.
func (s *server) newRenewer(issuer, fallback edge.Issuer) (*edge.Renewer, error) {
	former := s.settings.FormerDomains
	if fallback != nil {
		former = nil // a public authority would want proof of domains that may be somebody else's by now
	}
	return edge.NewRenewer(edge.RenewerOptions{
		Dir: s.paths.CA, Domain: s.settings.Domain, Former: former, Issuer: issuer, Fallback: fallback,
		Writer:    tlsWriter{s.charts, s.certificateServed},
		Namespace: charts.PlatformNamespace, Name: charts.Defaults().Secrets.WildcardTLS,
		Logger: s.log,
	})
}

func (s *server) certificateServed(notAfter time.Time) {
	s.mu.Lock()
	s.certificate = notAfter
	s.mu.Unlock()
	s.board.Set(lineCertificate, lifecycle.Ready, "")
}

func (s *server) report() lifecycle.Report {
	findings, looked := s.rounds.findings()
	s.mu.Lock()
	defer s.mu.Unlock()
	return lifecycle.Report{
		Findings: findings, Looked: looked,
		Version: version, Kubernetes: k3s.Version(), PID: os.Getpid(), Started: s.started,
		Domain: s.settings.Domain, Node: s.nodeName, Address: s.address, Certificate: s.certificate,
		Moves:  movesTold(s.home.now.Moves, time.Now()),
		Leader: s.leaderName(), Failover: s.failsOver(),
	}
}

// tlsWriter writes a certificate to the cluster and tells when it ends.
type tlsWriter struct {
	charts *helm.Installer
	served func(notAfter time.Time)
}

// WriteTLS implements edge.SecretWriter.
func (w tlsWriter) WriteTLS(ctx context.Context, namespace, name string, cert, key []byte) error {
	notAfter, err := edge.NotAfter(cert)
	if err != nil {
		return fmt.Errorf("certificate for the gateway: %w", err)
	}
	_, err = w.charts.EnsureSecret(ctx, helm.Secret{
		Namespace: namespace, Name: name, Type: "kubernetes.io/tls",
		Data: map[string][]byte{"tls.crt": cert, "tls.key": key},
	})
	if err == nil {
		w.served(notAfter)
	}
	return err
}
