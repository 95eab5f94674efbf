//go:build e2e

package kube

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// TestRealGateway talks through the gateway of the cluster of KUBECONFIG in
// every protocol. The backend is this process: it needs to run on the node.
// See TestRealEdge for addresses. SLIPWAY_GATEWAY_TCP and SLIPWAY_GATEWAY_PASS
// are ports that SLIPWAY_GATEWAY_PORTS has opened for TCP and TLS; without them
// these steps are left out.
func TestRealGateway(t *testing.T) {
	r := &realGateway{realEdge: realEdge{real: realApp(t, "kubetest-door", "kubetest", usual)}}
	r.gateway, r.tls = orElse("SLIPWAY_GATEWAY", "127.0.0.1:80"), orElse("SLIPWAY_GATEWAY_TLS", "127.0.0.1:443")
	r.own, r.www = r.app.ID+".slipway.localhost", "www."+r.app.ID+".example"
	r.begin(t)
	for _, step := range []struct {
		name string
		run  func(*realGateway, *testing.T)
	}{
		{"websocket", (*realGateway).websocket},
		{"HTTP/2", (*realGateway).http2},
		{"gRPC", (*realGateway).grpc},
		{"another host than the connection's", (*realGateway).misdirected},
		{"unknown host", (*realGateway).unknown},
		{"what clients claim", (*realGateway).claims},
		{"smuggling", (*realGateway).smuggling},
		{"headers", (*realGateway).headers},
		{"slow clients", (*realGateway).slow},
		{"1 GB", (*realGateway).upload},
		{"TLS", (*realGateway).versions},
		{"50 renewals", (*realGateway).renewals},
		{"TCP", (*realGateway).tcp},
		{"TLS passed through", (*realGateway).passed},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(r, t) })
	}
}

func orElse(name, value string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return value
}

type realGateway struct {
	realEdge
	seen chan http.Header // of requests for /claims
}

// backend makes a Service of the app that leads to a listener of this process.
func (r *realGateway) backend(t *testing.T, name string, port int, l net.Listener) {
	t.Helper()
	nodes, err := r.c.core.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	address := ""
	for _, a := range nodes.Items[0].Status.Addresses {
		if a.Type == corev1.NodeInternalIP && net.ParseIP(a.Address).To4() != nil {
			address = a.Address
		}
	}
	_, err = apply(t.Context(), r.c.core.CoreV1().Services(r.app.ID), &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.app.ID},
		Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "main", Port: int32(port), Protocol: corev1.ProtocolTCP}}}})
	require.NoError(t, err)
	_, err = apply(t.Context(), r.c.core.DiscoveryV1().EndpointSlices(r.app.ID), &discoveryv1.EndpointSlice{
		TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.app.ID, Labels: map[string]string{
			discoveryv1.LabelServiceName: name, discoveryv1.LabelManagedBy: "kubetest"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: ptr(true)}}},
		Ports: []discoveryv1.EndpointPort{{Name: ptr("main"), Protocol: ptr(corev1.ProtocolTCP),
			Port: ptr(int32(l.Addr().(*net.TCPAddr).Port))}}})
	require.NoError(t, err)
}

func (r *realGateway) begin(t *testing.T) {
	r.seen = make(chan http.Header, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
	mux.HandleFunc("/claims", func(_ http.ResponseWriter, q *http.Request) { r.seen <- q.Header.Clone() })
	mux.HandleFunc("/take", func(w http.ResponseWriter, q *http.Request) {
		n, err := io.Copy(io.Discard, q.Body)
		fmt.Fprintln(w, n, err)
	})
	mux.HandleFunc("/socket", func(w http.ResponseWriter, q *http.Request) {
		c, err := (&websocket.Upgrader{}).Upgrade(w, q, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, data, err := c.ReadMessage()
			if err != nil || c.WriteMessage(kind, data) != nil {
				return
			}
		}
	})
	mux.HandleFunc("/kubetest.Echo/Say", func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		_, _ = io.Copy(w, q.Body)
		w.Header().Set("Grpc-Status", strconv.Itoa(2-q.ProtoMajor))
	})
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	s := &http.Server{Handler: mux, Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	r.backend(t, "door", 80, l)
	rules := []platform.RouteRule{{Backends: []platform.Backend{{Service: "door", Port: 80}}}}
	calls := []platform.RouteRule{{Backends: rules[0].Backends, Matches: []platform.RouteMatch{{Call: &platform.CallMatch{Service: "kubetest.Echo"}}}}}
	r.x = control.Exposure{App: r.app, HTTPSPort: 443, Certs: []control.Pair{pair(t, r.www, r.www)}, Routes: []control.ExposedRoute{
		{Name: r.app.ID, Kind: platform.HTTPRoute, Hosts: []string{r.own, r.www}, HTTP: true, HTTPS: true, Rules: rules},
		{Name: "calls", Kind: platform.GRPCRoute, Hosts: []string{r.own}, HTTP: true, HTTPS: true, Rules: calls},
	}}
	r.expose(t)
	for _, scheme := range []string{"http", "https"} {
		r.becomes(t, 200, scheme, r.own, "/")
		r.becomes(t, 200, scheme, r.www, "/")
	}
}

// client speaks to the gateway whatever the name in the address; sni is the
// name that the connection is opened for.
func (r *realGateway) client(t *testing.T, sni string) *http.Client {
	tr := &http.Transport{
		ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: sni},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			to := r.gateway
			if _, port, _ := net.SplitHostPort(addr); port == "443" {
				to = r.tls
			}
			return new(net.Dialer).DialContext(ctx, network, to)
		},
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func (r *realGateway) websocket(t *testing.T) {
	for _, scheme := range []string{"ws", "wss"} {
		d := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
			NetDial: func(string, string) (net.Conn, error) {
				return net.Dial("tcp", map[string]string{"ws": r.gateway, "wss": r.tls}[scheme])
			}}
		c, res, err := d.Dial(scheme+"://"+r.own+"/socket", nil)
		require.NoError(t, err, scheme)
		assert.Equal(t, 101, res.StatusCode)
		for i := range 10 {
			text := fmt.Sprint("message ", i)
			require.NoError(t, c.WriteMessage(websocket.TextMessage, []byte(text)))
			_, data, err := c.ReadMessage()
			require.NoError(t, err)
			assert.Equal(t, text, string(data))
		}
		require.NoError(t, c.Close())
	}
}

