package diagnose_test

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func TestAllIsWell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.look()
	assert.Empty(t, states(d))
	assert.False(t, d.Broken())
	var ids []string
	for _, l := range d.Links {
		ids = append(ids, l.ID)
		assert.NotEmpty(t, l.Evidence, l.ID)
		assert.Empty(t, l.Cure, l.ID)
	}
	assert.Equal(t, []string{"app", "directory", "clock", "account", "dns", "points", "search", "caa", "http", "challenge", "limit", "https"}, ids)
}

// broken is one link that is broken, and how that shows.
type broken struct {
	spoil  func(w *world)
	states string // of all links that are not ok
	link   string
	says   []string // in evidence, reason or cure
}

func (b broken) check(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b.spoil(w)
	d := w.look()
	l, ok := d.Find(b.link)
	require.True(t, ok)
	if b.states != "" {
		assert.Equal(t, b.states, states(d), "%+v", d.Links)
	}
	all := l.Evidence + "\n" + l.Reason + "\n" + l.Cure
	for _, text := range b.says {
		assert.Contains(t, all, text)
	}
	for _, l := range d.Links {
		if l.State == platform.LinkFail || l.State == platform.LinkWarn {
			assert.NotEmpty(t, l.Reason, l.ID)
			assert.NotEmpty(t, l.Cure, l.ID)
		}
	}
}

func TestBrokenNames(t *testing.T) {
	t.Parallel()
	const gone = " points:skipped search:skipped http:skipped challenge:skipped https:skipped"
	const away = "points:fail http:skipped challenge:skipped https:skipped"
	a := func(name, address string) string { return name + ". 300 IN A " + address }
	for name, b := range map[string]broken{
		"no such name":     {func(w *world) { delete(w.zone, site+". A") }, "dns:fail" + gone, "dns", []string{"NXDOMAIN", "make a record A", here}},
		"no address":       {func(w *world) { delete(w.zone, site+". A"); w.set(site + ". TXT") }, "dns:fail" + gone, "dns", []string{"no A and no AAAA", here}},
		"DNSSEC is broken": {func(w *world) { delete(w.zone, site+". A"); w.rcode[site+". A"] = dns.RcodeServerFailure }, "", "dns", []string{"SERVFAIL", "DNSSEC"}},
		"no resolver": {func(w *world) { w.at["198.51.100.1:53"] = ""; w.options.Resolvers = []string{"198.51.100.1:53"} },
			"", "dns", []string{"198.51.100.1:53", "/etc/resolv.conf"}},
		"the app is hidden": {func(w *world) { w.subject.Hidden, w.subject.HiddenCure = "its routing is off", "drycc routing enable" },
			"app:fail https:skipped", "app", []string{"routing is off", "routing enable"}},
		"alias to nothing": {func(w *world) {
			delete(w.zone, site+". A")
			w.set(site+". CNAME", site+". 300 IN CNAME gone.example.net.")
		},
			"dns:fail" + gone, "dns", []string{"CNAME gone.example.net", "alias"}},
		"another server": {func(w *world) {
			w.set(site+". A", a(site, elsewhere))
			w.serve(elsewhere, http.NotFoundHandler())
		}, away, "points", []string{elsewhere, "answers there, 404", "leads to another server", here}},
		"nobody there":   {func(w *world) { w.set(site+". A", a(site, elsewhere)) }, away, "points", []string{elsewhere, "connection refused"}},
		"AAAA elsewhere": {func(w *world) { w.set(site+". AAAA", site+". 300 IN AAAA 2001:db8::1") }, "points:fail", "points", []string{"2001:db8::1", "only a part", "IPv6"}},
		"one A elsewhere": {func(w *world) { w.set(site+". A", a(site, here), a(site, elsewhere)) }, "points:fail", "points",
			[]string{elsewhere, "only a part"}},
		"a private address": {func(w *world) { w.set(site+". A", a(site, "192.168.1.1")) }, away, "points", []string{"not asked", "private network"}},
		"old record remembered": {func(w *world) {
			w.set(site+". A", a(site, elsewhere))
			w.own[site+". A"] = []string{a(site, here)}
		}, away, "points", []string{"name servers of example.com say A " + here, "remember the old one", "5m0s"}},
		"moved away": {func(w *world) { w.own[site+". A"] = []string{a(site, elsewhere)} }, "points:warn", "points", []string{"was changed", elsewhere}},
		"wildcard of the search domain": {func(w *world) { w.set(site+".corp.test. A", a(site+".corp.test", elsewhere)) }, "search:warn", "search",
			[]string{site + ".corp.test is A " + elsewhere, "wildcard", "/etc/resolv.conf"}},
	} {
		t.Run(name, b.check)
	}
}

