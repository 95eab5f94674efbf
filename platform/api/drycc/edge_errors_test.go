package drycc

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// says checks that a refusal names the field at fault and has the words. That
// nothing has changed is checked by request.
func (s *stage) says(who, method, target, body string, status int, field, words string) {
	s.t.Helper()
	w := s.request(who, method, target, body)
	require.Equal(s.t, status, w.Code, "%.200s: %s", body, w.Body)
	assert.Less(s.t, w.Body.Len(), 1000, "long input is not sent back")
	var fields map[string]json.RawMessage
	if json.Unmarshal(w.Body.Bytes(), &fields) != nil {
		assert.Empty(s.t, field, "%s", w.Body)
	} else if field != "" {
		require.Contains(s.t, fields, field, "%s", w.Body)
	}
	var plain strings.Builder
	plain.WriteString(strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(w.Body.String()))
	assert.Contains(s.t, plain.String(), words)
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	out, err := json.Marshal(text)
	require.NoError(t, err)
	return string(out)
}

// Every wrong name of a domain is refused with a reason of its own.
func TestWrongDomains(t *testing.T) {
	s := newStage(t)
	s.request("adalove", "POST", "/v2/apps/", `{"id": "hello"}`)
	s.request("bobross", "POST", "/v2/apps/", `{"id": "other"}`)
	s.request("bobross", "POST", "/v2/apps/other/domains/", `{"domain": "taken.example.com"}`)
	for name, words := range map[string]string{
		"":                          "required",
		"taken.example.com":         "already in use by another app: remove it there first",
		"Taken.Example.COM.":        "already in use by another app",
		"hello.slipway.localhost":   "already in use",
		"other.slipway.localhost":   "already in use by another app",
		"slipway.localhost":         "slipway.localhost is the platform's: choose a name of your own",
		"*.slipway.localhost":       "*.slipway.localhost is the platform's",
		"*.localhost":               "wildcard stands for all of localhost",
		"drycc.slipway.localhost":   "is the platform's",
		"*.drycc.slipway.localhost": "is the platform's",
		strings.Repeat("x", 10000) + ".example.com": "no more than 253 characters",
		strings.Repeat("ü", 300) + ".example.com":   "at most 63 are allowed: shorten it",
		strings.Repeat("a", 64) + ".example.com":    "has 64 characters, at most 63 are allowed",
		strings.Repeat("abcdefg.", 40) + "com":      "no more than 253 characters",
		"203.0.113.5":                               "IP address, and domains are names: make a DNS record",
		"2001:db8::1":                               "IP address",
		"[2001:db8::1]":                             "IP address",
		"https://www.example.com/":                  "give the name only, without http:// and path",
		"www.example.com/shop":                      "up to the first slash",
		"www.example.com:8443":                      "It has a port: leave it off",
		"ada@example.com":                           "give what is behind the @",
		"my_shop.example.com":                       "no underscore; use a hyphen",
		"my shop.example.com":                       "white space",
		"www..example.com":                          "two dots in a row",
		".example.com":                              "two dots in a row, or one in front",
		"example.com..":                             "two dots in a row",
		"-www.example.com":                          "begins or ends with a hyphen: take it off",
		"example.123":                               "is a number: names end in a word",
		"*":                                         "can't only be a wildcard: give the name below which it stands",
		"*.com":                                     "stands for all of com",
		"www.*.example.com":                         "only be the whole first label",
		"w*.example.com":                            "only be the whole first label",
		"xn--a.example.com":                         "could not convert to ACE: invalid label",
		"a\u200db.example.com":                      "could not convert to ACE",
		"shop💥\u0000.example.com":                   "could not convert to ACE: disallowed rune U+0000",
	} {
		s.says("adalove", "POST", "/v2/apps/hello/domains/", `{"domain": `+quoted(t, name)+`}`, 400, "domain", words)
	}
	list := s.request("adalove", "GET", "/v2/apps/hello/domains/", "")
	assert.Contains(t, list.Body.String(), `"count":1`)

	// What is well meant is taken, in the form that the DNS knows.
	for name, kept := range map[string]string{
		"WWW.Example.ORG": "www.example.org", "example.org.": "example.org", "*.Example.org": "*.example.org", "Bücher.example": "xn--bcher-kva.example",
		"xn--bcher-kva.example.net": "xn--bcher-kva.example.net", "例え。テスト": "xn--r8jz45g.xn--zckzah", "*.пример.рф": "*.xn--e1afmkfd.xn--p1ai",
	} {
		w := s.request("adalove", "POST", "/v2/apps/hello/domains/", `{"domain": `+quoted(t, name)+`}`)
		require.Equal(t, 201, w.Code, "%s: %s", name, w.Body)
		assert.Contains(t, w.Body.String(), quoted(t, kept))
	}
	s.says("adalove", "POST", "/v2/apps/hello/domains/", `{"domain": "xn--bcher-kva.example"}`, 400, "domain", "already in use")
	assert.Equal(t, 204, s.request("adalove", "DELETE", "/v2/apps/hello/domains/b%C3%BCcher.example", "").Code)
}