func (r *realGateway) http2(t *testing.T) {
	res, err := r.client(t, "").Get("https://" + r.own + "/")
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, "HTTP/2.0", res.Proto)
	assert.Equal(t, 200, res.StatusCode)
}

// grpc: a call as gRPC writes it, a frame in and a frame out, with the status
// in the trailers. The backend speaks HTTP/2 without TLS only.
func (r *realGateway) grpc(t *testing.T) {
	frame := append([]byte{0, 0, 0, 0, 5}, "hello"...)
	require.EventuallyWithT(t, func(c *assert.CollectT) { // the HTTPRoute answers until the gateway has the other
		in, out := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), "POST", "https://"+r.own+"/kubetest.Echo/Say", in)
		require.NoError(c, err)
		req.Header.Set("Content-Type", "application/grpc")
		req.Header.Set("Te", "trailers")
		go func() { _, _ = out.Write(frame); _ = out.Close() }()
		res, err := r.client(t, "").Do(req)
		require.NoError(c, err)
		defer res.Body.Close()
		data, err := io.ReadAll(res.Body)
		require.NoError(c, err)
		assert.Equal(c, frame, data)
		assert.Equal(c, "0", res.Trailer.Get("Grpc-Status"), "%v %v", res.Status, res.Trailer)
	}, 10*time.Second, 50*time.Millisecond)
}

// misdirected: a connection belongs to the host that it was opened for, whether
// the other one is the same app's, another tenant's or nobody's.
func (r *realGateway) misdirected(t *testing.T) {
	for _, host := range []string{r.www, "drycc.slipway.localhost", "nobody.example"} {
		for _, proto := range []string{"HTTP/2.0", "HTTP/1.1"} {
			c := r.client(t, r.own)
			if proto == "HTTP/1.1" {
				c.Transport.(*http.Transport).ForceAttemptHTTP2 = false
			}
			res, err := c.Get("https://" + host + "/")
			require.NoError(t, err)
			body, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			assert.Equal(t, proto, res.Proto)
			assert.Equal(t, http.StatusMisdirectedRequest, res.StatusCode, host)
			assert.NotContains(t, string(body), "localhost")
		}
	}
	for _, host := range []string{r.own + ":443", r.own + ".", "KUBETEST" + r.own[8:]} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+r.own+"/", nil)
		require.NoError(t, err)
		req.Host = host
		res, err := r.client(t, r.own).Do(req)
		require.NoError(t, err)
		_ = res.Body.Close()
		assert.NotEqual(t, http.StatusMisdirectedRequest, res.StatusCode, host)
	}
}

func (r *realGateway) unknown(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		body, header, _ := r.becomes(t, 404, scheme, "nobody.example", "/")
		assert.Equal(t, "404 page not found\n", body)
		for _, name := range []string{"Server", "X-Powered-By", "Via"} {
			assert.Empty(t, header.Get(name))
		}
	}
}

// claims: what a client says of who it is and where it comes from is replaced.
func (r *realGateway) claims(t *testing.T) {
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+r.own+"/claims", nil)
	require.NoError(t, err)
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server",
		"X-Forwarded-Prefix", "X-Forwarded-Tls-Client-Cert", "X-Forwarded-Tls-Client-Cert-Info", "X-Real-Ip"} {
		req.Header.Set(name, "203.0.113.99")
	}
	res, err := r.client(t, "").Do(req)
	require.NoError(t, err)
	_ = res.Body.Close()
	got := <-r.seen
	for name, values := range got {
		assert.NotContains(t, values, "203.0.113.99", name)
	}
	assert.Equal(t, "http", got.Get("X-Forwarded-Proto"))
	assert.Equal(t, r.own, got.Get("X-Forwarded-Host"))
	assert.NotEmpty(t, net.ParseIP(got.Get("X-Forwarded-For")))
	select {
	case <-r.seen:
		t.Error("a second request")
	case <-time.After(0):
	}
}
