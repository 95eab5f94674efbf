//go:build e2e

package edge

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

const (
	address = "172.31.77.81"
	domain  = "slipway.localhost"
	app     = "hello"
	// soon is how long an order may take on a busy machine. A try that was cut
	// off is taken for one that runs for five minutes.
	soon, afterKill = 2 * time.Minute, 8 * time.Minute
)

func TestMain(m *testing.M) { os.Exit(house.Main(m, "make test-edge")) }

// world is an appliance and the authority that it asks.
type world struct {
	h *harness.Host
	m *appliance.Machine
	c *appliance.Client
	a *authority
}

// renewals is how many renewals are awaited, each after two thirds of a life that
// is as short as the platform's pause between two orders allows: five minutes.
// 0: none, and another authority takes over instead, which is the same way of a
// new certificate to the gateway.
func renewals(t *testing.T) int {
	t.Helper()
	text := os.Getenv("EDGE_RENEWALS")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "EDGE_RENEWALS")
	return n
}

// TestACME has domains of an app get certificates of a public authority
// through the real gateway, renew, survive a kill, and say what is broken.
func TestACME(t *testing.T) {
	w := install(t)
	house.Must(t, "domains get certificates", w.certificates)
	house.Must(t, "HTTP/3 with these certificates", w.http3)
	house.Must(t, "testssl.sh finds nothing", w.scanned)
	house.Must(t, "the server is killed between order and finalize", w.killed)
	house.Must(t, "others come while connections are made", w.renewal)
	house.Must(t, "broken links are named", w.broken)
	house.Must(t, "what was cut off is finished", w.finished)
	house.Must(t, "keys are nowhere to be read", w.keysStayKeys)
}

// install boots a host that asks the authority's DNS server, and installs on it.
func install(t *testing.T) *world {
	t.Helper()
	h, m := house.Bare(t, harness.Options{Name: "edacme", Address: address}, domain)
	w := &world{h: h, m: m}
	validity := "86400"
	if renewals(t) > 0 {
		validity = "480"
	}
	w.a = startAuthority(t, "-host", address, "-name", "elsewhere.edge.test.=172.31.77.254", "-validity", validity)
	put := func(name, text string) {
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		require.NoError(t, h.Put(file, name, 0o644))
	}
	put("/etc/resolv.conf", "nameserver "+harness.Gateway+"\n")
	put("/etc/acme-root.pem", string(w.a.root))
	house.Install(t, h, m, []string{"CERT_MANAGER_ENABLED=true", "ACME_SERVER=" + w.a.directory, "ACME_CA_FILE=/etc/acme-root.pem",
		"ACME_EMAIL=ops@edge.test", "SLIPWAY_HTTP3=true"}, "--yes")
	w.c = house.Login(t, m)
	w.deploy(t)
	return w
}

// deploy runs the carried app, which answers every path: challenges too, were
// they led to it.
func (w *world) deploy(t *testing.T) {
	t.Helper()
	_, err := w.c.CreateApp(t.Context(), app, "")
	require.NoError(t, err)
	_, err = w.c.Deployed(t.Context(), app, house.Carried(t, w.m, "hello"), 3*time.Minute)
	require.NoError(t, err)
	_, err = w.c.Call(t.Context(), http.MethodPost, "/apps/"+app+"/tls/", map[string]any{"certs_auto_enabled": true}, nil)
	require.NoError(t, err)
}

func (w *world) add(t *testing.T, name string) {
	t.Helper()
	_, err := w.c.Call(t.Context(), http.MethodPost, "/apps/"+app+"/domains/", map[string]string{"domain": name, "ptype": "web"}, nil)
	require.NoError(t, err)
}

func public(leaf *x509.Certificate, name string) error {
	if !strings.Contains(leaf.Issuer.CommonName, "Pebble") {
		return fmt.Errorf("%s has a certificate of %s", name, leaf.Issuer)
	}
	return leaf.VerifyHostname(name)
}

// awaitPublic waits until the gateway serves the authority's certificate.
func (w *world) awaitPublic(t *testing.T, name string, limit time.Duration) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) error {
		leaf, err := house.Served(ctx, w.m, name)
		if err != nil {
			return err
		}
		return public(leaf, name)
	}))
}

func (w *world) certificates(t *testing.T) {
	names := []string{"www.edge.test", "two.edge.test", "three.edge.test"}
	for _, name := range names {
		w.add(t, name)
	}
	for _, name := range names {
		w.awaitPublic(t, name, soon)
		_, body, err := w.m.Get(t.Context(), &http.Client{Transport: w.m.Transport(), Timeout: time.Minute}, "http://"+name+"/.well-known/of-the-app")
		require.NoError(t, err)
		assert.NotEmpty(t, body, "the app's own paths stay its own")
	}
	for _, name := range names {
		assert.Equal(t, 1, w.a.count(name), name)
	}
}

// killed ends the server with SIGKILL when the authority has an order whose
// names are proven, and the certificate is asked for.
func (w *world) killed(t *testing.T) {
	asked, once := make(chan struct{}), sync.Once{}
	w.a.disturb(func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/finalize-order/") {
			return false
		}
		once.Do(func() { close(asked) })
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done() // it dies while it waits
		return true
	})
	defer w.a.disturb(nil)
	w.add(t, "killed.edge.test")
	select {
	case <-asked:
	case <-time.After(soon):
		t.Fatal("the authority was not asked to finalize")
	}
	_, err := w.m.KillServer(t.Context())
	require.NoError(t, err)
	w.a.disturb(nil)
	assert.Equal(t, 1, w.a.count("killed.edge.test"))
	for _, name := range []string{"www.edge.test", "two.edge.test", "three.edge.test"} {
		leaf, err := house.Served(t.Context(), w.m, name)
		require.NoError(t, err)
		require.NoError(t, public(leaf, name), "what there is goes on being served")
	}
	house.Well(t, w.m, soon)
}

