package diagnose_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/edge/diagnose"
)

// The places of the tests' world.
const (
	site      = "www.example.com"
	here      = "203.0.113.10" // the platform
	elsewhere = "198.51.100.7" // another server
	nameserv  = "203.0.113.53" // the zone's own name server
	ca        = "203.0.113.99" // the public authority
)

// world is the internet of a test: real servers on loopback, which are met
// under public addresses.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	zone    map[string][]string // "www.example.com. A" → records, what the resolver knows
	own     map[string][]string // what the zone's own server says instead
	rcode   map[string]int
	at      map[string]string // "203.0.113.10:80" → loopback; "": no answer ever
	dialed  []string
	now     time.Time
	nonces  *diagnose.Nonces
	leaf    tls.Certificate
	options diagnose.Options
	subject control.DomainSubject
}

// newWorld is one in which all is well.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Now().Truncate(time.Second), own: map[string][]string{}, rcode: map[string]int{}, at: map[string]string{}}
	w.nonces = diagnose.NewNonces([]byte("key"), w.clock)
	w.zone = map[string][]string{
		site + ". A":        {site + ". 300 IN A " + here},
		"example.com. NS":   {"example.com. 300 IN NS ns.example.com."},
		"ns.example.com. A": {"ns.example.com. 300 IN A " + nameserv},
		"ca.test. A":        {"ca.test. 300 IN A " + ca},
	}
	w.leaf = w.certificate(w.now.Add(-24*time.Hour), w.now.Add(80*24*time.Hour), site)
	app := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Server", "app")
		rw.WriteHeader(http.StatusTeapot)
	})
	w.serve(here, w.nonces.Handler(app))
	w.serveTLS(here, w.leaf, w.nonces.Handler(app))
	w.at[nameserv+":53"] = w.dns(true)
	directory := httptest.NewUnstartedServer(http.HandlerFunc(w.directory))
	directory.Config.ErrorLog = log.New(io.Discard, "", 0)
	directory.StartTLS()
	t.Cleanup(directory.Close)
	w.at[ca+":443"] = directory.Listener.Addr().String()
	w.options = diagnose.Options{
		Resolvers: []string{w.dns(false)}, Nonces: w.nonces, Now: w.clock, Dial: w.dial, Patience: 500 * time.Millisecond, Timeout: 20 * time.Second,
		Directory: directory.Client().Transport, Search: []string{"corp.test"}, Forbidden: []netip.Prefix{netip.MustParsePrefix("10.42.0.0/16")},
		AuthorityURL: "http://drycc.platform.test/ca.crt",
	}
	trusting := directory.Client().Transport.(*http.Transport).Clone()
	trusting.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) { return w.dial(ctx, network, ca+":443") }
	trusting.TLSClientConfig.ServerName = "example.com" // of httptest's certificate
	trusting.DisableKeepAlives = true
	w.options.Directory = trusting
	w.subject = control.DomainSubject{
		App: "hello", Domain: site, Addresses: []netip.Addr{netip.MustParseAddr(here)}, Source: control.FromPublic, Leaf: w.leaf.Certificate[0],
		Answers: true, ACME: control.ACMESubject{Directory: "https://ca.test/dir", Email: "ops@example.com", Account: "https://ca.test/acct/1"},
	}
	return w
}

func (w *world) clock() time.Time { return w.now }

// answer is the directory of the authority; tests replace it.
func (w *world) directory(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	switch r.URL.Path {
	case "/dir":
		_, _ = rw.Write([]byte(`{"newOrder": "https://ca.test/order", "meta": {"caaIdentities": ["ca.test"]}}`))
	case "/eab":
		_, _ = rw.Write([]byte(`{"newOrder": "https://ca.test/order", "meta": {"caaIdentities": ["ca.test"], "externalAccountRequired": true}}`))
	case "/text":
		_, _ = rw.Write([]byte(`hello`))
	default:
		rw.WriteHeader(http.StatusBadGateway)
	}
}

