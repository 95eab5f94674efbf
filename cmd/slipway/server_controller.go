package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/secrets"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/api/download"
	"github.com/slipway-paas/slipway/platform/api/drycc"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/edge"
	"github.com/slipway-paas/slipway/platform/edge/diagnose"
	"github.com/slipway-paas/slipway/platform/identity"
	"github.com/slipway-paas/slipway/platform/kube"
	"github.com/slipway-paas/slipway/platform/store"
	"github.com/slipway-paas/slipway/platform/webhook"
)

// controllerPort is where the API listens on the node's address, behind the
// gateway, and on loopback.
const controllerPort = 9580

// controller is the platform half of the server: store, verbs and the API.
type controller struct {
	store   *store.Store
	cluster *kube.Cluster
	control *control.Controller
	api     *api.Server

	serviceKey string // with which the platform's own parts come to the API
	nonces     *diagnose.Nonces
	acme       *edge.ACME // nil: certificates are signed here only
}

// openController opens the store, makes the admin and listens.
func (s *server) openController(ctx context.Context, cluster *kube.Cluster, authority *edge.Authority) (*controller, error) {
	key, err := secrets.OpenKey(s.paths.SecretKey)
	if err != nil {
		return nil, err
	}
	location := s.settings.DatabaseURL.Reveal()
	if location == "" {
		location = filepath.Join(s.paths.Controller, "slipway.db")
	}
	database, err := store.Open(ctx, location, key)
	if err != nil {
		return nil, err
	}
	if err := database.Lead(ctx, s.nodeName); err != nil {
		_ = database.Close() // the first error says what is wrong
		return nil, err
	}
	c := &controller{store: database, cluster: cluster, serviceKey: secrets.Derive(key, "service"),
		nonces: newNonces(secrets.Derive(key, "nonces"))}
	if err := c.assemble(ctx, s, cluster, authority); err != nil {
		_ = database.Close() // the first error says what is wrong
		return nil, err
	}
	return c, nil
}

// close ends a controller that was not run.
func (c *controller) close() error { return errors.Join(c.api.Close(), c.store.Close()) }

func (c *controller) assemble(ctx context.Context, s *server, cluster *kube.Cluster, authority *edge.Authority) error {
	who := identity.New()
	if err := identity.EnsureAdmin(ctx, c.store, who, s.settings.AdminUsername, s.settings.AdminPassword.Reveal()); err != nil {
		return err
	}
	metrics := api.NewMetrics()
	s.backupMetrics(metrics)
	err := c.openACME(s)
	if err != nil {
		return err
	}
	if c.control, err = c.newControl(s, cluster, authority, metrics, who); err != nil {
		return err
	}
	limits, err := api.ParseLimits(s.settings.ControllerSetting)
	if err != nil {
		return err
	}
	mounts, err := c.mounts(s)
	if err != nil {
		return err
	}
	handler, err := api.NewHandler(api.HandlerOptions{
		Limits: limits, Mounts: mounts,
		Logger: s.log, Metrics: metrics, CACert: authority.CAPEM, Hold: s.held,
		Moved: api.Moved{Domain: s.settings.Domain, Former: s.settings.FormerDomains, Keep: []string{"drycc"}},
		// The gateways are on the host network: they come from the nodes' addresses.
		TrustedProxies: s.nodes.networks,
	})
	if err != nil {
		return err
	}
	port := strconv.Itoa(controllerPort)
	c.api, err = api.NewServer(api.ServerOptions{
		Addrs:   []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort(s.address, port)},
		Handler: handler, Logger: s.log, Grace: 5 * time.Second,
	})
	if err != nil {
		return err
	}
	_, err = c.api.Listen(ctx)
	return err
}

// newControl makes the core from the settings.
func (c *controller) newControl(s *server, cluster *kube.Cluster, authority *edge.Authority, metrics *api.Metrics, who control.Identity) (*control.Controller, error) {
	get := s.settings.ControllerSetting
	tuning, err := control.ParseTuning(get)
	if err != nil {
		return nil, err
	}
	catalog, err := control.ParseLimits(get, os.ReadFile)
	if err != nil {
		return nil, err
	}
	registration, err := platform.ParseRegistrationMode(get("REGISTRATION_MODE"))
	if err != nil {
		return nil, err
	}
	builds, err := control.ParseBuilds(get)
	if err != nil {
		return nil, err
	}
	builds.Folder = s.paths.Controller
	outside, err := identity.NewOutside(identity.ParseOutside(get))
	if err != nil {
		return nil, err
	}
	builder, err := s.newBuilder(cluster)
	if err != nil {
		return nil, err
	}
	images, err := s.newImages(cluster)
	if err != nil {
		return nil, err
	}
	fetcher, err := s.newFetcher()
	if err != nil {
		return nil, err
	}
	doctor, err := s.newDoctor(c.nonces)
	if err != nil {
		return nil, err
	}
	return control.New(control.Options{
		Builder: builder, Fetcher: fetcher, ImageOptions: images,
		Store: c.store, Cluster: cluster, Identity: who, Domain: s.settings.Domain, Former: s.settings.FormerDomains, Logger: s.log,
		OnRelease: metrics.CountRelease, ServiceKey: c.serviceKey, Tuning: tuning, Limits: catalog,
		Hooks:        control.ParseDeployHooks(get, webhook.New()),
		Registration: registration, Directory: outside.Directory, SignOn: outside.SignOn, Mailer: outside.Mailer,
		Builds: builds,
		EdgeOptions: control.EdgeOptions{
			Ports:     s.gatewayPorts(),
			Addresses: s.nodes.reached, Certifier: authority,
			Diagnoser: doctor, Authorities: c.authorities(), OwnNames: c.ownNames(s, authority),
		},
	})
}

