// Command traefik is Traefik as the platform's gateway: its Gateway API
// provider, its router and its proxy, with a guard of ours in front of every
// route (package guard). What a gateway on one host has no use for is not wired:
// certificates by ACME, plugins, tracing, other providers than Gateway API and
// file, the dashboard. It takes Traefik's own flags.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/rs/zerolog/log"
	"github.com/traefik/paerser/cli"
	"github.com/traefik/traefik/v3/cmd"
	"github.com/traefik/traefik/v3/cmd/healthcheck"
	cmdversion "github.com/traefik/traefik/v3/cmd/version"
	tcli "github.com/traefik/traefik/v3/pkg/cli"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/config/runtime"
	"github.com/traefik/traefik/v3/pkg/config/static"
	"github.com/traefik/traefik/v3/pkg/observability/metrics"
	"github.com/traefik/traefik/v3/pkg/provider/aggregator"
	"github.com/traefik/traefik/v3/pkg/provider/traefik"
	"github.com/traefik/traefik/v3/pkg/proxy"
	"github.com/traefik/traefik/v3/pkg/proxy/httputil"
	"github.com/traefik/traefik/v3/pkg/safe"
	"github.com/traefik/traefik/v3/pkg/server"
	"github.com/traefik/traefik/v3/pkg/server/middleware"
	tcprouter "github.com/traefik/traefik/v3/pkg/server/router/tcp"
	"github.com/traefik/traefik/v3/pkg/server/service"
	"github.com/traefik/traefik/v3/pkg/tcp"
	traefiktls "github.com/traefik/traefik/v3/pkg/tls"
	"github.com/traefik/traefik/v3/pkg/udp"
	"github.com/traefik/traefik/v3/pkg/version"

	"github.com/slipway-paas/slipway/embedded/src/traefik/doors"
	"github.com/slipway-paas/slipway/embedded/src/traefik/guard"
	"github.com/slipway-paas/slipway/embedded/src/traefik/relay"
)

func main() {
	if err := run(); err != nil {
		log.Error().Err(err).Msg("The gateway ends")
		os.Exit(1)
	}
}

func run() error {
	zerolog.SetGlobalLevel(zerolog.WarnLevel) // until the flags say another
	config := cmd.NewTraefikConfiguration()
	sources := []cli.ResourceLoader{&tcli.FlagLoader{}}
	command := &cli.Command{
		Name: "traefik", Description: "Traefik as the gateway of Slipway", Configuration: config, Resources: sources,
		Run: func([]string) error { return serve(&config.Configuration) },
	}
	for _, sub := range []*cli.Command{healthcheck.NewCmd(&config.Configuration, sources), cmdversion.NewCmd()} {
		if err := command.AddCommand(sub); err != nil {
			return err
		}
	}
	return cli.Execute(command)
}

// serve runs until a signal ends it.
func serve(c *static.Configuration) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	if err := setLog(c); err != nil {
		return err
	}
	c.SetEffectiveConfiguration()
	if err := c.ValidateConfiguration(); err != nil {
		return err
	}
	if err := supported(c); err != nil {
		return err
	}
	log.Info().Str("version", version.Version).Msg("The gateway starts")
	if err := waitAtRelay(c); err != nil {
		return err
	}
	s, err := newServer(c)
	if err != nil {
		return err
	}
	if c.Ping != nil {
		c.Ping.WithContext(ctx)
	}
	return s.run(ctx)
}

// relayPatience is longer than a server takes to start.
const relayPatience = time.Minute

// waitAtRelay has the provider reach the cluster that this gateway runs in
// through a relay of ours.
func waitAtRelay(c *static.Configuration) error {
	provider, host, port := c.Providers.KubernetesGateway, os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if provider == nil || provider.Endpoint != "" || host == "" || port == "" {
		return nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("relay to the Kubernetes API: %w", err)
	}
	provider.Endpoint = "https://" + l.Addr().String()
	api := &relay.Relay{API: net.JoinHostPort(host, port), Patience: relayPatience}
	go func() {
		// It lives as long as the program: what is drained still follows the cluster.
		if err := api.Serve(context.Background(), l); err != nil {
			log.Error().Err(err).Msg("The gateway no longer follows the cluster")
		}
	}()
	return nil
}