func TestBrokenCAA(t *testing.T) {
	t.Parallel()
	caa := func(records ...string) func(*world) {
		return func(w *world) {
			var all []string
			for _, r := range records {
				all = append(all, "example.com. 300 IN CAA "+r)
			}
			w.set("example.com. CAA", all...)
		}
	}
	both := func(a, b func(*world)) func(*world) { return func(w *world) { a(w); b(w) } }
	wild := func(w *world) {
		w.subject.Domain, w.subject.Wildcards, w.subject.Leaf = "*.example.com", true, nil
		w.set("slipway-check.example.com. A", "slipway-check.example.com. 300 IN A "+here)
		w.serveTLS(here, w.certificate(w.now.Add(-time.Hour), w.now.AddDate(0, 0, 80), "*.example.com"), nil)
	}
	for name, b := range map[string]broken{
		"another authority": {caa(`0 issue "other.test"`), "caa:fail", "caa", []string{"CAA of example.com", `0 issue "other.test"`, `0 issue "ca.test"`}},
		"nobody":            {caa(`0 issue ";"`), "caa:fail", "caa", []string{"ca.test is not among"}},
		"this one":          {caa(`0 issue "other.test"`, `0 issue "CA.test"`, `0 iodef "mailto:a@b"`), "", "caa", []string{"CAA of example.com"}},
		"nearer counts": {both(caa(`0 issue "ca.test"`), func(w *world) { w.set(site+". CAA", site+`. 300 IN CAA 0 issue "other.test"`) }),
			"caa:fail", "caa", []string{"CAA of " + site}},
		"other proof":   {caa(`0 issue "ca.test; validationmethods=dns-01"`), "caa:fail", "caa", []string{"proof by dns-01 only"}},
		"other account": {caa(`0 issue "ca.test; accounturi=https://ca.test/acct/9"`), "caa:fail", "caa", []string{"acct/9 only"}},
		"some account": {both(caa(`0 issue "ca.test; accounturi=https://ca.test/acct/9"`), func(w *world) { w.subject.ACME.Account = "" }),
			"caa:warn", "caa", []string{"cannot be seen"}},
		"critical unknown": {caa(`128 novel "x"`), "caa:fail", "caa", []string{"critical"}},
		"not answered":     {func(w *world) { w.rcode["example.com. CAA"] = dns.RcodeServerFailure }, "caa:fail", "caa", []string{"SERVFAIL", "CAA records"}},
		"many records, over TCP": {caa(`0 issue "a.test"`, `0 issue "b.test"`, `0 issue "c.test"`, `0 issue "d.test"`, `0 issue "e.test"`, `0 issue "f.test"`),
			"caa:fail", "caa", []string{"f.test"}},
		"wildcards only by another":     {both(wild, caa(`0 issue "ca.test"`, `0 issuewild "other.test"`)), "caa:fail challenge:skipped", "caa", []string{`0 issuewild "ca.test"`}},
		"wildcards as others":           {both(wild, caa(`0 issue "ca.test"`)), "challenge:skipped", "caa", []string{"CAA of example.com"}},
		"wildcards elsewhere forbidden": {caa(`0 issuewild ";"`), "", "caa", []string{"none of them limits"}},
		"wildcard without provider":     {both(wild, func(w *world) { w.subject.Wildcards = false }), "challenge:fail", "challenge", []string{"can make none", "upload"}},
	} {
		t.Run(name, b.check)
	}
}