// finished waits for the certificate whose order was cut off: no more than that
// one order was lost.
func (w *world) finished(t *testing.T) {
	w.awaitPublic(t, "killed.edge.test", afterKill)
	assert.Equal(t, 2, w.a.count("killed.edge.test"), "the lost order and one more")
}

// renewal makes 50 connections a second while certificates are replaced.
func (w *world) renewal(t *testing.T) {
	const name, perSecond = "www.edge.test", 50
	want, limit := renewals(t)+1, time.Duration(renewals(t))*6*time.Minute
	if want == 1 {
		want, limit = 2, soon
		issuer := map[string]string{"server": w.a.directory + "?another", "email": "app@edge.test"}
		_, err := w.c.Call(t.Context(), http.MethodPost, "/apps/"+app+"/tls/", map[string]any{"issuer": issuer}, nil)
		require.NoError(t, err)
	}
	ctx, stop := context.WithTimeout(t.Context(), limit)
	defer stop()
	var (
		mu      sync.Mutex
		total   int
		failed  []string
		serials = map[string]bool{}
		group   sync.WaitGroup
	)
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	start := time.Now()
	for seen, after := 0, 0; after < 5*perSecond; { // and five seconds more
		select {
		case <-ctx.Done():
			require.Fail(t, "too late", "%d certificates in %s", seen, time.Since(start))
		case <-tick.C:
		}
		group.Go(func() {
			leaf, err := house.Served(t.Context(), w.m, name)
			if err == nil {
				err = public(leaf, name)
			}
			if err == nil && time.Now().After(leaf.NotAfter) {
				err = fmt.Errorf("served after its end at %s", leaf.NotAfter)
			}
			mu.Lock()
			defer mu.Unlock()
			total++
			if err != nil {
				failed = append(failed, fmt.Sprintf("%.1fs: %v", time.Since(start).Seconds(), err))
				return
			}
			serials[leaf.SerialNumber.String()] = true
		})
		mu.Lock()
		seen = len(serials)
		mu.Unlock()
		if seen >= want {
			after++
		}
	}
	group.Wait()
	t.Logf("%d handshakes in %.0f s, %d certificates, %d failed", total, time.Since(start).Seconds(), len(serials), len(failed))
	assert.Empty(t, failed[:min(len(failed), 10)])
}

// diagnosis is what "slipway doctor tls" tells of a domain.
type diagnosis struct {
	Domain string
	Links  []struct{ ID, State, Evidence, Reason, Cure string }
}

// doctor asks until the link is as wanted, which takes a try at the authority.
func (w *world) doctor(t *testing.T, name, link, state string, says ...string) {
	t.Helper()
	err := appliance.Eventually(t.Context(), soon, func(ctx context.Context) error {
		r, err := w.m.Run(ctx, appliance.Binary, "doctor", "tls", name, "-o", "json")
		if err != nil {
			return err
		}
		var all []diagnosis
		if err := json.Unmarshal([]byte(r.Stdout), &all); err != nil || len(all) != 1 {
			return fmt.Errorf("%s%s: %w", r.Stdout, r.Stderr, err)
		}
		broken := false
		for _, l := range all[0].Links {
			broken = broken || l.State == "fail"
		}
		if broken != (r.Code == 1) {
			return fmt.Errorf("exit %d: %s", r.Code, r.Stdout)
		}
		for _, l := range all[0].Links {
			if l.ID != link {
				continue
			}
			text := l.Evidence + " " + l.Reason + " " + l.Cure
			for _, word := range says {
				if !strings.Contains(text, word) {
					return fmt.Errorf("no %q in %s", word, text)
				}
			}
			if l.State == state {
				return nil
			}
		}
		return fmt.Errorf("%s of %s is not %s: %s", link, name, state, r.Stdout)
	})
	assert.NoError(t, err)
}

func (w *world) broken(t *testing.T) {
	w.doctor(t, "www.edge.test", "https", "ok")
	w.doctor(t, "www.edge.test", "challenge", "ok")

	w.add(t, "elsewhere.edge.test")
	w.doctor(t, "elsewhere.edge.test", "points", "fail", "172.31.77.254", address)

	w.a.disturb(func(rw http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/order-plz") {
			return false
		}
		rw.Header().Set("Content-Type", "application/problem+json")
		rw.Header().Set("Retry-After", "3600")
		rw.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(rw, `{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many certificates already issued","status":429}`)
		return true
	})
	w.add(t, "limited.edge.test")
	w.doctor(t, "limited.edge.test", "limit", "fail", "too many certificates", "until 20")
	w.a.disturb(nil)

	// Port 80 is closed by the host's own firewall.
	rule := []string{"-p", "tcp", "--dport", "80", "-j", "REJECT", "--reject-with", "tcp-reset"}
	out, err := w.h.Network(t.Context(), "iptables", append([]string{"-I", "INPUT"}, rule...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	w.doctor(t, "www.edge.test", "http", "fail", "refused", "port 80")
	out, err = w.h.Network(t.Context(), "iptables", append([]string{"-D", "INPUT"}, rule...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	w.doctor(t, "www.edge.test", "http", "ok")

	var page struct{ Results []diagnosis }
	_, err = w.c.Call(t.Context(), http.MethodGet, "/apps/"+app+"/tls/check/?domain=www.edge.test", nil, &page)
	require.NoError(t, err)
	require.Len(t, page.Results, 1, "users are told the same")
}
