package platform

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHostnames(t *testing.T) {
	for _, good := range []string{"a", "example.com", "*.example.com", "xn--bcher-kva.de", "1.2.3.4a", "a-b.c", strings.Repeat("a.", 126) + "a"} {
		require.NoError(t, ValidateHostname(good), good)
	}
	for _, bad := range []string{"", "*", "*.", ".", "a.", ".a", "a..b", "A.com", "-a", "a-", "1.2.3.4", "a_b", "a b", "*.*.a", "a.*", "ü.de", "a\x00b",
		strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a"} {
		require.Error(t, ValidateHostname(bad), bad)
	}
}

func TestCoversHost(t *testing.T) {
	for _, tc := range []struct {
		name, host string
		want       bool
	}{
		{"example.com", "example.com", true}, {"Example.COM", "example.com", true}, {"example.com", "www.example.com", false},
		{"*.example.com", "www.example.com", true}, {"*.example.com", "a.b.example.com", false}, {"*.example.com", "example.com", false},
		{"*.example.com", "*.example.com", true}, {"*.com", "*.example.com", false}, {"*", "com", false}, {"*example.com", "anexample.com", false},
		{"", "example.com", false}, {"*.", "a.", false},
	} {
		require.Equal(t, tc.want, CoversHost(tc.name, tc.host), "%s %s", tc.name, tc.host)
	}
	require.True(t, HostsMeet("www.example.com", "*.example.com"))
	require.False(t, HostsMeet("*.example.com", "example.com"))
}

func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// selfSigned makes a certificate with its key in the form given.
func selfSigned(t testing.TB, private any, public any, names ...string) []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "cn.example.com", Organization: []string{"Acme, Inc."}},
		DNSNames: names, NotBefore: now().Add(-time.Hour), NotAfter: now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// Every usual form of a key, with what tools write around it.
func TestReadCertKeys(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(ec)
	require.NoError(t, err)
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		return block("PRIVATE KEY", der)
	}
	for name, tc := range map[string]struct{ chain, key []byte }{
		"ec pkcs8":  {selfSigned(t, ec, &ec.PublicKey, "a.example.com"), pkcs8(ec)},
		"ec sec1":   {selfSigned(t, ec, &ec.PublicKey, "a.example.com"), append([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"), block("EC PRIVATE KEY", sec1)...)},
		"rsa pkcs1": {selfSigned(t, old, &old.PublicKey, "a.example.com"), block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(old))},
		"rsa pkcs8": {selfSigned(t, old, &old.PublicKey, "a.example.com"), pkcs8(old)},
		"ed25519":   {selfSigned(t, ed, ed.Public(), "a.example.com"), pkcs8(ed)},
		"with text": {append([]byte("Certificate:\n  Data:\n"), selfSigned(t, ec, &ec.PublicKey, "a.example.com")...), append([]byte("a comment\n"), pkcs8(ec)...)},
	} {
		c, err := ReadCert(tc.chain, tc.key, now())
		require.NoError(t, err, name)
		require.Equal(t, []string{"a.example.com"}, c.SAN)
		require.Equal(t, "cn.example.com", c.CommonName)
		require.Equal(t, `CN=cn.example.com,O=Acme\, Inc.`, c.Subject)
		require.Regexp(t, `^([0-9A-F]{2}:){31}[0-9A-F]{2}$`, c.Fingerprint)
		require.True(t, c.Covers("a.example.com"))
		require.True(t, c.Covers("cn.example.com"))
		require.False(t, c.Covers("b.example.com"))
		require.Equal(t, 1, strings.Count(string(c.Chain), "BEGIN CERTIFICATE"))
		require.NotContains(t, string(c.Chain), "Data:")
	}
}

func TestReadCertRefuses(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	require.NoError(t, err)
	chain, key := selfSigned(t, ec, &ec.PublicKey, "a.example.com"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	broken := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("topsecret bytes")})
	for name, tc := range map[string]struct {
		chain, key []byte
		at         time.Time
		field      string
		says       string
	}{
		"expired":   {chain, key, now().Add(2 * time.Hour), "certificate", "expired on 2026-03-01 13:00:00 UTC"},
		"broken":    {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), key, now(), "certificate", "Could not load certificate"},
		"empty":     {nil, key, now(), "certificate", "no PEM block"},
		"huge":      {make([]byte, maxPEM+1), key, now(), "certificate", "larger than 256 KiB"},
		"too many":  {[]byte(strings.Repeat(string(chain), maxChain+1)), key, now(), "certificate", "more than 16"},
		"key huge":  {chain, make([]byte, maxPEM+1), now(), "key", "larger than 256 KiB"},
		"encrypted": {chain, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}), now(), "key", "encrypted"},
		"old style": {chain, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"DEK-Info": "x"}, Bytes: der}), now(), "key", "encrypted"},
		"no key":    {chain, chain, now(), "key", "no PEM block"},
		"bad key":   {chain, broken, now(), "key", "damaged"},
	} {
		_, err := ReadCert(tc.chain, tc.key, tc.at)
		var e *Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, tc.field, e.Field, name)
		require.Contains(t, e.Message, tc.says, name)
		require.NotContains(t, err.Error(), "topsecret")
	}
	_, err = ReadCert([]byte(string(chain)+string(chain)), key, now())
	require.ErrorContains(t, err, "not signed by", "the same one twice")
}

