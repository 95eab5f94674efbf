package platformtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func (f fixture) domain(app, name string) platform.Domain {
	d := platform.Domain{App: app, Name: name, Ptype: "web", Created: day(1), Updated: day(1)}
	require.NoError(f.t, f.AddDomain(f.ctx, d))
	return d
}

// cert adds a certificate of an app, or of its user alone when app is empty.
func (f fixture) cert(app, owner, name string, san ...string) (platform.Cert, error) {
	return f.AddCert(f.ctx, platform.Cert{
		App: app, Owner: owner, Name: name, Chain: []byte("chain of " + name), CommonName: "cn." + name, SAN: san,
		Fingerprint: "fp " + app + owner + name, Issuer: "CN=i", Subject: "CN=s", Starts: day(1), Expires: day(9), Created: day(2), Updated: day(2),
	}, []byte("key of "+name))
}

func (f fixture) edge(app string) control.Edge {
	e, err := f.FindEdge(f.ctx, app)
	require.NoError(f.t, err)
	return e
}

func suiteDomains(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	www := f.domain("hello", "www.example.com")
	f.domain("hello", "*.example.com")
	f.domain("other", "example.net")
	f.code(platform.Conflict, f.AddDomain(f.ctx, platform.Domain{App: "other", Name: "www.example.com", Ptype: "web"}))
	f.code(platform.NotFound, f.AddDomain(f.ctx, platform.Domain{App: "nothere", Name: "x.example.com", Ptype: "web"}))
	found, err := f.FindDomain(f.ctx, "www.example.com")
	require.NoError(t, err)
	require.Equal(t, www, found)
	_, err = f.FindDomain(f.ctx, "nothere")
	f.code(platform.NotFound, err)
	var names []string
	for _, d := range f.edge("hello").Domains {
		names = append(names, d.Name)
	}
	require.Equal(t, []string{"*.example.com", "www.example.com"}, names)
	claims, err := f.ListClaims(f.ctx, "other", []string{"www.example.com", "example.net", "nothere"})
	require.NoError(t, err)
	require.Equal(t, []control.Claim{{App: "hello", Workspace: "wshello", Name: "www.example.com"}}, claims)
	below, err := f.ListBelow(f.ctx, "wsother", "example.com")
	require.NoError(t, err)
	require.Equal(t, []control.Claim{{App: "hello", Workspace: "wshello", Name: "*.example.com"}, {App: "hello", Workspace: "wshello", Name: "www.example.com"}}, below)
	for workspace, name := range map[string]string{"wshello": "example.com", "wsother": "xample.com"} {
		below, err = f.ListBelow(f.ctx, workspace, name)
		require.NoError(t, err)
		require.Empty(t, below)
	}
	f.code(platform.NotFound, f.DeleteDomain(f.ctx, "other", "www.example.com", day(3)))
	require.NoError(t, f.DeleteDomain(f.ctx, "hello", "www.example.com", day(3)))
	require.Len(t, f.edge("hello").Domains, 1)
	_, err = f.FindEdge(f.ctx, "nothere")
	f.code(platform.NotFound, err)
	require.NoError(t, f.DeleteApp(f.ctx, "hello"))
	_, err = f.FindDomain(f.ctx, "*.example.com")
	f.code(platform.NotFound, err)
}

