package main

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/traefik/traefik/v3/pkg/config/runtime"
	"github.com/traefik/traefik/v3/pkg/config/static"
	httpmuxer "github.com/traefik/traefik/v3/pkg/muxer/http"
	"github.com/traefik/traefik/v3/pkg/server/middleware"
	tcpmiddleware "github.com/traefik/traefik/v3/pkg/server/middleware/tcp"
	"github.com/traefik/traefik/v3/pkg/server/router"
	tcprouter "github.com/traefik/traefik/v3/pkg/server/router/tcp"
	udprouter "github.com/traefik/traefik/v3/pkg/server/router/udp"
	"github.com/traefik/traefik/v3/pkg/server/service"
	tcpservice "github.com/traefik/traefik/v3/pkg/server/service/tcp"
	udpservice "github.com/traefik/traefik/v3/pkg/server/service/udp"
	"github.com/traefik/traefik/v3/pkg/tcp"
	traefiktls "github.com/traefik/traefik/v3/pkg/tls"
	"github.com/traefik/traefik/v3/pkg/udp"

	"github.com/slipway-paas/slipway/embedded/src/traefik/vhost"
)

// routers makes the handlers of all entry points from a configuration. It
// differs from Traefik's own factory in that requests are sorted by their host
// first (package vhost), and connections by name only where that decides
// something.
type routers struct {
	tcpEntries, udpEntries []string

	services      *service.ManagerFactory
	observability *middleware.ObservabilityMgr
	certs         *traefiktls.Manager
	dialers       *tcp.DialerManager
	parser        httpmuxer.SyntaxParser
	rules         map[string]*vhost.Rules // by entry point and whether it is the side with TLS

	stop func() // ends the health checks of the configuration before
}

func newRouters(entries static.EntryPoints, services *service.ManagerFactory, observability *middleware.ObservabilityMgr,
	certs *traefiktls.Manager, dialers *tcp.DialerManager) (*routers, error) {
	parser, err := httpmuxer.NewSyntaxParser()
	if err != nil {
		return nil, err
	}
	f := &routers{
		services: services, observability: observability, certs: certs, dialers: dialers, parser: parser,
		rules: map[string]*vhost.Rules{}, stop: func() {},
	}
	for name, entry := range entries {
		protocol, err := entry.GetProtocol()
		if err != nil {
			return nil, err
		}
		if protocol == "udp" {
			f.udpEntries = append(f.udpEntries, name)
			continue
		}
		f.tcpEntries = append(f.tcpEntries, name)
		for _, tls := range []bool{false, true} {
			if f.rules[side(name, tls)], err = vhost.NewRules(); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

func side(entry string, tls bool) string {
	if tls {
		return entry + " with TLS"
	}
	return entry
}

// create builds the handlers. Those of the configuration before serve on until
// they are replaced; only their health checks end.
func (f *routers) create(conf *runtime.Configuration) (map[string]*tcprouter.Router, map[string]udp.Handler) {
	f.stop()
	var ctx context.Context
	ctx, f.stop = context.WithCancel(context.Background())

	services := f.services.Build(conf)
	chains := middleware.NewBuilder(conf.Middlewares, services, nil)
	f.manager(conf, services, chains).ParseRouterTree()
	plain := f.handlers(ctx, conf, services, chains, false)
	secure := f.handlers(ctx, conf, services, chains, true)
	services.LaunchHealthCheck(ctx)

	named := *conf
	named.Routers = decisive(conf)
	streams := tcpservice.NewManager(conf, f.dialers)
	streamChains := tcpmiddleware.NewBuilder(conf.TCPMiddlewares)
	tcpRouters := tcprouter.NewManager(&named, streams, streamChains, plain, secure, f.certs).BuildHandlers(ctx, f.tcpEntries)
	for _, r := range tcpRouters {
		r.EnableACMETLSPassthrough() // this gateway answers no challenges by itself
	}
	streams.LaunchHealthCheck(ctx)
	udpRouters := udprouter.NewManager(conf, udpservice.NewManager(conf)).BuildHandlers(ctx, f.udpEntries)
	return tcpRouters, udpRouters
}

func (f *routers) manager(conf *runtime.Configuration, services *service.Manager, chains *middleware.Builder) *router.Manager {
	return router.NewManager(conf, services, chains, f.observability, f.certs, f.parser)
}

// handlers are those of HTTP, by entry point.
func (f *routers) handlers(ctx context.Context, conf *runtime.Configuration, services *service.Manager, chains *middleware.Builder,
	tls bool) map[string]http.Handler {
	all := map[string]http.Handler{}
	children := map[string]*runtime.RouterInfo{} // of routers, which they are reached through
	for name, r := range conf.Routers {
		if len(r.ParentRefs) > 0 {
			children[name] = r
		}
	}
	found := conf.GetRoutersByEntryPoints(ctx, f.tcpEntries, tls)
	for _, entry := range f.tcpEntries {
		rules := map[string]string{}
		for name, r := range found[entry] {
			rules[name] = r.Rule
		}
		build := func(names []string) http.Handler {
			part := *conf
			part.Routers = maps.Clone(children)
			for _, name := range names {
				part.Routers[name] = only(found[entry][name], entry)
			}
			return f.manager(&part, services, chains).BuildHandlers(ctx, []string{entry}, tls)[entry]
		}
		all[entry] = vhost.NewHandler(f.rules[side(entry, tls)].Split(rules), build)
	}
	return all
}

// only is a router at one entry point. What goes wrong with it is in the log.
func only(r *runtime.RouterInfo, entry string) *runtime.RouterInfo {
	copied := *r.Router
	copied.EntryPoints = []string{entry}
	return &runtime.RouterInfo{Router: &copied, Status: r.Status}
}

// decisive are the routers whose names may decide what becomes of a connection
// before its first request: where whole connections are handed over by their
// names too, and those with TLS options of their own. All others have the
// default, and the table of names that Traefik would make of them, and walk
// through for each connection, says nothing.
func decisive(conf *runtime.Configuration) map[string]*runtime.RouterInfo {
	handed := map[string]bool{}
	for _, r := range conf.TCPRouters {
		for _, entry := range r.EntryPoints {
			handed[entry] = handed[entry] || r.TLS != nil
		}
	}
	options := func(r *runtime.RouterInfo) bool {
		return r.TLS != nil && r.TLS.Options != "" && r.TLS.Options != traefiktls.DefaultTLSConfigName
	}
	if slices.ContainsFunc(slices.Collect(maps.Values(conf.Routers)), options) {
		return conf.Routers // options of the same name have to agree
	}
	kept := map[string]*runtime.RouterInfo{}
	for name, r := range conf.Routers {
		if slices.ContainsFunc(r.EntryPoints, func(entry string) bool { return handed[entry] }) {
			kept[name] = r
		}
	}
	return kept
}