// supported refuses settings of Traefik that would silently do nothing here.
func supported(c *static.Configuration) error {
	switch {
	case len(c.CertificatesResolvers) > 0:
		return errors.New("certificatesResolvers: this gateway gets no certificates by itself")
	case c.Tracing != nil:
		return errors.New("tracing: not part of this gateway")
	case c.Spiffe != nil:
		return errors.New("spiffe: not part of this gateway")
	case c.Experimental != nil && (len(c.Experimental.Plugins) > 0 || len(c.Experimental.LocalPlugins) > 0):
		return errors.New("plugins: not part of this gateway")
	}
	return nil
}

func setLog(c *static.Configuration) error {
	level := zerolog.ErrorLevel
	if c.Log != nil && c.Log.Level != "" {
		var err error
		if level, err = zerolog.ParseLevel(strings.ToLower(c.Log.Level)); err != nil {
			return fmt.Errorf("log.level: %w", err)
		}
	}
	zerolog.SetGlobalLevel(level)
	log.Logger = zerolog.New(os.Stderr).With().Timestamp().Logger().Level(level)
	zerolog.DefaultContextLogger = &log.Logger
	stdlog.SetFlags(0)
	stdlog.SetOutput(log.Logger)
	return nil
}

// gateway is all that runs.
type gateway struct {
	pool    *safe.Pool
	entries static.EntryPoints
	doors   *doors.Doors[ways]
	watcher *server.ConfigurationWatcher
	ready   chan struct{} // closed when routes are in place
}

// ways are where requests go, by entry point.
type ways struct {
	tcp map[string]*tcprouter.Router
	udp map[string]udp.Handler
}

// patience is how long connections wait for the first routes. A cluster may
// have none yet.
const patience = 15 * time.Second

// run serves until ctx ends, then drains. A connection taken before there are
// routes would be answered with 404.
func (g *gateway) run(ctx context.Context) error {
	g.watcher.Start()
	defer g.pool.Stop()
	if !g.served(ctx) {
		if err := g.doors.Open(); err != nil {
			return err
		}
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-g.ready:
	case <-late.C:
		log.Warn().Msg("No routes yet: serving without")
	case <-ctx.Done():
		return nil
	}
	if err := g.doors.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	g.doors.Stop()
	return nil
}

// served reports whether another gateway serves on the ports of this one.
func (g *gateway) served(ctx context.Context) bool {
	for _, entry := range g.entries {
		if protocol, err := entry.GetProtocol(); err == nil && protocol == "tcp" && doors.Served(ctx, entry.GetAddress()) {
			return true
		}
	}
	return false
}

// openPorts listens at the entry points.
func openPorts(c *static.Configuration, registry metrics.Registry) (doors.Set[ways], error) {
	entryTCP, err := server.NewTCPEntryPoints(c.EntryPoints, c.HostResolver, registry)
	if err != nil {
		return doors.Set[ways]{}, err
	}
	entryUDP, err := server.NewUDPEntryPoints(c.EntryPoints)
	if err != nil {
		return doors.Set[ways]{}, err
	}
	return doors.Set[ways]{
		Switch: func(w ways) { entryTCP.Switch(w.tcp); entryUDP.Switch(w.udp) },
		Start:  func() { entryTCP.Start(); entryUDP.Start() },
		Stop:   func() { entryTCP.Stop(); entryUDP.Stop() },
	}, nil
}