// Every wrong certificate is refused with a reason of its own.
func TestWrongCertificates(t *testing.T) {
	s := newStage(t)
	year := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	ca := makeCert(t, "Acme CA", nil, year.AddDate(9, 0, 0))
	oldCA := makeCert(t, "Old CA", nil, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	below := makeCert(t, "below.example.com", &oldCA, year, "below.example.com")
	s.secrets["<chain-below>"], s.secrets["<key-below>"] = chainOf(below, oldCA), keyOf(below)
	s.secrets["<chain-double>"] = chainOf(ca, ca)
	s.request("adalove", "POST", "/v2/apps/", `{"id": "hello"}`)
	s.request("adalove", "POST", "/v2/apps/hello/certs/", `{"name": "have", "certificate": "<chain-www>", "key": "<key-www>"}`)
	long := strings.Repeat("x", 10000)
	for _, c := range []struct{ name, chain, key, field, words string }{
		{"new", "<chain-www>", "<key-wild>", "", "Certificate and private key do not match! Send the key with which"},
		{"new", "<chain-turned>", "<key-www>", "certificate", "wrong order: the site's own certificate, www.example.com, has to come first"},
		{"new", "<chain-gap>", "<key-www>", "certificate", "put behind each certificate the one that signed it"},
		{"new", "<chain-old>", "<key-old>", "certificate", "old.example.com expired on 2026-01-01 00:00:00 UTC: upload a renewed one"},
		{"new", "<chain-below>", "<key-below>", "certificate", "expired on 2026-01-01 00:00:00 UTC: upload a renewed one"},
		{"new", "hello", "<key-www>", "certificate", "give the file in PEM form"},
		{"new", "<key-www>", "<key-www>", "certificate", "it holds a private key, which has to be sent as key"},
		{"new", "<chain-www>", "hello", "key", "give the file in PEM form"},
		{"new", "<chain-www>", "<chain-www>", "key", "no PEM block"},
		{"new", "<chain-www>", "", "key", "required"},
		{"new", "", "<key-www>", "certificate", "required"},
		{"", "<chain-www>", "<key-www>", "name", "required"},
		{"have", "<chain-www>", "<key-www>", "name", "already exists. Choose another"},
		{"New", "<chain-www>", "<key-www>", "name", "lowercase"},
		{"a.b", "<chain-www>", "<key-www>", "name", "hyphens"},
		{long, "<chain-www>", "<key-www>", "name", "no more than 63 characters"},
		{"new", "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n", "<key-www>", "certificate", "Could not load certificate"},
		{"new", "<chain-www>", "-----BEGIN ENCRYPTED PRIVATE KEY-----\\nAAAA\\n-----END ENCRYPTED PRIVATE KEY-----\\n", "key", "remove the pass phrase first"},
		{"new", strings.Repeat(long, 30), "<key-www>", "certificate", "larger than 256 KiB"},
	} {
		s.says("adalove", "POST", "/v2/apps/hello/certs/", `{"name": "`+c.name+`", "certificate": "`+c.chain+`", "key": "`+c.key+`"}`, 400, c.field, c.words)
	}
	list := s.request("adalove", "GET", "/v2/apps/hello/certs/", "")
	assert.Contains(t, list.Body.String(), `"count":1`)
}

// Every attachment that cannot be is refused with a reason of its own.
func TestWrongAttachments(t *testing.T) {
	s := newStage(t)
	for _, r := range []string{
		`adalove /v2/apps/ {"id": "hello"}`, `bobross /v2/apps/ {"id": "other"}`, `bobross /v2/apps/other/domains/ {"domain": "example.com"}`,
		`adalove /v2/apps/hello/domains/ {"domain": "www.example.com"}`, `adalove /v2/apps/hello/domains/ {"domain": "blog.example.net"}`,
		`adalove /v2/apps/hello/domains/ {"domain": "greedy.example.com"}`,
		`adalove /v2/apps/hello/certs/ {"name": "www", "certificate": "<chain-www>", "key": "<key-www>"}`,
		`adalove /v2/apps/hello/certs/ {"name": "greedy", "certificate": "<chain-greedy>", "key": "<key-greedy>"}`,
	} {
		part := strings.SplitN(r, " ", 3)
		require.Equal(t, 201, s.request(part[0], "POST", part[1], part[2]).Code, r)
	}
	long := strings.Repeat("x", 10000)
	const none = "The app has none of that name: add it first, with drycc domains add"
	for _, c := range []struct {
		cert, domain string
		status       int
		field, words string
	}{
		{"www", "blog.example.net", 400, "domain", "is for www.example.com, example.com, not for blog.example.net: attach it to one of these, or upload one"},
		{"www", "example.com", 404, "error", none}, // another app's
		{"www", "nobody.example.com", 404, "error", none},
		{"www", long, 404, "error", none},
		{"www", "203.0.113.5", 404, "error", none},
		{"www", "", 400, "domain", "required"},
		{"www", "hello.slipway.localhost", 400, "detail", "the app's own name"},
		{"www", "www.example.com", 400, "domain", "also for example.com, which is not yours: use one for your own names only"},
		{"greedy", "greedy.example.com", 400, "domain", "also for *.slipway.localhost, which is not yours"},
		{"gone", "www.example.com", 404, "error", "No Certificate matches"},
		{long, "www.example.com", 404, "error", "No Certificate matches"},
	} {
		s.says("adalove", "POST", "/v2/apps/hello/certs/"+c.cert+"/domain/", `{"domain": "`+c.domain+`"}`, c.status, c.field, c.words)
	}
	s.says("adalove", "DELETE", "/v2/apps/hello/certs/www/domain/example.com", "", 404, "error", none)
}