func suiteCerts(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	one, err := f.cert("hello", "userhello", "one", "www.example.com", "example.com")
	require.NoError(t, err)
	require.Positive(t, one.ID)
	_, err = f.cert("hello", "userhello", "one")
	f.code(platform.Conflict, err)
	_, err = f.cert("nothere", "userhello", "one")
	f.code(platform.NotFound, err)
	_, err = f.cert("hello", "nobody", "two")
	f.code(platform.NotFound, err)
	_, err = f.cert("other", "userother", "one")
	require.NoError(t, err, "another app")
	own, err := f.cert("", "userhello", "one", "*.example.net")
	require.NoError(t, err, "of no app")
	_, err = f.cert("", "userhello", "one")
	f.code(platform.Conflict, err)

	list := func(filter control.CertFilter, p control.Page) ([]int64, int) {
		certs, total, err := f.ListCerts(f.ctx, filter, p)
		require.NoError(t, err)
		ids := []int64{}
		for _, c := range certs {
			ids = append(ids, c.ID)
		}
		return ids, total
	}
	for _, tc := range []struct {
		filter control.CertFilter
		page   control.Page
		want   []int64
		total  int
	}{
		{control.CertFilter{App: "hello", OfApp: true}, control.Page{}, []int64{one.ID}, 1},
		{control.CertFilter{App: "hello", OfApp: true, Name: "two"}, control.Page{}, []int64{}, 0},
		{control.CertFilter{OfApp: true, Username: "userhello"}, control.Page{}, []int64{own.ID}, 1},
		{control.CertFilter{Username: "userhello"}, control.Page{}, []int64{one.ID, own.ID}, 2},
		{control.CertFilter{Username: "userhello"}, control.Page{Limit: 1, Offset: 1}, []int64{own.ID}, 2},
		{control.CertFilter{Username: "userhello", Name: "one"}, control.Page{}, []int64{one.ID, own.ID}, 2},
		{control.CertFilter{Username: "nobody"}, control.Page{}, []int64{}, 0},
	} {
		got, total := list(tc.filter, tc.page)
		require.Equal(t, tc.want, got, "%+v", tc)
		require.Equal(t, tc.total, total, "%+v", tc)
	}
	certs, _, err := f.ListCerts(f.ctx, control.CertFilter{App: "hello", OfApp: true}, control.Page{})
	require.NoError(t, err)
	require.Equal(t, []platform.Cert{one}, certs)
}

func suitePairs(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	f.domain("hello", "www.example.com")
	f.domain("hello", "blog.example.com")
	cert, err := f.cert("hello", "userhello", "one", "www.example.com", "example.com")
	require.NoError(t, err)
	require.NoError(t, f.SaveLeaf(f.ctx, control.Pair{Domain: "blog.example.com", Chain: []byte("old"), Key: []byte("k")}, control.Leaf{Starts: day(1), Expires: day(2)}, time.Time{}))
	leaf := control.Pair{Domain: "blog.example.com", Chain: []byte("leaf"), Key: []byte("leaf key")}
	f.code(platform.Conflict, f.SaveLeaf(f.ctx, leaf, control.Leaf{Starts: day(2), Expires: day(8)}, time.Time{}))
	require.NoError(t, f.SaveLeaf(f.ctx, leaf, control.Leaf{Starts: day(2), Expires: day(8)}, day(1)))
	require.NoError(t, f.SaveLeaf(f.ctx, control.Pair{Domain: "www.example.com", Chain: []byte("x"), Key: []byte("y")}, control.Leaf{Starts: day(2), Expires: day(8)}, time.Time{}))
	f.code(platform.NotFound, f.SaveLeaf(f.ctx, control.Pair{Domain: "nothere"}, control.Leaf{Starts: day(1), Expires: day(2)}, time.Time{}))
	require.NoError(t, f.AttachCert(f.ctx, "hello", "www.example.com", cert.ID, day(4)))
	f.code(platform.NotFound, f.AttachCert(f.ctx, "other", "www.example.com", cert.ID, day(4)))
	pairs, err := f.ListPairs(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, []control.Pair{leaf, {Domain: "www.example.com", Name: "one", Chain: []byte("chain of one"), Key: []byte("key of one")}}, pairs,
		"an attached one comes first")
	e := f.edge("hello")
	require.Equal(t, []control.Leaf{{Domain: "blog.example.com", Starts: day(2), Expires: day(8)}, {Domain: "www.example.com", Starts: day(2), Expires: day(8)}}, e.Leaves)
	require.Equal(t, "one", e.Domains[1].Cert)
	require.Equal(t, cert.ID, e.Domains[1].CertID)
	claims, err := f.ListClaims(f.ctx, "other", []string{"example.com"})
	require.NoError(t, err)
	require.Contains(t, claims, control.Claim{App: "hello", Workspace: "wshello", Name: "example.com", Cert: true})
	certs, _, err := f.ListCerts(f.ctx, control.CertFilter{App: "hello", OfApp: true}, control.Page{})
	require.NoError(t, err)
	require.Equal(t, []string{"www.example.com"}, certs[0].Domains)

	require.NoError(t, f.AttachCert(f.ctx, "hello", "www.example.com", 0, day(5)))
	require.Zero(t, f.edge("hello").Domains[1].CertID)
	require.NoError(t, f.AttachCert(f.ctx, "hello", "www.example.com", cert.ID, day(5)))
	require.NoError(t, f.DeleteCert(f.ctx, cert.ID, day(6)))
	require.Zero(t, f.edge("hello").Domains[1].CertID, "its domains lose it")
	f.code(platform.NotFound, f.DeleteCert(f.ctx, cert.ID, day(6)))
	require.NoError(t, f.DeleteDomain(f.ctx, "hello", "blog.example.com", day(7)))
	require.Len(t, f.edge("hello").Leaves, 1)
}

