package kube

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// webExposure is what the app hello shows by itself.
func webExposure() control.Exposure {
	weight := 100
	return control.Exposure{
		App: platform.App{ID: "hello", Workspace: "acme1"}, HTTPSPort: 443,
		Services: []control.ExposedService{{Name: "hello", Ptype: "web", Ports: []platform.ServicePort{{Port: 80, Protocol: "TCP"}}}},
		Routes: []control.ExposedRoute{{
			Name: "hello", Kind: platform.HTTPRoute, Hosts: []string{"hello.slipway.localhost"}, HTTP: true, HTTPS: true,
			Rules: []platform.RouteRule{{Backends: []platform.Backend{{Service: "hello", Port: 80, Weight: &weight}}}},
		}},
	}
}

func edgeList(o EdgeObjects) (all []any) {
	for _, x := range o.Services {
		all = append(all, x)
	}
	if o.Controller != nil {
		all = append(all, o.Controller)
	}
	for _, x := range o.Secrets {
		all = append(all, x)
	}
	for _, x := range o.Gateways {
		all = append(all, x)
	}
	for _, x := range o.HTTPRoutes {
		all = append(all, x)
	}
	for _, x := range o.GRPCRoutes {
		all = append(all, x)
	}
	for _, x := range o.TCPRoutes {
		all = append(all, x)
	}
	for _, x := range o.TLSRoutes {
		all = append(all, x)
	}
	return all
}

// fullExposure has domains with certificates, a redirect, a second service, and
// every part of a rule.
func fullExposure() control.Exposure {
	x := webExposure()
	backend := []platform.Backend{{Service: "hello-worker", Port: 8001}}
	x.Services = append(x.Services, control.ExposedService{Name: "hello-worker", Ptype: "worker", Ports: []platform.ServicePort{
		{Port: 8001, Protocol: "TCP", Target: 9001}, {Port: 5353, Protocol: "UDP", Target: 53}}})
	x.Certs = []control.Pair{
		{Domain: "*.example.com", Name: "example", Chain: []byte("chain"), Key: []byte("key")},
		{Domain: "auto.example.org", Chain: []byte("leaf"), Key: []byte("leaf key")},
		{Domain: "www.example.com", Name: "example", Chain: []byte("chain"), Key: []byte("key")},
		{Domain: "www.example.net", Name: "example", Chain: []byte("another"), Key: []byte("its key")},
	}
	hosts := []string{"hello.slipway.localhost", "www.example.com"}
	x.Routes[0].Hosts, x.Routes[0].HTTP = hosts, false
	x.Routes = append(x.Routes,
		control.ExposedRoute{Name: "api", Kind: platform.HTTPRoute, Hosts: hosts, HTTPS: true, Rules: []platform.RouteRule{
			{
				Name: "api", Backends: backend,
				Matches: []platform.RouteMatch{{
					Path: &platform.ValueMatch{Value: "/api"}, Method: "GET",
					Headers: []platform.NamedMatch{{Name: "X-Team", Value: "blue"}, {Type: "RegularExpression", Name: "X-Id", Value: "[0-9]+"}},
					Query:   []platform.NamedMatch{{Name: "debug", Value: "1"}},
				}},
				Filters: []platform.RouteFilter{
					{Type: "RequestHeaderModifier", Headers: &platform.HeaderChange{Set: []platform.NameValue{{Name: "X-A", Value: "1"}}, Remove: []string{"X-B"}}},
					{Type: "ResponseHeaderModifier", Headers: &platform.HeaderChange{Add: []platform.NameValue{{Name: "X-C", Value: "2"}}}},
					{Type: "URLRewrite", Rewrite: &platform.Rewrite{Hostname: "inner.example.com", Path: &platform.PathChange{Type: "ReplacePrefixMatch", Value: "/v2"}}},
				},
			},
			{
				Matches: []platform.RouteMatch{{Path: &platform.ValueMatch{Type: "Exact", Value: "/old"}}},
				Filters: []platform.RouteFilter{{Type: "RequestRedirect", Redirect: &platform.Redirect{
					Scheme: "https", Hostname: "new.example.com", Port: 8443, Status: 301,
					Path: &platform.PathChange{Type: "ReplaceFullPath", Value: "/new"}}}},
			},
		}},
		control.ExposedRoute{Name: "calls", Kind: platform.GRPCRoute, Hosts: hosts, HTTP: true, HTTPS: true, Rules: []platform.RouteRule{{
			Backends: backend,
			Matches:  []platform.RouteMatch{{Call: &platform.CallMatch{Service: "acme.Orders", Method: "Place"}, Headers: []platform.NamedMatch{{Name: "x-team", Value: "blue"}}}},
			Filters:  []platform.RouteFilter{{Type: "RequestHeaderModifier", Headers: &platform.HeaderChange{Remove: []string{"x-b"}}}},
		}}},
		control.ExposedRoute{Name: "hello-https-redirect", Kind: platform.HTTPRoute, Hosts: hosts, HTTP: true, Redirect: true},
	)
	return x
}