func TestNamesOfCertificates(t *testing.T) {
	require.Error(t, ValidateCertName(""))
	require.Error(t, ValidateCertName("A"))
	require.Error(t, ValidateCertName(strings.Repeat("a", 64)))
	require.Error(t, ValidateCertName("a\x00"))
	require.NoError(t, ValidateCertName("example-com-2017"))
	require.Equal(t, []string{"cn"}, Cert{CommonName: "cn"}.Names())
	require.Equal(t, []string{"san"}, Cert{CommonName: "cn", SAN: []string{"san"}}.Names())
}

func open() []GatewayPort { return []GatewayPort{{80, ProtocolHTTP}, {443, ProtocolHTTPS}} }

func rules(change func(*RouteRule)) Route {
	r := Route{Kind: HTTPRoute, Rules: []RouteRule{{Backends: []Backend{{Service: "hello", Port: 80}}}}}
	change(&r.Rules[0])
	return r
}

func TestKindsOfRoutes(t *testing.T) {
	more := append(open(), GatewayPort{5432, ProtocolTCP}, GatewayPort{443, ProtocolTLS})
	route := func(kind string, change func(*RouteRule)) Route { r := rules(change); r.Kind = kind; return r }
	plain := func(*RouteRule) {}
	for _, kind := range []string{HTTPRoute, GRPCRoute, TCPRoute, TLSRoute} {
		require.NoError(t, ValidateRoute(route(kind, plain), more), kind)
	}
	for name, tc := range map[string]struct {
		route Route
		says  string
	}{
		"udp":      {route("UDPRoute", plain), "knows no UDP"},
		"no kind":  {route("x\n", plain), "is not a valid choice: use HTTPRoute, GRPCRoute, TCPRoute or TLSRoute"},
		"matches":  {route(TCPRoute, func(r *RouteRule) { r.Matches = []RouteMatch{{Method: "GET"}} }), "neither matches nor filters"},
		"filters":  {route(TLSRoute, func(r *RouteRule) { r.Filters = []RouteFilter{{Type: FilterRedirect, Redirect: &Redirect{}}} }), "neither matches nor filters"},
		"no route": {route(TCPRoute, func(r *RouteRule) { r.Backends = nil }), "backendRefs"},
	} {
		require.ErrorContains(t, ValidateRoute(tc.route, more), tc.says, name)
	}
	two := route(TCPRoute, plain)
	two.Rules = append(two.Rules, two.Rules[0])
	require.ErrorContains(t, ValidateRoute(two, more), "has one rule")
	require.ErrorContains(t, ValidateRoute(route(TCPRoute, plain), open()), "SLIPWAY_GATEWAY_PORTS")
}