func suiteTLS(t *testing.T, f fixture) {
	f.app("hello")
	require.Equal(t, platform.TLS{App: "hello"}, f.edge("hello").TLS)
	on, off := true, false
	want := platform.TLS{App: "hello", HTTPSEnforced: &on, AutoCerts: &off, Created: day(1), Updated: day(1),
		Issuer: platform.Issuer{Email: "a@b", Server: "https://acme", KeyID: "kid", KeySecret: "hunter2"}}
	require.NoError(t, f.SaveTLS(f.ctx, want))
	require.Equal(t, want, f.edge("hello").TLS)
	apps, err := f.ListAuto(f.ctx)
	require.NoError(t, err)
	require.Empty(t, apps)
	want.HTTPSEnforced, want.AutoCerts, want.Updated = nil, &on, day(2)
	require.NoError(t, f.SaveTLS(f.ctx, want))
	require.Equal(t, want, f.edge("hello").TLS)
	apps, err = f.ListAuto(f.ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"hello"}, apps)
	f.code(platform.NotFound, f.SaveTLS(f.ctx, platform.TLS{App: "nothere"}))
	events, err := f.ListEvents(f.ctx, "hello", 0, 100)
	require.NoError(t, err)
	for _, e := range events {
		require.NotContains(t, string(e.Data), "hunter2")
	}
}

