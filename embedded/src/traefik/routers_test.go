package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/config/runtime"
	"github.com/traefik/traefik/v3/pkg/config/static"
	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
	"github.com/traefik/traefik/v3/pkg/proxy/httputil"
	"github.com/traefik/traefik/v3/pkg/safe"
	"github.com/traefik/traefik/v3/pkg/server"
	"github.com/traefik/traefik/v3/pkg/server/middleware"
	tcprouter "github.com/traefik/traefik/v3/pkg/server/router/tcp"
	"github.com/traefik/traefik/v3/pkg/server/service"
	"github.com/traefik/traefik/v3/pkg/tcp"
	traefiktls "github.com/traefik/traefik/v3/pkg/tls"
	"github.com/traefik/traefik/v3/pkg/types"
)

func TestMain(m *testing.M) {
	zerolog.SetGlobalLevel(zerolog.WarnLevel)
	os.Exit(m.Run())
}

// shop has routes for n domains of five apps, in parts of 16 as the controller
// makes them, over HTTP and HTTPS; a wildcard; and a path of one of them.
func shop(backend string, n int) dynamic.Configuration {
	one := 1
	conf := dynamic.Configuration{
		HTTP: &dynamic.HTTPConfiguration{Routers: map[string]*dynamic.Router{}, Services: map[string]*dynamic.Service{}, Middlewares: map[string]*dynamic.Middleware{}},
		TCP:  &dynamic.TCPConfiguration{}, UDP: &dynamic.UDPConfiguration{}, TLS: &dynamic.TLSConfiguration{},
	}
	conf.TLS.Options = map[string]traefiktls.Options{traefiktls.DefaultTLSConfigName: {}}
	for i := range 5 {
		conf.HTTP.Services[fmt.Sprintf("app%d@test", i)] = &dynamic.Service{Weighted: &dynamic.WeightedRoundRobin{
			Services: []dynamic.WRRService{{Name: fmt.Sprintf("app%d-http@test", i), Weight: &one}},
		}}
		lb := &dynamic.ServersLoadBalancer{Servers: []dynamic.Server{{URL: fmt.Sprintf("%s/app%d", backend, i)}}}
		lb.SetDefaults()
		conf.HTTP.Services[fmt.Sprintf("app%d-http@test", i)] = &dynamic.Service{LoadBalancer: lb}
	}
	route := func(name, rule string, priority, app int) {
		for entry, tls := range map[string]*dynamic.RouterTLSConfig{"http": nil, "https": {}} {
			conf.HTTP.Routers[name+"-"+entry+"@test"] = &dynamic.Router{
				EntryPoints: []string{entry}, Rule: rule, RuleSyntax: "default", Priority: priority, Service: fmt.Sprintf("app%d@test", app), TLS: tls,
			}
		}
	}
	for first := 0; first < n; first += 16 {
		var hosts []string
		for i := first; i < min(n, first+16); i++ {
			hosts = append(hosts, fmt.Sprintf("Host(%q)", fmt.Sprintf("d%d.shop.test", i)))
		}
		route(fmt.Sprintf("part%d", first), "("+strings.Join(hosts, " || ")+") && PathPrefix(`/`)", 10016, first/16%5)
	}
	route("wild", "HostRegexp(`^[a-z0-9-\\.]+\\.wild\\.test$`) && PathPrefix(`/`)", 10015, 2)
	route("path", "Host(`d0.shop.test`) && Path(`/special`)", 110016, 4)
	return conf
}

// parts are what both factories are made of.
func parts(t testing.TB) (static.Configuration, *service.ManagerFactory, *middleware.ObservabilityMgr, *traefiktls.Manager, *tcp.DialerManager) {
	t.Helper()
	entry := func(address string) *static.EntryPoint {
		e := &static.EntryPoint{Address: address}
		e.SetDefaults()
		return e
	}
	c := static.Configuration{EntryPoints: static.EntryPoints{"http": entry(":0"), "https": entry(":0")}}
	pool := safe.NewPool(context.Background())
	t.Cleanup(pool.Stop)
	transports, dialers := service.NewTransportManager(nil), tcp.NewDialerManager(nil)
	st := &dynamic.ServersTransport{}
	transports.Update(map[string]*dynamic.ServersTransport{"default@internal": st})
	proxies := httputil.NewProxyBuilder(transports, nil)
	proxies.Update(map[string]*dynamic.ServersTransport{"default@internal": st})
	observability := middleware.NewObservabilityMgr(c, nil, nil, nil, nil, nil)
	return c, service.NewManagerFactory(c, pool, observability, transports, proxies, nil), observability, traefiktls.NewManager(nil), dialers
}