// gatewayPorts are those of the gateway, for the controller.
func (s *server) gatewayPorts() []platform.GatewayPort {
	ports := control.DefaultPorts()
	for _, p := range s.settings.GatewayPorts {
		ports = append(ports, platform.GatewayPort{Port: p.Port, Protocol: p.Protocol})
	}
	return ports
}

func (s *server) morePorts() (ports []int) {
	for _, p := range s.settings.GatewayPorts {
		ports = append(ports, p.Port)
	}
	return ports
}

// mounts are the doors of the listener: the client's download and the API.
func (c *controller) mounts(s *server) ([]api.Mount, error) {
	clients, err := download.New(embedded.Clients())
	if err != nil {
		return nil, err
	}
	return []api.Mount{
		{Prefix: download.ScriptPath, Dialect: clients}, {Prefix: download.Prefix, Dialect: clients},
		challengeMount(c.nonces, c.challenges(s)),
		{Dialect: drycc.New(c.control)},
	}, nil
}

// parts are the controller's long-lived pieces. When the server stops the API
// goes first, then the queue, which the API feeds.
func (c *controller) parts(s *server) []lifecycle.Part {
	queue := func(ctx context.Context) error {
		s.hurryGateway(ctx, c)
		if err := s.waitForDeploys(ctx, c.cluster); err != nil {
			return nil // ctx ended
		}
		return c.control.Run(ctx)
	}
	return []lifecycle.Part{
		{Name: "controller", Run: queue},
		{Name: "api", Run: c.api.Run},
	}
}

// deployPatience is how long deploys are held back for what they stand on. A
// platform that is partly broken must still be able to deploy.
const deployPatience = 3 * time.Minute

// waitForDeploys holds the queue back until the node, the charts that a deploy
// needs and the gateway's view of the cluster are ready: right after a start
// the registry would refuse pulls, good releases would be called crashed, and
// the gateway would send requests to pods that a rollout has ended.
func (s *server) waitForDeploys(ctx context.Context, cluster *kube.Cluster) error {
	needed := []string{lineKubernetes, "cluster", "gateway", "registry"}
	bounded, cancel := context.WithTimeout(ctx, deployPatience)
	defer cancel()
	err := s.board.Watch(bounded, func(entries []lifecycle.Entry) bool {
		for _, e := range entries {
			if slices.Contains(needed, e.Name) && e.State != lifecycle.Ready {
				return false
			}
		}
		return true
	})
	if err == nil {
		s.board.Set(lineDeploys, lifecycle.Working, "waiting for the gateway to follow the cluster")
		err = cluster.SyncGateway(bounded, s.canary())
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.log.WithError(err).Warn("deploying although not all of the platform is ready")
	}
	s.board.Set(lineDeploys, lifecycle.Ready, "")
	return nil
}

// gatewayPatience is how long the gateway may take to follow the cluster again
// while a rollout goes on without it.
const gatewayPatience = 2 * time.Second

// hurryGateway replaces a gateway that does not follow the cluster when the
// server died in the middle of a deploy: Kubernetes finishes that rollout on
// its own, and the gateway's watches, which have backed off, would come back
// up to a minute after the old pods have gone.
func (s *server) hurryGateway(ctx context.Context, c *controller) {
	unfinished, err := c.store.ListUnfinished(ctx, "")
	if err != nil {
		s.log.WithError(err).Warn("looking for unfinished releases")
		return
	}
	rolling := slices.ContainsFunc(unfinished, func(r platform.Release) bool { return r.State == platform.ReleaseDeploying })
	if !rolling {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, gatewayPatience)
	defer cancel()
	if c.cluster.SyncGateway(bounded, s.canary()) == nil || ctx.Err() != nil {
		return
	}
	if err := c.cluster.RestartGateway(ctx); err != nil {
		s.log.WithError(err).Warn("the gateway may not know of new pods for a while")
		return
	}
	s.log.Info("a deploy was interrupted and the gateway does not follow the cluster yet: replacing it")
}

// canary is answered by the controller's own health check.
func (s *server) canary() kube.Canary {
	name := "canary.drycc." + s.settings.Domain
	return kube.Canary{
		Host: name, Address: s.address, Port: controllerPort,
		Ask: func(ctx context.Context) (bool, error) {
			status, err := askThroughGateway(ctx, name)
			return status == http.StatusOK, err
		},
	}
}

// clusterOptions say where the cluster is and what apps may have there.
func (s *server) clusterOptions() (kube.Options, error) {
	address, err := netip.ParseAddr(s.address)
	if err != nil {
		return kube.Options{}, err
	}
	quota, err := kube.ParseQuota(s.settings.ControllerSetting("KUBERNETES_NAMESPACE_DEFAULT_QUOTA_SPEC"))
	if err != nil {
		return kube.Options{}, err
	}
	limits, err := kube.ParseLimitRange(s.settings.ControllerSetting("KUBERNETES_NAMESPACE_DEFAULT_LIMIT_RANGES_SPEC"))
	if err != nil {
		return kube.Options{}, err
	}
	return kube.Options{
		Controller: netip.AddrPortFrom(address, controllerPort),
		Git:        kube.GitDoor{Port: s.settings.GitPort(), ServiceIP: s.settings.GitIP().String()},
		Kubeconfig: s.paths.Kubeconfig, Logger: s.log, ClusterCIDRs: []string{s.settings.ClusterCIDR.String()},
		Quota: quota, LimitRange: limits, PodSecurity: s.settings.ControllerSetting("SLIPWAY_POD_SECURITY"),
		Guard:        s.mayWrite,
		StorageClass: s.settings.AppClass, FilerImage: s.filerImage(), MorePublicPorts: s.morePorts(),
	}, nil
}