func suiteRouting(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	worker := platform.Service{App: "hello", Ptype: "worker", Created: day(1), Updated: day(1), Ports: []platform.ServicePort{{Port: 80, Protocol: "TCP", Target: 5000}}}
	require.NoError(t, f.SaveService(f.ctx, worker))
	worker.Ports = append(worker.Ports, platform.ServicePort{Port: 53, Protocol: "UDP", Target: 53})
	worker.Updated = day(2)
	require.NoError(t, f.SaveService(f.ctx, worker))
	require.Equal(t, []platform.Service{worker}, f.edge("hello").Services)
	f.code(platform.NotFound, f.SaveService(f.ctx, platform.Service{App: "nothere", Ptype: "web", Ports: worker.Ports}))

	g, err := f.SaveGateway(f.ctx, platform.Gateway{App: "hello", Name: "front", Ports: []platform.GatewayPort{{Port: 80, Protocol: "HTTP"}}, Created: day(1), Updated: day(1)})
	require.NoError(t, err)
	g.Ports, g.Updated = append(g.Ports, platform.GatewayPort{Port: 443, Protocol: "HTTPS"}), day(2)
	again, err := f.SaveGateway(f.ctx, g)
	require.NoError(t, err)
	require.Equal(t, g, again, "the ID stays")
	f.exclusivePorts()
	weight := 0
	r := platform.Route{
		App: "hello", Name: "sleep", Kind: platform.HTTPRoute, Parents: []platform.ParentRef{{Name: "front", Port: 80}}, Created: day(1), Updated: day(1),
		Rules: []platform.RouteRule{{
			Matches:  []platform.RouteMatch{{Path: &platform.ValueMatch{Value: "/x"}, Headers: []platform.NamedMatch{{Name: "a", Value: "b"}}}},
			Filters:  []platform.RouteFilter{{Type: platform.FilterRedirect, Redirect: &platform.Redirect{Hostname: "h", Path: &platform.PathChange{Type: platform.ReplaceFull, Value: "/"}}}},
			Backends: []platform.Backend{{Service: "hello", Port: 80, Weight: &weight}},
		}},
	}
	r, err = f.SaveRoute(f.ctx, r)
	require.NoError(t, err)
	same, err := f.SaveRoute(f.ctx, r)
	require.NoError(t, err)
	require.Equal(t, r.ID, same.ID)
	e := f.edge("hello")
	require.Equal(t, []platform.Gateway{g}, e.Gateways)
	require.Equal(t, []platform.Route{r}, e.Routes)
	require.Empty(t, f.edge("other").Routes)
	_, err = f.SaveRoute(f.ctx, platform.Route{App: "nothere", Name: "x"})
	f.code(platform.NotFound, err)
	_, err = f.SaveGateway(f.ctx, platform.Gateway{App: "nothere", Name: "x"})
	f.code(platform.NotFound, err)

	f.code(platform.NotFound, f.DeleteRoute(f.ctx, "other", "sleep", day(3)))
	require.NoError(t, f.DeleteRoute(f.ctx, "hello", "sleep", day(3)))
	f.code(platform.NotFound, f.DeleteGateway(f.ctx, "other", "front", day(3)))
	require.NoError(t, f.DeleteGateway(f.ctx, "hello", "front", day(3)))
	worker.Ports = nil
	require.NoError(t, f.SaveService(f.ctx, worker))
	f.code(platform.NotFound, f.SaveService(f.ctx, worker))
	e = f.edge("hello")
	require.Empty(t, append(append(make([]any, len(e.Services)), make([]any, len(e.Gateways))...), make([]any, len(e.Routes))...))
}

// exclusivePorts: a port without names belongs to one app.
func (f *fixture) exclusivePorts() {
	tcp := platform.GatewayPort{Port: 5432, Protocol: "TCP"}
	mine := platform.Gateway{App: "other", Name: "db", Ports: []platform.GatewayPort{tcp}, Created: day(1), Updated: day(1)}
	mine, err := f.SaveGateway(f.ctx, mine)
	require.NoError(f.t, err)
	_, err = f.SaveGateway(f.ctx, mine)
	require.NoError(f.t, err, "its own")
	theirs := platform.Gateway{App: "hello", Name: "db", Created: day(1), Updated: day(1), Ports: []platform.GatewayPort{{Port: 80, Protocol: "HTTP"}, tcp}}
	_, err = f.SaveGateway(f.ctx, theirs)
	f.code(platform.Invalid, err)
	require.ErrorContains(f.t, err, "port 5432 (TCP) is taken by another app")
	theirs.Ports[1].Port = 5433
	theirs, err = f.SaveGateway(f.ctx, theirs)
	require.NoError(f.t, err)
	require.NoError(f.t, f.DeleteGateway(f.ctx, "other", "db", day(2)))
	theirs.Ports[1] = tcp
	_, err = f.SaveGateway(f.ctx, theirs)
	require.NoError(f.t, err, "given back")
	require.NoError(f.t, f.DeleteGateway(f.ctx, "hello", "db", day(2)))
}