// dial leads public addresses to loopback. What is at none refuses.
func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	w.dialed = append(w.dialed, address)
	to, known := w.at[address]
	w.mu.Unlock()
	host, _, err := net.SplitHostPort(address)
	require.NoError(w.t, err)
	switch {
	case known && to == "":
		<-ctx.Done()
		return nil, ctx.Err()
	case known:
		address = to
	case !strings.HasPrefix(host, "127."):
		address = "127.0.0.1:1" // where nobody listens
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// dns starts a name server on UDP and TCP.
func (w *world) dns(own bool) string {
	w.t.Helper()
	packets, streams := w.bothPorts()
	address := packets.LocalAddr().String()
	for _, server := range []*dns.Server{{PacketConn: packets}, {Listener: streams}} {
		server.Handler = dns.HandlerFunc(func(rw dns.ResponseWriter, q *dns.Msg) {
			_, udp := rw.RemoteAddr().(*net.UDPAddr)
			_ = rw.WriteMsg(w.reply(q, own, udp)) // the asker may be gone
		})
		started, stopped := make(chan struct{}), make(chan error, 1)
		server.NotifyStartedFunc = func() { close(started) }
		go func() { stopped <- server.ActivateAndServe() }()
		<-started
		w.t.Cleanup(func() {
			require.NoError(w.t, server.Shutdown())
			require.NoError(w.t, <-stopped)
		})
	}
	return address
}

// bothPorts listens on one port with UDP and TCP.
func (w *world) bothPorts() (net.PacketConn, net.Listener) {
	w.t.Helper()
	for range 50 { // the other half may be somebody else's
		packets, err := (&net.ListenConfig{}).ListenPacket(w.t.Context(), "udp", "127.0.0.1:0")
		require.NoError(w.t, err)
		streams, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, streams
		}
		require.NoError(w.t, packets.Close())
	}
	w.t.Fatal("no port is free on both UDP and TCP")
	return nil, nil
}

func (w *world) reply(q *dns.Msg, own, udp bool) *dns.Msg {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := new(dns.Msg)
	m.SetReply(q)
	m.Authoritative = own
	name := strings.ToLower(q.Question[0].Name)
	key := name + " " + dns.TypeToString[q.Question[0].Qtype]
	records, known := w.zone[key]
	if said, ok := w.own[key]; own && ok {
		records, known = said, true
	}
	if !known {
		records = w.zone[name+" CNAME"]
	}
	m.Rcode = w.rcode[key]
	exists := false
	for k := range w.zone {
		exists = exists || strings.HasPrefix(k, name+" ") || strings.HasSuffix(strings.Fields(k)[0], "."+name)
	}
	if !exists && m.Rcode == 0 {
		m.Rcode = dns.RcodeNameError
	}
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	if udp && len(m.Answer) > 5 {
		m.Answer, m.Truncated = nil, true
	}
	return m
}

// serve puts a server on port 80 of an address.
func (w *world) serve(address string, h http.Handler) {
	server := httptest.NewServer(h)
	w.t.Cleanup(server.Close)
	w.at[address+":80"] = server.Listener.Addr().String()
}

func (w *world) serveTLS(address string, cert tls.Certificate, h http.Handler) {
	server := httptest.NewUnstartedServer(h)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	w.t.Cleanup(server.Close)
	w.at[address+":443"] = server.Listener.Addr().String()
}

// serveAlerts ends every handshake with an alert, as for a name not known.
func (w *world) serveAlerts(address string) {
	server := httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{w.leaf}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	w.t.Cleanup(server.Close)
	w.at[address+":443"] = server.Listener.Addr().String()
}

func (w *world) certificate(from, until time.Time, names ...string) tls.Certificate {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(w.t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, DNSNames: names, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(w.t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// zoneSet replaces records.
func (w *world) set(key string, records ...string) { w.zone[key] = records }

// look examines the subject.
func (w *world) look() platform.Diagnosis {
	w.t.Helper()
	doctor, err := diagnose.New(w.options)
	require.NoError(w.t, err)
	return doctor.Diagnose(w.t.Context(), w.subject)
}

// asked reports whether an address was connected to.
func (w *world) asked(address string) bool {
	return slices.ContainsFunc(w.dialed, func(a string) bool { return strings.HasPrefix(a, address) })
}

// states are the links that are not ok, "dns:fail points:skipped".
func states(d platform.Diagnosis) string {
	var out []string
	for _, l := range d.Links {
		if l.State != platform.LinkOK {
			out = append(out, l.ID+":"+string(l.State))
		}
	}
	return strings.Join(out, " ")
}