func TestBrokenWeb(t *testing.T) {
	t.Parallel()
	serve := func(h http.HandlerFunc) func(*world) { return func(w *world) { w.serve(here, h) } }
	certs := func(from, until time.Duration, expected bool, names ...string) func(*world) {
		return func(w *world) {
			leaf := w.certificate(w.now.Add(from), w.now.Add(until), names...)
			w.serveTLS(here, leaf, nil)
			if expected {
				w.subject.Leaf = leaf.Certificate[0]
			}
		}
	}
	const day = 24 * time.Hour
	for name, b := range map[string]broken{
		"port 80 refused": {func(w *world) { delete(w.at, here+":80") }, "http:fail challenge:skipped", "http", []string{"connection refused", "port 80"}},
		"port 80 filtered": {func(w *world) { w.at[here+":80"] = "" }, "http:fail challenge:skipped", "http",
			[]string{"no answer in time", "firewall"}},
		"the app swallows": {serve(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Server", "gunicorn")
			rw.WriteHeader(404)
		}),
			"challenge:fail", "challenge", []string{"404", "gunicorn", "the app, or a route of it", "drycc routes"}},
		"redirect loop": {serve(func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, r.URL.Path, http.StatusFound) }),
			"challenge:fail", "challenge", []string{"in a circle"}},
		"redirects without end": {serve(func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, r.URL.Path+"/x", http.StatusFound) }),
			"challenge:fail", "challenge", []string{"in a circle"}},
		"redirect to another name": {serve(func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "http://secret.internal/"+r.URL.Path, http.StatusFound)
		}),
			"challenge:fail", "challenge", []string{"led to another name", "secret.internal"}},
		"redirect to another port": {serve(func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "http://"+site+":6443/", http.StatusFound)
		}),
			"challenge:fail", "challenge", []string{":6443"}},
		"redirect to HTTPS that answers": {serve(func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "https://"+site+r.URL.Path, http.StatusMovedPermanently)
		}), "", "challenge", []string{"the platform answers"}},
		"not HTTP": {func(w *world) { w.at[here+":80"] = w.at[here+":443"] }, "challenge:fail", "challenge", []string{"400"}},

		"port 443 refused":    {func(w *world) { delete(w.at, here+":443") }, "https:fail", "https", []string{"connection refused"}},
		"443 without TLS":     {func(w *world) { w.at[here+":443"] = w.at[here+":80"] }, "https:fail", "https", []string{"does not speak TLS"}},
		"for another name":    {certs(-day, 80*day, true, "other.example.com"), "https:fail", "https", []string{"other.example.com", "not for this domain"}},
		"not the one we have": {certs(-day, 80*day, false, site), "https:fail", "https", []string{"not the certificate that the platform has"}},
		"expired":             {certs(-90*day, -day, true, site), "https:fail", "https", []string{"has expired"}},
		"expires soon":        {certs(-90*day, day, true, site), "https:warn", "https", []string{"ends soon"}},
		"from the future":     {certs(day, 90*day, true, site), "https:fail", "https", []string{"valid from", "clock"}},
		"none yet": {func(w *world) {
			certs(-day, 80*day, false, "*.platform.test")(w)
			w.subject.Leaf, w.subject.Source, w.subject.Answers = nil, control.FromNobody, false
		}, "directory:skipped clock:skipped account:skipped caa:skipped challenge:skipped limit:skipped https:fail", "https", []string{"drycc tls auto enable -a hello", "drycc certs add"}},
		"uploaded and old": {func(w *world) {
			certs(-90*day, -day, true, site)(w)
			w.subject.Source, w.subject.Cert, w.subject.Answers = control.FromUser, "old", false
		}, "", "https", []string{"drycc certs detach old " + site + " -a hello"}},
		"the platform's meanwhile": {func(w *world) { w.subject.Interim = true }, "https:warn", "https", []string{"platform's own", "tries again"}},
		"handshake refused":        {func(w *world) { w.serveAlerts(here) }, "https:fail", "https", []string{"refuses this name"}},
	} {
		t.Run(name, b.check)
	}
}