func TestRouteRules(t *testing.T) {
	match := func(m RouteMatch) Route { return rules(func(r *RouteRule) { r.Matches = []RouteMatch{m} }) }
	path := func(kind, value string) Route { return match(RouteMatch{Path: &ValueMatch{kind, value}}) }
	filter := func(f RouteFilter) Route { return rules(func(r *RouteRule) { r.Filters = []RouteFilter{f} }) }
	weight := func(n int) Route { return rules(func(r *RouteRule) { r.Backends[0].Weight = &n }) }
	for name, r := range map[string]Route{
		"plain": rules(func(*RouteRule) {}), "path": path("", "/a/b%20c"), "regex": path("RegularExpression", "^/v[0-9]+$"), "zero": weight(0),
		"header": match(RouteMatch{Headers: []NamedMatch{{"", "X-A", "1"}, {"RegularExpression", "X-B", ".*"}}}),
		"redirect": rules(func(r *RouteRule) {
			r.Backends = nil
			r.Filters = []RouteFilter{{Type: FilterRedirect, Redirect: &Redirect{Scheme: "https"}}}
		}),
	} {
		require.NoError(t, ValidateRoute(r, open()), name)
	}
	for name, r := range map[string]Route{
		"no rules": {Kind: HTTPRoute}, "kind": {Kind: "HTTP\nRoute"}, "udp": {Kind: "UDPRoute"},
		"relative": path("", "a"), "dots": path("", "/a/../b"), "double": path("", "//a"), "percent": path("Exact", "/%zz"), "space": path("", "/a b"),
		"backtick": path("", "/`) || Host(`x"), "nul": path("", "/\x00"), "type": path("Glob", "/"), "long": path("", "/"+strings.Repeat("a", 2000)), "bad regex": path("RegularExpression", "(["),
		"method": match(RouteMatch{Method: "get"}), "call": match(RouteMatch{Call: &CallMatch{Service: "a"}}),
		"header name": match(RouteMatch{Headers: []NamedMatch{{"", "a b", "1"}}}), "header value": match(RouteMatch{Headers: []NamedMatch{{"", "a", "1\r\nb: c"}}}),
		"heavy": weight(1000001), "light": weight(-1), "no backend": rules(func(r *RouteRule) { r.Backends = nil }),
		"port": rules(func(r *RouteRule) { r.Backends[0].Port = 0 }), "service": rules(func(r *RouteRule) { r.Backends[0].Service = "other/hello" }),
		"mirror": filter(RouteFilter{Type: "RequestMirror"}), "extension": filter(RouteFilter{Type: "ExtensionRef"}),
		"empty headers": filter(RouteFilter{Type: FilterRequestHeaders, Headers: &HeaderChange{}}),
		"split answer":  filter(RouteFilter{Type: FilterResponseHeaders, Headers: &HeaderChange{Set: []NameValue{{"X", "a\nb"}}}}),
		"rewrite host":  filter(RouteFilter{Type: FilterRewrite, Rewrite: &Rewrite{Hostname: "a b"}}),
		"prefix":        filter(RouteFilter{Type: FilterRewrite, Rewrite: &Rewrite{Path: &PathChange{ReplacePrefix, "/"}}}),
		"both":          filter(RouteFilter{Type: FilterRedirect, Redirect: &Redirect{}}),
		"many":          {Kind: HTTPRoute, Rules: make([]RouteRule, maxRules+1)},
	} {
		err := ValidateRoute(r, open())
		require.Equal(t, Invalid, CodeOf(err), "%s: %v", name, err)
	}
	grpc := Route{Kind: GRPCRoute, Rules: []RouteRule{{Backends: []Backend{{Service: "hello", Port: 80}}, Matches: []RouteMatch{{Call: &CallMatch{Service: "a.B", Method: "C"}}}}}}
	require.NoError(t, ValidateRoute(grpc, open()))
	grpc.Rules[0].Matches[0].Method = "GET"
	require.Error(t, ValidateRoute(grpc, open()))
}

func TestGatewayPorts(t *testing.T) {
	require.NoError(t, ValidateGatewayPorts(open(), open()))
	err := ValidateGatewayPorts([]GatewayPort{{53, ProtocolUDP}}, open())
	require.ErrorContains(t, err, "port 53 (UDP) is not open on this platform: its gateway listens on 80 (HTTP) and 443 (HTTPS)")
	require.ErrorContains(t, ValidateGatewayPorts([]GatewayPort{{80, ProtocolHTTP}, {80, ProtocolHTTP}}, open()), "port is occupied")
	both := []GatewayPort{{443, ProtocolHTTPS}, {443, ProtocolUDP}}
	require.NoError(t, ValidateGatewayPorts(both, both), "UDP beside another")
	require.Equal(t, "80 (HTTP)", PortList(open()[:1]))
}

// No input makes the readers panic, and what they accept is well-formed.
func FuzzReadCert(f *testing.F) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(f, err)
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	require.NoError(f, err)
	f.Add(selfSigned(f, ec, &ec.PublicKey, "a.example.com"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), []byte("\x00"))
	f.Fuzz(func(t *testing.T, chain, key []byte) {
		c, err := ReadCert(chain, key, now())
		if err == nil && (c.Fingerprint == "" || len(c.Chain) == 0) {
			t.Fatal("accepted without content")
		}
	})
}

func FuzzHostname(f *testing.F) {
	for _, s := range []string{"example.com", "*.a.b", "1.2.3.4", "a\x00", strings.Repeat("a.", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if ValidateHostname(s) == nil && (len(s) > 253 || strings.ToLower(s) != s || strings.ContainsAny(s, "\x00 /:_`\"")) {
			t.Fatalf("accepted %q", s)
		}
	})
}
