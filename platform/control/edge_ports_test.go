package control_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// openPorts are what the gateway has open beside the usual.
func openPorts(o *control.Options) {
	o.Ports = append(control.DefaultPorts(), platform.GatewayPort{Port: 8080, Protocol: "HTTP"}, platform.GatewayPort{Port: 8443, Protocol: "HTTPS"},
		platform.GatewayPort{Port: 5432, Protocol: "TCP"}, platform.GatewayPort{Port: 5433, Protocol: "TCP"}, platform.GatewayPort{Port: 6443, Protocol: "TLS"})
}

func (k *kit) gateway(name string, ports ...platform.GatewayPort) error {
	_, _, err := k.SaveGateway(k.t.Context(), k.alice, app, name, ports)
	return err
}

func stream(kind, name, gateway string, port int, services ...string) control.NewRoute {
	n := control.NewRoute{Name: name, Kind: kind, Parents: []platform.ParentRef{{Name: gateway, Port: port}}, Rules: []platform.RouteRule{{}}}
	for _, s := range services {
		n.Rules[0].Backends = append(n.Rules[0].Backends, platform.Backend{Service: s, Port: 5432})
	}
	return n
}

func withPorts(t *testing.T) *kit {
	k := newKit(t)
	k.renew(openPorts)
	k.run()
	k.create(app)
	k.deploy("img:1", "web", "data")
	k.service("data", 5432)
	k.settle()
	return k
}

const webLine = "hello: http https hello.example.test → hello:80"

func TestTCPRoute(t *testing.T) {
	t.Parallel()
	k := withPorts(t)
	require.Equal(t, []string{webLine}, k.shown(), "more ports are nobody's by themselves")
	require.NoError(t, k.gateway("pg", platform.GatewayPort{Port: 5432, Protocol: "TCP"}))
	k.saveRoute(stream(platform.TCPRoute, "pg", "pg", 5432, "data"))
	require.Equal(t, []string{webLine, "pg: TCP/5432  → hello-data:5432"}, k.shown())

	_, _, err := k.SaveRoute(t.Context(), k.alice, app, stream(platform.TCPRoute, "second", "pg", 5432, "data"))
	require.ErrorContains(t, err, "this listener has already been referenced")
	_, _, err = k.SaveRoute(t.Context(), k.alice, app, stream(platform.TCPRoute, "second", app, 80, "data"))
	require.ErrorContains(t, err, "listener does not exist")
	_, _, err = k.SaveRoute(t.Context(), k.alice, app, stream(platform.HTTPRoute, "second", "pg", 5432, "data"))
	require.ErrorContains(t, err, "listener does not exist")
	require.ErrorContains(t, k.gateway("more", platform.GatewayPort{Port: 9999, Protocol: "TCP"}), "SLIPWAY_GATEWAY_PORTS")

	// Without the port the route leads nowhere; with enforced HTTPS it stays.
	on := true
	k.tls(control.TLSChange{HTTPSEnforced: &on})
	require.Equal(t, []string{"hello: https hello.example.test → hello:80", "pg: TCP/5432  → hello-data:5432",
		"hello-https-redirect: http redirect hello.example.test"}, k.shown())
	require.NoError(t, k.DeleteGateway(t.Context(), k.alice, app, "pg"))
	require.Len(t, k.shown(), 2)
}

func TestPortOfAnotherApp(t *testing.T) {
	t.Parallel()
	k := withPorts(t)
	k.create("other")
	_, _, err := k.SaveGateway(t.Context(), k.alice, "other", "pg", []platform.GatewayPort{{Port: 5432, Protocol: "TCP"}})
	require.NoError(t, err)
	err = k.gateway("pg", platform.GatewayPort{Port: 5432, Protocol: "TCP"})
	require.ErrorContains(t, err, "port 5432 (TCP) is taken by another app")
	require.NoError(t, k.gateway("pg", platform.GatewayPort{Port: 5433, Protocol: "TCP"}))
	_, _, err = k.SaveRoute(t.Context(), k.alice, "other", stream(platform.TCPRoute, "pg", "front", 5432, "data"))
	require.Error(t, err, "nor its gateway")
}

func TestTLSRoute(t *testing.T) {
	t.Parallel()
	k := withPorts(t)
	require.NoError(t, k.gateway("tls", platform.GatewayPort{Port: 443, Protocol: "TLS"}, platform.GatewayPort{Port: 6443, Protocol: "TLS"}))
	_, _, err := k.SaveRoute(t.Context(), k.alice, app, stream(platform.TLSRoute, "pg", "tls", 443, "data"))
	require.ErrorContains(t, err, "needs host names of its own", "the app's own name is web's")
	k.saveRoute(stream(platform.TLSRoute, "pg", "tls", 6443, "data"))
	require.Equal(t, []string{webLine, "pg: TLS/6443 hello.example.test → hello-data:5432"}, k.shown())
	k.domain("db.example.com", "data")
	require.NoError(t, k.AttachRoute(t.Context(), k.alice, app, "pg", platform.ParentRef{Name: "tls", Port: 443}))
	require.Equal(t, []string{webLine, "pg: TLS/443 TLS/6443 db.example.com → hello-data:5432"}, k.shown())
	_, err = k.FindRoute(t.Context(), k.alice, app, "pg")
	require.NoError(t, err)
	require.NoError(t, k.RemoveDomain(t.Context(), k.alice, app, "db.example.com"))
	require.Equal(t, []string{webLine}, k.shown(), "it does not take web's name")
}

func TestMoreHTTPPorts(t *testing.T) {
	t.Parallel()
	k := withPorts(t)
	require.NoError(t, k.gateway("more", platform.GatewayPort{Port: 8080, Protocol: "HTTP"}, platform.GatewayPort{Port: 8443, Protocol: "HTTPS"}))
	for _, port := range []int{8080, 8443} {
		require.NoError(t, k.AttachRoute(t.Context(), k.alice, app, app, platform.ParentRef{Name: "more", Port: port}))
	}
	require.Equal(t, []string{"hello: http https HTTP/8080 HTTPS/8443 hello.example.test → hello:80"}, k.shown())
	on := true
	k.tls(control.TLSChange{HTTPSEnforced: &on})
	require.Equal(t, []string{"hello: https HTTPS/8443 hello.example.test → hello:80",
		"hello-https-redirect: http HTTP/8080 redirect hello.example.test"}, k.shown())
}