func TestBrokenAuthority(t *testing.T) {
	t.Parallel()
	failed := func(kind control.CertProblem, message string, change func(*control.ACMESubject)) func(*world) {
		return func(w *world) {
			w.subject.ACME.Last = &control.ACMEFailure{Time: w.now.Add(-time.Hour), Problem: kind, Message: message,
				Next: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
			if change != nil {
				change(&w.subject.ACME)
			}
		}
	}
	eab := func(a *control.ACMESubject) { a.KeyID, a.External = "kid-1", true }
	const off = "account:skipped"
	for name, b := range map[string]broken{
		"away":                             {func(w *world) { delete(w.at, ca+":443") }, "directory:fail clock:skipped " + off, "directory", []string{"connection refused", "cannot be reached"}},
		"out of order":                     {func(w *world) { w.subject.ACME.Directory = "https://ca.test/broken" }, "directory:fail " + off, "directory", []string{"502"}},
		"not a directory":                  {func(w *world) { w.subject.ACME.Directory = "https://ca.test/text" }, "directory:fail " + off, "directory", []string{"something else than a directory"}},
		"not trusted":                      {func(w *world) { w.options.Directory = nil }, "directory:fail clock:skipped " + off, "directory", []string{"does not trust"}},
		"plain HTTP":                       {func(w *world) { w.subject.ACME.Directory = "http://ca.test/dir" }, "", "directory", []string{"https://"}},
		"clock behind":                     {func(w *world) { w.now = w.now.Add(-20 * time.Minute) }, "clock:fail", "clock", []string{"behind", "timedatectl"}},
		"clock ahead":                      {func(w *world) { w.now = w.now.Add(3 * time.Minute) }, "clock:warn", "clock", []string{"ahead"}},
		"EAB missing":                      {func(w *world) { w.subject.ACME.Directory = "https://ca.test/eab" }, "account:fail", "account", []string{"none is set", "ACME_EAB_KEY_ID"}},
		"EAB refused":                      {failed("eab", "bad EAB", eab), "account:fail limit:warn", "account", []string{"bad EAB", "kid-1", "key id or key is wrong"}},
		"account revoked":                  {failed("account", "account is deactivated", nil), "account:fail limit:warn", "account", []string{"acct/1", "deactivated", "new account"}},
		"under way":                        {failed("running", "", nil), "", "limit", []string{"under way"}},
		"rate limited, with a certificate": {failed("rate-limited", "too many certificates", nil), "limit:warn", "limit", []string{"until 2030"}},
		"rate limited": {func(w *world) { failed("rate-limited", "too many certificates", nil)(w); w.subject.Interim = true }, "limit:fail https:warn", "limit",
			[]string{"too many certificates", "until 2030-01-02T03:04:05Z", "rate-limited"}},
		"failed, reason gone": {failed("connection", "fetching timed out", nil), "limit:fail", "limit", []string{"look well now", "tried again at 2030"}},
		"failed, reason seen": {func(w *world) { failed("connection", "refused", nil)(w); delete(w.at, here+":80") },
			"http:fail challenge:skipped limit:warn", "limit", []string{"mend the links above"}},
	} {
		t.Run(name, b.check)
	}
}

// An address in front of the platform is fine when the platform is behind it.
func TestBehindARouter(t *testing.T) {
	t.Parallel()
	inside := netip.MustParseAddr("10.0.0.5")
	w := newWorld(t)
	w.subject.Addresses = []netip.Addr{inside}
	d := w.look()
	assert.Empty(t, states(d), "%+v", d.Links)
	l, _ := d.Find("points")
	assert.Contains(t, l.Evidence, here+" passes requests on to the platform at 10.0.0.5")

	w = newWorld(t) // which routers often cannot show to those inside
	w.subject.Addresses = []netip.Addr{inside}
	w.at[here+":80"], w.at[here+":443"] = "", ""
	d = w.look()
	assert.Equal(t, "points:warn http:skipped challenge:skipped https:skipped", states(d), "%+v", d.Links)

	w = newWorld(t) // a proxy that answers port 80 itself
	w.subject.Addresses = []netip.Addr{inside}
	w.at["10.0.0.5:80"] = w.at[here+":80"]
	w.serve(here, http.NotFoundHandler())
	d = w.look()
	l, _ = d.Find("challenge")
	assert.Contains(t, l.Reason, "although the platform's gateway would", "%+v", d.Links)
}

// The host's file is read at each look.
func TestResolvConf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	host, port, err := net.SplitHostPort(w.options.Resolvers[0])
	require.NoError(t, err)
	w.at["127.0.0.1:53"] = net.JoinHostPort(host, port)
	w.options.Resolvers, w.options.Search = nil, nil
	w.options.ResolvConf = filepath.Join(t.TempDir(), "resolv.conf")
	for text, found := range map[string]string{
		"": "search:skipped", "search a.test\nnameserver 127.0.0.1\n": "", "nameserver 127.0.0.1\nsearch .\n": "search:skipped",
	} {
		require.NoError(t, os.WriteFile(w.options.ResolvConf, []byte(text), 0o600))
		assert.Equal(t, found, states(w.look()), text)
	}
	require.NoError(t, os.Remove(w.options.ResolvConf))
	l, _ := w.look().Find("dns")
	assert.Equal(t, platform.LinkOK, l.State, "a host without the file asks itself")
}

