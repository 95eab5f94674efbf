//go:build e2e

package kube

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// TestRealEdge shows an app to the outside in every way on the cluster of
// KUBECONFIG; see TestRealCluster for what else it needs. The gateway's HTTPS
// port is at SLIPWAY_GATEWAY_TLS (127.0.0.1:443).
func TestRealEdge(t *testing.T) {
	t.Parallel()
	r := &realEdge{real: newReal(t, "kubetest-edge"), tls: os.Getenv("SLIPWAY_GATEWAY_TLS")}
	if r.tls == "" {
		r.tls = "127.0.0.1:443"
	}
	r.own, r.www, r.any = r.app.ID+".slipway.localhost", "www."+r.app.ID+".example", "*.any."+r.app.ID+".example"
	for _, step := range []struct {
		name string
		run  func(*realEdge, *testing.T)
	}{
		{"deploy", (*realEdge).deploy},
		{"domain", (*realEdge).domain},
		{"certificate", (*realEdge).certificate},
		{"renewed certificate", (*realEdge).renewed},
		{"redirect", (*realEdge).redirect},
		{"second service", (*realEdge).second},
		{"rules", (*realEdge).rules},
		{"refused", (*realEdge).refused},
		{"many domains", (*realEdge).many},
		{"routing off", (*realEdge).off},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.run(r, t) }) {
			t.FailNow()
		}
	}
}

type realEdge struct {
	*real
	tls           string
	own, www, any string
	x             control.Exposure
}

// ask sends one request through the gateway. It follows no redirect and tells
// the certificate that was served.
func (r *realEdge) ask(scheme, host, path string) (status int, body string, header http.Header, leaf *x509.Certificate, err error) {
	addr := r.gateway
	if scheme == "https" {
		addr = r.tls
	}
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true,
			// Whose certificate it is, the test looks at itself.
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, addr)
			},
		},
	}
	res, err := client.Get(scheme + "://" + host + path)
	if err != nil {
		return 0, "", nil, nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if res.TLS != nil {
		leaf = res.TLS.PeerCertificates[0]
	}
	return res.StatusCode, string(data), res.Header, leaf, err
}

// becomes waits until the gateway, which gathers changes for a moment, answers
// with the status.
func (r *realEdge) becomes(t *testing.T, want int, scheme, host, path string) (body string, header http.Header, leaf *x509.Certificate) {
	t.Helper()
	begin := time.Now()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		var status int
		var err error
		status, body, header, leaf, err = r.ask(scheme, host, path)
		require.NoError(c, err)
		assert.Equal(c, want, status, body)
	}, 10*time.Second, 20*time.Millisecond)
	t.Logf("%s://%s%s: %d after %s", scheme, host, path, want, time.Since(begin).Round(time.Millisecond))
	return body, header, leaf
}

func (r *realEdge) expose(t *testing.T) {
	t.Helper()
	begin := time.Now()
	require.NoError(t, r.c.Expose(t.Context(), r.x))
	t.Logf("exposed in %s", time.Since(begin).Round(time.Millisecond))
}

func (r *realEdge) route(name string) *control.ExposedRoute {
	for i := range r.x.Routes {
		if r.x.Routes[i].Name == name {
			return &r.x.Routes[i]
		}
	}
	return nil
}

func (r *realEdge) deploy(t *testing.T) {
	r.x = r.shown(true)
	d := r.release(same)
	worker := d.Processes[0]
	worker.Ptype, worker.Routed, worker.Served = "worker", false, true
	worker.Env = map[string]string{"PORT": "5000", "DRYCC_APP": r.app.ID, "WORKFLOW_RELEASE": "worker"}
	d.Processes = append(d.Processes, worker)
	d.Exposure = r.x
	r.apply(t, d)
	r.becomes(t, 200, "http", r.own, "/")
	_, _, leaf := r.becomes(t, 200, "https", r.own, "/")
	assert.NoError(t, leaf.VerifyHostname(r.own), "the platform's certificate")
}

