package control_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// authority signs for 90 days by the kit's clock.
type authority struct {
	clock *clock
	err   error
	asked []string
}

func (a *authority) Certify(_ context.Context, names []string) (chain, key []byte, err error) {
	a.asked = append(a.asked, names...)
	if a.err != nil {
		return nil, nil, a.err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotBefore: a.clock.Now(), NotAfter: a.clock.Now().AddDate(0, 0, 90)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), err
}

func (k *kit) domain(name, ptype string) {
	k.t.Helper()
	_, err := k.AddDomain(k.t.Context(), k.alice, app, name, ptype)
	require.NoError(k.t, err)
}

func (k *kit) service(ptype string, port int) {
	k.t.Helper()
	_, err := k.AddServicePort(k.t.Context(), k.alice, app, ptype, platform.ServicePort{Port: port, Protocol: "TCP", Target: port})
	require.NoError(k.t, err)
}

func (k *kit) tls(ch control.TLSChange) {
	k.t.Helper()
	_, err := k.ChangeTLS(k.t.Context(), k.alice, app, ch)
	require.NoError(k.t, err)
}

func (k *kit) saveRoute(n control.NewRoute) {
	k.t.Helper()
	_, _, err := k.SaveRoute(k.t.Context(), k.alice, app, n)
	require.NoError(k.t, err)
}

// furnish gives the app one of each, called have.
func (k *kit) furnish() {
	k.t.Helper()
	for _, host := range []string{"have.example.com", "other.example.com"} {
		k.domain(host, "web")
	}
	chain, key, err := (&authority{clock: k.clock}).Certify(k.t.Context(), []string{"have.example.com", "other.example.com"})
	require.NoError(k.t, err)
	_, err = k.AddCert(k.t.Context(), k.alice, app, control.NewCert{Name: "have", Certificate: string(chain), Key: string(key)})
	require.NoError(k.t, err)
	require.NoError(k.t, k.AttachCert(k.t.Context(), k.alice, app, "have", "other.example.com"))
	k.service("have", 80)
	_, _, err = k.SaveGateway(k.t.Context(), k.alice, app, "have", []platform.GatewayPort{{Port: 80, Protocol: "HTTP"}})
	require.NoError(k.t, err)
	k.saveRoute(control.NewRoute{Name: "have", Kind: platform.HTTPRoute, Parents: []platform.ParentRef{{Name: app, Port: 443}},
		Rules: []platform.RouteRule{{Backends: []platform.Backend{{Service: "web", Port: 80}}}}})
}