// newServer joins Traefik's parts: providers tell of routes, a watcher gathers
// changes, and each listener below takes over what is its own.
func newServer(c *static.Configuration) (*gateway, error) {
	var logTo io.Writer
	if c.AccessLog != nil {
		logTo, c.AccessLog = os.Stdout, nil // ours instead of Traefik's
	}
	watch := guard.New(logTo)
	if c.Providers.KubernetesGateway != nil {
		c.Providers.KubernetesGateway.SetRouterTransform(teacher{watch.Apps})
	}
	providers := aggregator.NewProviderAggregator(*c.Providers)
	if err := providers.AddProvider(traefik.New(*c)); err != nil {
		return nil, err
	}
	ctx := context.Background() // what is drained still follows the cluster
	pool := safe.NewPool(ctx)
	certs := traefiktls.NewManager(c.OCSP)
	registry := newMetrics(ctx, c)
	observability := middleware.NewObservabilityMgr(*c, registry, nil, nil, nil, nil)
	ports := &doors.Doors[ways]{Make: func() (doors.Set[ways], error) { return openPorts(c, registry) }}
	transports, dialers := service.NewTransportManager(nil), tcp.NewDialerManager(nil)
	var proxies service.ProxyBuilder = httputil.NewProxyBuilder(transports, nil)
	if c.Experimental != nil && c.Experimental.FastProxy != nil {
		proxies = proxy.NewSmartBuilder(transports, proxies, *c.Experimental.FastProxy)
	}
	services := service.NewManagerFactory(*c, pool, observability, transports, proxies, nil)
	routers, err := newRouters(c.EntryPoints, services, observability, certs, dialers)
	if err != nil {
		return nil, err
	}
	fallback, err := newFallback()
	if err != nil {
		return nil, err
	}
	watcher := server.NewConfigurationWatcher(pool, providers, nil, "internal")
	watcher.AddListener(func(conf dynamic.Configuration) {
		certs.UpdateConfigs(context.Background(), fallback.in(conf.TLS.Stores), conf.TLS.Options, conf.TLS.Certificates)
	})
	watcher.AddListener(func(conf dynamic.Configuration) {
		transports.Update(conf.HTTP.ServersTransports)
		proxies.Update(conf.HTTP.ServersTransports)
		dialers.Update(conf.TCP.ServersTransports)
	})
	watcher.AddListener(func(conf dynamic.Configuration) {
		tcpRouters, udpRouters := routers.create(runtime.NewConfig(conf))
		stand(watch, tcpRouters, certs)
		ports.Switch(ways{tcpRouters, udpRouters})
	})
	watcher.AddListener(countReloads(c, registry))
	g := &gateway{pool: pool, entries: c.EntryPoints, doors: ports, watcher: watcher, ready: make(chan struct{})}
	watcher.AddListener(g.awaitRoutes())
	return g, nil
}

// awaitRoutes closes ready with the first configuration that has routes of the
// cluster. The provider tells of all that there are at once.
func (g *gateway) awaitRoutes() func(dynamic.Configuration) {
	var once sync.Once
	return func(conf dynamic.Configuration) {
		for name := range conf.HTTP.Routers {
			if strings.HasSuffix(name, "@kubernetesgateway") {
				once.Do(func() { close(g.ready) })
				return
			}
		}
	}
}

func newMetrics(ctx context.Context, c *static.Configuration) metrics.Registry {
	var all []metrics.Registry
	if c.Metrics != nil && c.Metrics.Prometheus != nil {
		if r := metrics.RegisterPrometheus(ctx, c.Metrics.Prometheus); r != nil {
			all = append(all, r)
		}
	}
	return metrics.NewMultiRegistry(all)
}

func countReloads(c *static.Configuration, r metrics.Registry) func(dynamic.Configuration) {
	var names []string
	for name := range c.EntryPoints {
		names = append(names, name)
	}
	labelled := r.IsEpEnabled() || r.IsRouterEnabled() || r.IsSvcEnabled()
	return func(conf dynamic.Configuration) {
		r.ConfigReloadsCounter().Add(1)
		r.LastConfigReloadSuccessGauge().Set(float64(time.Now().Unix()))
		if labelled {
			metrics.OnConfigurationUpdate(conf, names)
		}
	}
}