func (r *realEdge) domain(t *testing.T) {
	r.becomes(t, 404, "http", r.www, "/")
	r.route(r.app.ID).Hosts = []string{r.own, r.www, r.any}
	r.expose(t)
	r.becomes(t, 200, "http", r.www, "/")
	r.becomes(t, 200, "http", "one"+r.any[1:], "/")
	r.becomes(t, 404, "http", r.any[2:], "/")
}

// pair is a certificate for the names that tests make themselves.
func pair(t *testing.T, domain string, names ...string) control.Pair {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{Organization: []string{"kubetest"}}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return control.Pair{
		Domain: domain, Name: "kubetest",
		Chain: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:   pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}
}

func (r *realEdge) certificate(t *testing.T) {
	www, wild := pair(t, r.www, r.www), pair(t, r.any, r.any)
	wild.Name = "kubetest-any"
	r.x.Certs = []control.Pair{wild, www}
	r.expose(t)
	for host, want := range map[string]control.Pair{r.www: www, "two" + r.any[1:]: wild} {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			status, _, _, leaf, err := r.ask("https", host, "/")
			require.NoError(c, err)
			assert.Equal(c, 200, status)
			assert.NoError(c, leaf.VerifyHostname(host))
			block, _ := pem.Decode(want.Chain)
			assert.Equal(c, block.Bytes, leaf.Raw)
		}, 10*time.Second, 20*time.Millisecond)
	}
	_, _, leaf := r.becomes(t, 200, "https", r.own, "/")
	assert.NoError(t, leaf.VerifyHostname(r.own), "still the platform's")
}

// renewed: the same Secret with another certificate, while requests go on.
func (r *realEdge) renewed(t *testing.T) {
	next := pair(t, r.www, r.www)
	r.x.Certs[1] = next
	r.expose(t)
	block, _ := pem.Decode(next.Chain)
	begin := time.Now()
	for {
		_, _, _, leaf, err := r.ask("https", r.www, "/")
		require.NoError(t, err, "no handshake fails meanwhile")
		if string(leaf.Raw) == string(block.Bytes) {
			break
		}
		require.Less(t, time.Since(begin), 10*time.Second)
	}
}

func (r *realEdge) redirect(t *testing.T) {
	for i := range r.x.Routes {
		r.x.Routes[i].HTTP = false
	}
	r.x.Routes = append(r.x.Routes, control.ExposedRoute{Name: r.app.ID + "-https-redirect", Kind: platform.HTTPRoute,
		Hosts: []string{r.own, r.www}, HTTP: true, Redirect: true})
	r.expose(t)
	for _, host := range []string{r.own, r.www} {
		_, header, _ := r.becomes(t, 301, "http", host, "/a/b?c=d")
		assert.Equal(t, "https://"+host+"/a/b?c=d", header.Get("Location"))
		r.becomes(t, 200, "https", host, "/")
	}
	r.x.Routes = r.x.Routes[:1]
	r.x.Routes[0].HTTP = true
	r.expose(t)
	r.becomes(t, 200, "http", r.www, "/")
}

// second: another process type by a service and a domain of its own.
func (r *realEdge) second(t *testing.T) {
	host, name := "worker."+r.app.ID+".example", r.app.ID+"-worker"
	r.x.Services = append(r.x.Services, control.ExposedService{Name: name, Ptype: "worker",
		Ports: []platform.ServicePort{{Port: 8001, Protocol: "TCP", Target: 5000}}})
	r.x.Routes = append(r.x.Routes, control.ExposedRoute{Name: "sleep", Kind: platform.HTTPRoute, Hosts: []string{host}, HTTP: true,
		Rules: []platform.RouteRule{{Backends: []platform.Backend{{Service: name, Port: 8001}}}}})
	r.expose(t)
	body, _, _ := r.becomes(t, 200, "http", host, "/")
	assert.Contains(t, body, "worker")
	r.becomes(t, 404, "https", host, "/")
}