func TestNamesOfThisMachine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveTLS(here, w.certificate(w.now.Add(-time.Hour), w.now.AddDate(0, 0, 80), "*.slipway.localhost"), nil)
	w.subject = control.DomainSubject{App: "hello", Domain: "hello.slipway.localhost", Addresses: w.subject.Addresses, Source: control.FromOwn}
	d := w.look()
	assert.False(t, d.Broken(), "%+v", d.Links)
	l, _ := d.Find("https")
	assert.Contains(t, l.Evidence, "http://drycc.platform.test/ca.crt")
}

// Where the platform is in a private network, an address of that network at
// which nobody answers is a wrong one: there is no router in between.
func TestPrivateAddressOfNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subject.Addresses = []netip.Addr{netip.MustParseAddr("10.0.0.5")}
	w.set(site+". A", site+". 300 IN A 10.0.0.254")
	w.at["10.0.0.254:80"], w.at["10.0.0.254:443"] = "", ""
	d := w.look()
	l, _ := d.Find("points")
	assert.Equal(t, platform.LinkFail, l.State, "%+v", d.Links)
	assert.Contains(t, l.Cure, "10.0.0.5")
}

// An authority's own server may have a certificate of a private authority,
// which the platform was told of.
func TestPrivateRootOfAnAuthority(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	roots := w.options.Directory.(*http.Transport).TLSClientConfig.RootCAs
	w.options.Directory = nil
	w.set("example.com. A", "example.com. 300 IN A "+ca) // the name in that certificate
	w.subject.ACME.Directory = "https://example.com/dir"
	l, _ := w.look().Find("directory")
	assert.Equal(t, platform.LinkFail, l.State, "%+v", l)
	assert.Contains(t, l.Cure, "ACME_CA_FILE")
	w.options.Roots = roots
	l, _ = w.look().Find("directory")
	assert.Equal(t, platform.LinkOK, l.State, "%+v", l)
}