// portsExposure has ports beside the usual two, of every protocol.
func portsExposure() control.Exposure {
	x := webExposure()
	db := []platform.RouteRule{{Backends: []platform.Backend{{Service: "hello-db", Port: 5432}}}}
	x.Services = append(x.Services, control.ExposedService{Name: "hello-db", Ptype: "db", Ports: []platform.ServicePort{{Port: 5432, Protocol: "TCP", Target: 5432}}})
	x.Routes[0].Ports = []platform.GatewayPort{{Port: 8080, Protocol: "HTTP"}, {Port: 8443, Protocol: "HTTPS"}}
	x.Routes = append(x.Routes,
		control.ExposedRoute{Name: "pg", Kind: platform.TCPRoute, Rules: db, Ports: []platform.GatewayPort{{Port: 5432, Protocol: "TCP"}}},
		control.ExposedRoute{Name: "pgs", Kind: platform.TLSRoute, Hosts: []string{"db.example.com"}, Rules: db,
			Ports: []platform.GatewayPort{{Port: 443, Protocol: "TLS"}, {Port: 6443, Protocol: "TLS"}}})
	return x
}

func TestRenderEdgeGolden(t *testing.T) {
	many := webExposure()
	many.HTTPSPort = 8443
	for i := range 20 {
		many.Routes[0].Hosts = append(many.Routes[0].Hosts, fmt.Sprintf("d%02d.example.com", i))
	}
	many.Routes = append(many.Routes, control.ExposedRoute{Name: "hello-https-redirect", Kind: platform.HTTPRoute,
		Hosts: many.Routes[0].Hosts[:1], HTTP: true, Redirect: true})
	asked := webExposure()
	asked.Routes = []control.ExposedRoute{{Name: "hello-https-redirect", Kind: platform.HTTPRoute, Hosts: []string{"d00.example.com"}, HTTP: true, Redirect: true}}
	for i := range 20 {
		asked.Challenges = append(asked.Challenges, fmt.Sprintf("d%02d.example.com", i))
	}
	for name, x := range map[string]control.Exposure{"edge-full": fullExposure(), "edge-many": many, "edge-challenges": asked, "edge-ports": portsExposure()} {
		t.Run(name, func(t *testing.T) {
			s := oneNode()
			s.Controller = netip.MustParseAddrPort("192.0.2.10:9580")
			got := writeYAML(t, edgeList(RenderEdge(x, s)))
			path := filepath.Join("testdata", name+".golden.yaml")
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
}

// One Gateway has room for 64 listeners.
func TestManyCertificatesTakeSeveralGateways(t *testing.T) {
	x := webExposure()
	for i := range 130 {
		x.Certs = append(x.Certs, control.Pair{Domain: fmt.Sprintf("d%03d.example.com", i), Name: "c", Chain: []byte("chain")})
	}
	o := RenderEdge(x, oneNode())
	require.Len(t, o.Secrets, 1)
	assert.Equal(t, "hello", o.Gateways[0].Name)
	listeners := 0
	for _, g := range o.Gateways {
		assert.LessOrEqual(t, len(g.Spec.Listeners), 64)
		listeners += len(g.Spec.Listeners)
	}
	assert.Equal(t, 130, listeners)
}