// rules: paths, headers and filters on the app's own name, beside web's route.
func (r *realEdge) rules(t *testing.T) {
	name := r.app.ID + "-worker"
	backend := []platform.Backend{{Service: name, Port: 8001}}
	r.x.Routes = append(r.x.Routes,
		control.ExposedRoute{Name: "parts", Kind: platform.HTTPRoute, Hosts: []string{r.own}, HTTP: true, HTTPS: true, Rules: []platform.RouteRule{
			{Backends: backend, Matches: []platform.RouteMatch{{Path: &platform.ValueMatch{Value: "/part"}}},
				Filters: []platform.RouteFilter{{Type: platform.FilterResponseHeaders, Headers: &platform.HeaderChange{Set: []platform.NameValue{{Name: "X-Part", Value: "work"}}}}}},
			{Backends: backend, Matches: []platform.RouteMatch{{Headers: []platform.NamedMatch{{Name: "X-Nobody", Value: "sends this"}}}}},
			{Matches: []platform.RouteMatch{{Path: &platform.ValueMatch{Type: "Exact", Value: "/old"}}},
				Filters: []platform.RouteFilter{{Type: platform.FilterRedirect, Redirect: &platform.Redirect{Scheme: "https", Hostname: r.www, Status: 302,
					Path: &platform.PathChange{Type: platform.ReplaceFull, Value: "/new"}}}}},
		}},
		control.ExposedRoute{Name: "calls", Kind: platform.GRPCRoute, Hosts: []string{r.own}, HTTPS: true, Rules: []platform.RouteRule{{
			Backends: backend, Matches: []platform.RouteMatch{{Call: &platform.CallMatch{Service: "kubetest.Echo"}}}}}})
	r.expose(t)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		status, body, header, _, err := r.ask("http", r.own, "/part/1") // web answers until then
		require.NoError(c, err)
		assert.Equal(c, 200, status)
		assert.Contains(c, body, "worker")
		assert.Equal(c, "work", header.Get("X-Part"))
	}, 10*time.Second, 20*time.Millisecond)
	body, _, _ := r.becomes(t, 200, "http", r.own, "/partly")
	assert.NotContains(t, body, "worker")
	_, header, _ := r.becomes(t, 302, "http", r.own, "/old")
	assert.Equal(t, "https://"+r.www+"/new", header.Get("Location"))
}

// refused: what the cluster does not take is said, and what was there stays.
func (r *realEdge) refused(t *testing.T) {
	bad, host := r.x, "bad."+r.app.ID+".example"
	bad.Certs = append(slices.Clone(r.x.Certs), control.Pair{Domain: host, Name: "bad", Chain: []byte("no certificate"), Key: []byte("no key")})
	r.c.patience.route = 10 * time.Second
	err := r.c.Expose(t.Context(), bad)
	r.c.patience.route = defaultPatience().route
	t.Log(err)
	assert.Equal(t, platform.Invalid, platform.CodeOf(err))
	assert.ErrorContains(t, err, host)
	r.becomes(t, 200, "http", r.www, "/")
	r.expose(t)
}

func (r *realEdge) many(t *testing.T) {
	web := r.route(r.app.ID)
	keep := web.Hosts
	for i := range 40 {
		web.Hosts = append(web.Hosts, string(rune('a'+i%26))+"-"+string(rune('a'+i/26))+"."+r.app.ID+".example")
	}
	r.expose(t)
	r.becomes(t, 200, "http", web.Hosts[len(web.Hosts)-1], "/")
	r.becomes(t, 200, "http", r.own, "/")
	gone := web.Hosts[len(web.Hosts)-1]
	web.Hosts = keep
	r.expose(t)
	r.becomes(t, 404, "http", gone, "/")
}

func (r *realEdge) off(t *testing.T) {
	r.x.Routes, r.x.Certs = nil, nil
	r.expose(t)
	r.becomes(t, 404, "http", r.own, "/")
	r.becomes(t, 404, "http", r.www, "/")
	assert.Empty(t, r.gateways(t))
}

// gateways lists those of the app's own.
func (r *realEdge) gateways(t *testing.T) (names []string) {
	source := r.c.gateways(r.app.ID)
	list, _, err := source.list(t.Context(), source.opts)
	require.NoError(t, err)
	for _, g := range list {
		names = append(names, g.Name)
	}
	return names
}
