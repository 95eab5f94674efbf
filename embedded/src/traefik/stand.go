package main

import (
	"context"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	tcprouter "github.com/traefik/traefik/v3/pkg/server/router/tcp"
	traefiktls "github.com/traefik/traefik/v3/pkg/tls"
	"k8s.io/apimachinery/pkg/runtime"
	gatev1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/slipway-paas/slipway/embedded/src/traefik/guard"
)

// adminEntry is the entry point of health and metrics, on the node's address.
const adminEntry = "admin"

// stand puts the guard in front of the handlers of all public entry points.
func stand(g *guard.Guard, routers map[string]*tcprouter.Router, certs *traefiktls.Manager) {
	for entry, r := range routers {
		if entry == adminEntry {
			continue
		}
		if h := r.GetHTTPHandler(); h != nil {
			r.SetHTTPHandler(g.Wrap(h))
		}
		h := r.GetHTTPSHandler()
		if h == nil {
			continue
		}
		// The same configuration that the router factory has set: the router
		// does not tell it.
		config, err := certs.Get(traefiktls.DefaultTLSStoreName, traefiktls.DefaultTLSConfigName)
		if err != nil {
			config = nil // closed, as the router factory leaves it
		}
		r.SetHTTPSHandler(g.Wrap(h), config)
	}
}

// elsewhere is the middleware, in the file that the chart brings, that has a
// request which reached no pod tried at another one.
const elsewhere = "elsewhere@file"

// teacher tells the guard of the hosts of every HTTPRoute. An app's objects are
// in the namespace of its name.
//
// It also has requests tried again when the pod they were for cannot be
// connected to. Kubernetes notices only after most of a minute that a node is
// gone, and until then its pods are among those that are asked in turn. A request
// of which anything was sent is never sent again.
type teacher struct{ apps *guard.Apps }

// Apply is called by Traefik for each rule of an HTTPRoute or GRPCRoute.
func (t teacher) Apply(_ context.Context, router *dynamic.Router, object runtime.Object) error {
	router.Middlewares = append(router.Middlewares, elsewhere)
	if route, ok := object.(*gatev1.HTTPRoute); ok {
		for _, h := range route.Spec.Hostnames {
			t.apps.Learn(string(h), route.Namespace)
		}
	}
	return nil
}