func answerOf(r *tcprouter.Router, tls bool, host, path string) string {
	h := r.GetHTTPHandler()
	if tls {
		h = r.GetHTTPSHandler()
	}
	w := httptest.NewRecorder()
	requestdecorator.New(nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://"+host+path, nil), h.ServeHTTP)
	return fmt.Sprint(w.Code, " ", strings.TrimSpace(w.Body.String()))
}

// Every request gets the answer that it gets from the handlers of Traefik's own
// factory.
func TestRoutersAnswerAsTraefiksOwn(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Host+" "+r.URL.Path)
	}))
	defer backend.Close()
	conf := shop(backend.URL, 100)
	c, services, observability, certs, dialers := parts(t)
	certs.UpdateConfigs(t.Context(), nil, conf.TLS.Options, nil)
	theirs, err := server.NewRouterFactory(c, services, certs, observability, nil, dialers)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := theirs.CreateRouters(runtime.NewConfig(shop(backend.URL, 100)))
	factory, err := newRouters(c.EntryPoints, services, observability, certs, dialers)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second configuration, with what is remembered of the first
		got, _ := factory.create(runtime.NewConfig(conf))
		for _, host := range []string{"d0.shop.test", "D17.shop.test", "d99.shop.test", "d100.shop.test", "a.wild.test", "a.b.wild.test", "wild.test", "d1.shop.test:8080", "d1.shop.test."} {
			for _, path := range []string{"/", "/special", "/a%20b?c=d"} {
				for entry, tls := range map[string]bool{"http": false, "https": true} {
					a, b := answerOf(want[entry], tls, host, path), answerOf(got[entry], tls, host, path)
					if a != b {
						t.Errorf("%s %s%s: %s instead of %s", entry, host, path, b, a)
					}
				}
			}
		}
		if a := answerOf(got["http"], false, "d17.shop.test", "/"); !strings.HasPrefix(a, "200 ") {
			t.Error(a)
		}
	}
}

// Names stay in the table of connections only where whole connections are
// handed over by name too.
func TestDecisive(t *testing.T) {
	conf := runtime.NewConfig(shop("http://127.0.0.1:1", 20))
	if kept := decisive(conf); len(kept) != 0 {
		t.Error(len(kept), "kept")
	}
	conf.TCPRouters = map[string]*runtime.TCPRouterInfo{"pass": {TCPRouter: &dynamic.TCPRouter{
		EntryPoints: []string{"https"}, TLS: &dynamic.RouterTCPTLSConfig{Passthrough: true},
	}}}
	kept := decisive(conf)
	if len(kept) != 4 || kept["part0-https@test"] == nil || kept["part0-http@test"] != nil {
		t.Error(len(kept), "kept")
	}
}

// The certificate of unknown names is the same from one configuration to the
// next, and one that a store names is left alone.
func TestFallback(t *testing.T) {
	f, err := newFallback()
	if err != nil {
		t.Fatal(err)
	}
	first, again := f.in(nil), f.in(map[string]traefiktls.Store{})
	a, b := first[traefiktls.DefaultTLSStoreName].DefaultCertificate, again[traefiktls.DefaultTLSStoreName].DefaultCertificate
	if a == nil || b == nil || a.CertFile != b.CertFile {
		t.Error("not the same")
	}
	if _, err := a.GetCertificate(); err != nil {
		t.Error(err)
	}
	own := &traefiktls.Certificate{CertFile: "own"}
	if got := f.in(map[string]traefiktls.Store{traefiktls.DefaultTLSStoreName: {DefaultCertificate: own}}); got[traefiktls.DefaultTLSStoreName].DefaultCertificate != own {
		t.Error("the store's own was replaced")
	}
}

func leaves(b *testing.B, n int) []*traefiktls.CertAndStores {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		b.Fatal(err)
	}
	var all []*traefiktls.CertAndStores
	for i := range n {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: "leaf"}, DNSNames: []string{fmt.Sprintf("d%d.shop.test", i)},
			NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
		}
		leaf, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, &traefiktls.CertAndStores{Certificate: traefiktls.Certificate{
			CertFile: types.FileOrContent(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf})),
			KeyFile:  types.FileOrContent(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		}})
	}
	return all
}

// What a changed route costs with 500 domains and certificates: Traefik's own
// way, and ours.
func BenchmarkChange(b *testing.B) {
	const domains = 500
	certificates := leaves(b, domains)
	c, services, observability, certs, dialers := parts(b)
	theirs, err := server.NewRouterFactory(c, services, certs, observability, nil, dialers)
	if err != nil {
		b.Fatal(err)
	}
	ours, err := newRouters(c.EntryPoints, services, observability, certs, dialers)
	if err != nil {
		b.Fatal(err)
	}
	fallback, err := newFallback()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("traefik", func(b *testing.B) {
		for b.Loop() {
			conf := shop("http://127.0.0.1:1", domains)
			certs.UpdateConfigs(b.Context(), nil, conf.TLS.Options, certificates)
			routers, _ := theirs.CreateRouters(runtime.NewConfig(conf))
			for _, r := range routers {
				r.SetHTTPSForwarder(nil) // as the entry points do
			}
		}
	})
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			conf := shop("http://127.0.0.1:1", domains)
			certs.UpdateConfigs(b.Context(), fallback.in(nil), conf.TLS.Options, certificates)
			routers, _ := ours.create(runtime.NewConfig(conf))
			for _, r := range routers {
				r.SetHTTPSForwarder(nil)
			}
		}
	})
}

// What finding the route costs a request to the last of 500 domains.
func BenchmarkRequest(b *testing.B) {
	c, services, observability, certs, dialers := parts(b)
	conf := shop("http://127.0.0.1:1", 500) // nothing listens: the answer is 502
	certs.UpdateConfigs(b.Context(), nil, conf.TLS.Options, nil)
	theirs, err := server.NewRouterFactory(c, services, certs, observability, nil, dialers)
	if err != nil {
		b.Fatal(err)
	}
	ours, err := newRouters(c.EntryPoints, services, observability, certs, dialers)
	if err != nil {
		b.Fatal(err)
	}
	before, _ := theirs.CreateRouters(runtime.NewConfig(shop("http://127.0.0.1:1", 500)))
	after, _ := ours.create(runtime.NewConfig(conf))
	for name, r := range map[string]*tcprouter.Router{"traefik": before["http"], "ours": after["http"]} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				answerOf(r, false, "unknown.shop.test", "/")
			}
		})
	}
}