// shown writes what the cluster shows of the app, a line for each route.
func (k *kit) shown() []string {
	k.t.Helper()
	k.settle()
	var lines []string
	for _, r := range k.cluster.Exposed(app).Routes {
		line := r.Name + ":"
		if r.HTTP {
			line += " http"
		}
		if r.HTTPS {
			line += " https"
		}
		for _, p := range r.Ports {
			line += fmt.Sprintf(" %s/%d", p.Protocol, p.Port)
		}
		if r.Redirect {
			line += " redirect"
		}
		line += " " + strings.Join(r.Hosts, ",")
		for _, rule := range r.Rules {
			line += " →"
			for _, b := range rule.Backends {
				line += fmt.Sprintf(" %s:%d", b.Service, b.Port)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func (k *kit) services() (list []string) {
	for _, s := range k.cluster.Exposed(app).Services {
		line := s.Name
		for _, p := range s.Ports {
			line += fmt.Sprintf(" %d→%d", p.Port, p.Target)
		}
		list = append(list, line)
	}
	return list
}

// What an app shows, from its first deploy to its last change.
func TestWhatAnAppShows(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.domain("www.example.com", "web")
	require.Empty(t, k.shown(), "nothing runs yet")
	require.Empty(t, k.services())

	k.deploy("img:1", "web", "worker")
	const web = "hello: http https hello.example.test,www.example.com → hello:80"
	require.Equal(t, []string{web}, k.shown())
	require.Equal(t, []string{"hello 80→0"}, k.services())

	k.domain("worker.example.com", "worker")
	require.Equal(t, []string{web}, k.shown(), "its process type has no service")
	k.service("worker", 8001)
	worker := "hello-worker: http https worker.example.com → hello-worker:8001"
	require.Equal(t, []string{web, worker}, k.shown())
	require.Equal(t, []string{"hello 80→0", "hello-worker 8001→8001"}, k.services())
	list, _, err := k.ListRoutes(t.Context(), k.alice, app, control.Page{})
	require.NoError(t, err)
	require.Len(t, list, 2)

	// A route of the user's takes the domain over.
	k.saveRoute(control.NewRoute{Name: "jobs", Kind: platform.HTTPRoute, Parents: []platform.ParentRef{{Name: app, Port: 80}},
		Rules: []platform.RouteRule{{Backends: []platform.Backend{{Service: "worker", Port: 8001}}}}})
	require.Equal(t, []string{web, "jobs: http worker.example.com → hello-worker:8001"}, k.shown())

	on, off := true, false
	k.tls(control.TLSChange{HTTPSEnforced: &on})
	require.Equal(t, []string{
		"hello: https hello.example.test,www.example.com → hello:80",
		"jobs: https worker.example.com → hello-worker:8001",
		"hello-https-redirect: http redirect hello.example.test,worker.example.com,www.example.com",
	}, k.shown())
	k.tls(control.TLSChange{HTTPSEnforced: &off})

	k.settings(control.SettingsChange{Routable: &off})
	require.Empty(t, k.shown())
	require.Equal(t, []string{"hello 80→0", "hello-worker 8001→8001"}, k.services(), "inside the cluster it stays")
	k.settings(control.SettingsChange{Routable: &on})
	require.Len(t, k.shown(), 2)

	require.NoError(t, k.RemoveDomain(t.Context(), k.alice, app, "www.example.com"))
	require.Equal(t, "hello: http https hello.example.test → hello:80", k.shown()[0])
	k.deploy("img:2", "web")
	require.Equal(t, []string{"hello: http https hello.example.test → hello:80"}, k.shown(), "worker is gone")
	require.Len(t, k.release(0).Conditions, 1)
	require.Equal(t, 3, k.release(0).Version, "none of it made a release")
	require.NoError(t, k.DeleteApp(t.Context(), k.alice, app))
	require.Empty(t, k.shown())
	k.create(app)
	_, err = k.store.FindDomain(t.Context(), "worker.example.com")
	fails(t, err, platform.NotFound, "No Domain")
}

// On the app's own name a route for every path is web's; others lie beside it.
func TestRoutesOnTheAppsOwnName(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1", "web", "worker")
	k.service("worker", 8001)
	backend := []platform.Backend{{Service: "worker", Port: 8001}}
	parents := []platform.ParentRef{{Name: app, Port: 80}}
	k.saveRoute(control.NewRoute{Name: "all", Kind: platform.HTTPRoute, Parents: parents, Rules: []platform.RouteRule{{Backends: backend}}})
	k.saveRoute(control.NewRoute{Name: "part", Kind: platform.HTTPRoute, Parents: parents, Rules: []platform.RouteRule{
		{Backends: backend, Matches: []platform.RouteMatch{{Path: &platform.ValueMatch{Value: "/work"}}}}, {Backends: backend}}})
	const web = "hello: http https hello.example.test → hello:80"
	require.Equal(t, []string{web, "part: http hello.example.test → hello-worker:8001"}, k.shown())

	// The default route itself can be changed, and comes back.
	k.saveRoute(control.NewRoute{Name: app, Kind: platform.HTTPRoute, Parents: parents, Rules: []platform.RouteRule{
		{Backends: []platform.Backend{{Service: app, Port: 80}, {Service: "worker", Port: 8001}}}}})
	require.Contains(t, k.shown(), "hello: http hello.example.test → hello:80 hello-worker:8001")
	require.NoError(t, k.DeleteRoute(t.Context(), k.alice, app, app))
	require.Contains(t, k.shown(), web)

	// A gateway without a port takes the routes off it.
	_, made, err := k.SaveGateway(t.Context(), k.alice, app, app, []platform.GatewayPort{{Port: 443, Protocol: "HTTPS"}})
	require.NoError(t, err)
	require.False(t, made)
	require.Equal(t, []string{"hello: https hello.example.test → hello:80"}, k.shown())
	require.NoError(t, k.DeleteGateway(t.Context(), k.alice, app, app))
	require.Len(t, k.shown(), 2)

	require.NoError(t, k.RemoveServicePort(t.Context(), k.alice, app, "worker", 8001, "TCP"))
	require.Equal(t, []string{web}, k.shown(), "what leads nowhere is not shown")
}

func TestCertificatesByThemselves(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	ca := &authority{clock: k.clock}
	k.renew(func(o *control.Options) { o.Certifier = ca })
	k.run()
	k.create(app)
	k.deploy("img:1", "web")
	k.domain("www.example.com", "web")
	on, off := true, false
	k.tls(control.TLSChange{AutoCerts: &on})
	k.settle()
	certs := k.cluster.Exposed(app).Certs
	require.Len(t, certs, 1)
	require.Equal(t, "www.example.com", certs[0].Domain)
	require.NotEmpty(t, certs[0].Key)
	k.domain("blog.example.com", "web")
	k.settle()
	require.Equal(t, []string{"www.example.com", "blog.example.com"}, ca.asked, "each once")
	found, err := k.FindTLS(t.Context(), k.alice, app)
	require.NoError(t, err)
	require.Contains(t, found.Events[0].Message, "platform's own authority")

	// Two thirds through its life a start of the controller replaces it.
	k.stop()
	k.clock.pass(61 * 24 * time.Hour)
	k.renew(func(o *control.Options) { o.Certifier = ca })
	k.run()
	k.settle()
	require.Len(t, ca.asked, 4)
	require.NotEqual(t, certs[0].Chain, k.cluster.Exposed(app).Certs[1].Chain)

	k.tls(control.TLSChange{AutoCerts: &off})
	k.settle()
	require.Empty(t, k.cluster.Exposed(app).Certs)
}

// What cannot be had or shown is told in the events, and the rest works.
func TestTroubleAtTheEdgeIsTold(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	ca := &authority{clock: k.clock, err: errors.New("the authority is broken: secret detail")}
	k.renew(func(o *control.Options) { o.Certifier = ca })
	k.run()
	k.create(app)
	k.deploy("img:1", "web")
	on := true
	k.domain("www.example.com", "web")
	k.tls(control.TLSChange{AutoCerts: &on})
	require.Len(t, k.shown(), 1)
	require.Empty(t, k.cluster.Exposed(app).Certs)
	k.cluster.Deny(func(control.Exposure) error { return platform.Errorf(platform.Invalid, "the gateway did not take it") })
	k.domain("blog.example.com", "web")
	k.settle()
	events, err := k.store.ListEvents(t.Context(), app, 0, 1000)
	require.NoError(t, err)
	var told []string
	for _, e := range events {
		require.NotContains(t, string(e.Data), "secret detail")
		if e.Action == "fail" {
			told = append(told, e.Object+" "+string(e.Data))
		}
	}
	require.Contains(t, told, `certificate {"domain":"www.example.com","message":"the controller's log says why"}`)
	require.Contains(t, told, `routing {"message":"the gateway did not take it"}`)
	work, err := k.store.ListWork(t.Context(), app)
	require.NoError(t, err)
	require.Empty(t, work)
}

func TestEdgeWaitsForTheCluster(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1", "web")
	k.settle()
	away := &platform.Error{Code: platform.Unavailable, Message: "away"}
	k.cluster.FailNext("Expose", away, away)
	k.domain("www.example.com", "web")
	require.Equal(t, []string{"hello: http https hello.example.test,www.example.com → hello:80"}, k.shown())
	require.Len(t, k.cluster.Calls("Expose"), 3)
}

// Domains of one app, added at once by many: each is added once.
func TestDomainsAtOnce(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.create("second")
	k.deploy("img:1", "web")
	results := make(chan error, 40)
	for i := range 20 {
		for _, to := range []string{app, "second"} {
			go func() {
				_, err := k.AddDomain(t.Context(), k.alice, to, fmt.Sprintf("d%d.example.com", i), "web")
				results <- err
			}()
		}
	}
	taken := 0
	for range 40 {
		if err := <-results; err != nil {
			fails(t, err, platform.Invalid, "already in use by another app")
			taken++
		}
	}
	require.Equal(t, 20, taken)
}

func TestHostNames(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.create(app)
	for name, want := range map[string]string{
		"Example.COM": "example.com", "example.net.": "example.net", "bücher.de": "xn--bcher-kva.de", "*.пример.рф": "*.xn--e1afmkfd.xn--p1ai",
		"single": "single", "1.2.3.4a": "1.2.3.4a", strings.Repeat("a", 63) + ".com": strings.Repeat("a", 63) + ".com",
	} {
		d, err := k.AddDomain(t.Context(), k.alice, app, name, "web")
		require.NoError(t, err, name)
		require.Equal(t, want, d.Name)
	}
	for name, says := range map[string]string{
		"": "may not be blank", "*": "only be a wildcard", "*.": "only be a wildcard", ".": "only be a wildcard", "a..b": "does not look valid",
		"-a.com": "does not look valid", "a-.com": "does not look valid", "a b.com": "does not look valid", "under_score.com": "no underscore; use a hyphen",
		"example.123": "does not look valid", "*.*.com": "the whole first label", "a.*": "the whole first label", "*.com": "*.example.com", "x\x00y.com": "could not convert",
		strings.Repeat("a", 64) + ".com": "64 characters, at most 63", strings.Repeat("a.", 200) + "com": "no more than 253",
		strings.Repeat("x", 10000) + ".com": "no more than 253", "\xff\xfe.com": "could not convert", "exa\nmple.com": "white space",
		"xn--a.com": "could not convert", "https://example.com": "give the name only, without http://", "example.com/path": "It has a path", "[::1]": "IP address",
		"10.0.0.1": "IP address", "2001:db8::1": "IP address", "example.com:8080": "It has a port", "me@example.com": "mail address", "a.com..": "two dots",
		".example.com": "two dots in a row, or one in front",
	} {
		_, err := k.AddDomain(t.Context(), k.alice, app, name, "web")
		require.Error(t, err, "%q", name)
		fails(t, err, platform.Invalid, says)
	}
}

// A wildcard covers names of its own workspace only, and nobody gets a name
// below a wildcard of somebody else's: the gateway would let a longer path of
// one win over the host of the other.
func TestWildcardsStayAmongTheirOwn(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.create("second")
	_, err := k.CreateApp(t.Context(), k.bobby, control.NewApp{ID: "bobby-app"})
	require.NoError(t, err)
	add := func(who control.Actor, to, name string) error {
		_, err := k.AddDomain(t.Context(), who, to, name, "web")
		return err
	}
	require.NoError(t, add(k.alice, app, "*.example.com"))
	require.NoError(t, add(k.alice, "second", "www.example.com"))
	fails(t, add(k.bobby, "bobby-app", "shop.example.com"), platform.Invalid, "already in use by another app")
	fails(t, add(k.bobby, "bobby-app", "a.b.example.com"), platform.Invalid, "already in use by another app")
	fails(t, add(k.bobby, "bobby-app", "*.b.example.com"), platform.Invalid, "already in use by another app")
	require.NoError(t, add(k.bobby, "bobby-app", "example.com"))
	require.NoError(t, add(k.bobby, "bobby-app", "www.example.org"))
	fails(t, add(k.alice, app, "*.example.org"), platform.Invalid, "covers names of another workspace")
	require.NoError(t, add(k.bobby, "bobby-app", "*.example.org"))
}

func TestFormerDomainsAreNobodysElse(t *testing.T) {
	k := newKit(t, func(o *control.Options) { o.Former = []string{"old.test"} })
	k.create("blog-app")
	k.create("shop-app")
	for name, want := range map[string]string{
		"drycc.old.test": "is the platform's", "registry.old.test": "is the platform's", "old.test": "is the platform's",
		"*.old.test": "is the platform's", "shop-app.old.test": "already", "x.shop-app.old.test": "already",
	} {
		_, err := k.AddDomain(t.Context(), k.alice, "blog-app", name, "web")
		require.ErrorContains(t, err, want, name)
	}
	_, err := k.AddDomain(t.Context(), k.alice, "blog-app", "blog-app.old.test", "web")
	require.NoError(t, err, "an app may keep its old name as a domain")
}
