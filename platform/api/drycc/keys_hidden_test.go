package drycc

import (
	"bytes"
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/control"
)

// traces are the forms in which a private key could show: its bytes, hex,
// base64 from any offset, decimal numbers, and the lines of its PEM.
func traces(t *testing.T, c testCert) map[string]string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	require.NoError(t, err)
	seed := c.key.Seed()
	numbers := strings.Trim(fmt.Sprint(seed[:8]), "[]")
	out := map[string]string{
		"bytes": string(seed), "hex": hex.EncodeToString(seed), "HEX": strings.ToUpper(hex.EncodeToString(seed)),
		"colons": colons(seed), "numbers": numbers, "list": strings.ReplaceAll(numbers, " ", ","),
	}
	for i, line := range strings.Split(strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "K", Bytes: der}))), "\n") {
		if !strings.HasPrefix(line, "-----") {
			out[fmt.Sprint("line ", i)] = line
		}
	}
	for from := range 3 {
		part := seed[from : from+(len(seed)-from)/3*3] // whole groups only, so that no end depends on what follows
		out[fmt.Sprint("base64 ", from)] = base64.StdEncoding.EncodeToString(part)
		out[fmt.Sprint("base64 of URLs ", from)] = base64.URLEncoding.EncodeToString(part)
	}
	return out
}

func colons(b []byte) string {
	var parts []string
	for _, x := range b {
		parts = append(parts, fmt.Sprintf("%02x", x))
	}
	return strings.Join(parts, ":")
}

// hides fails when what was said holds a key.
func hides(t *testing.T, where string, said []byte, keys map[string]string) {
	t.Helper()
	for form, trace := range keys {
		if bytes.Contains(said, []byte(trace)) {
			t.Errorf("%s holds a private key, as %s", where, form)
		}
	}
	for _, sign := range []string{"PRIVATE KEY-----", "issuer-secret-7"} {
		if at := bytes.Index(said, []byte(sign)); at >= 0 {
			t.Errorf("%s holds a secret: %s", where, said[max(0, at-200):at+len(sign)])
		}
	}
}

// witness keeps all that a handler answers.
type witness struct {
	http.Handler
	mu   sync.Mutex
	said bytes.Buffer
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	w.Handler.ServeHTTP(rec, r)
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = rec.Header().Write(&w.said) // to memory
	w.said.Write(rec.Body.Bytes())
	for name, values := range rec.Header() {
		rw.Header()[name] = values
	}
	rw.WriteHeader(rec.Code)
	_, _ = rw.Write(rec.Body.Bytes()) // to a recorder
}

// own signs with keys that are known, as the platform's authority.
type own struct{ t *testing.T }

func (o own) Certify(_ context.Context, names []string) (chain, key []byte, err error) {
	c := makeCert(o.t, "own "+names[0], nil, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), names...)
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

// TestPrivateKeysStayInside uploads a key, has another made, and sets the key
// of an external account; sends every GET route of the table and what is
// refused about keys; and looks for the keys in all that was answered, logged,
// told as events and written to the database in the clear.
func TestPrivateKeysStayInside(t *testing.T) {
	s := newTheatre(t, func(o *control.Options) { o.Certifier = own{t} })
	w := &witness{Handler: s.handler}
	s.handler = w
	keys := map[string]string{}
	for _, r := range conformance() {
		if r.method() != http.MethodGet {
			continue
		}
		c := s.begin(r)
		c.keepKeys(keys)
		if r.own != nil {
			r.own(c, "")
		} else {
			for _, who := range []role{anAdmin, aViewer, staff, superuser, theService, anonymous} {
				c.ask(who, nil)
			}
		}
	}
	c := s.begin(row{route: "GET /v2/apps/{app}/"})
	c.keepKeys(keys)
	c.refusedKeys()
	s.settle()

	require.Greater(t, w.said.Len(), 100_000)
	hides(t, "an answer", w.said.Bytes(), keys)
	require.NotEmpty(t, s.log.Bytes())
	hides(t, "the log", s.log.Bytes(), keys)
	hides(t, "an event", s.events(), keys)
	files, err := filepath.Glob(s.path + "*") // with its journal
	require.NoError(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		hides(t, "the database", raw, keys)
	}
	shown := false // the test can see a key where one has to be
	for _, pair := range s.cluster.Exposed(c.vars["app"]).Certs {
		for _, trace := range keys {
			shown = shown || bytes.Contains(pair.Key, []byte(trace))
		}
	}
	assert.True(t, shown, "the gateway got no key that is looked for")
}

// keepKeys gives the app of a cell a certificate of a user's, one of its own,
// and an issuer with a secret, and remembers their keys.
func (c *cell) keepKeys(keys map[string]string) {
	hosts := []string{"up." + c.vars["app"] + ".example.net", "own." + c.vars["app"] + ".example.net"}
	up := makeCert(c.t, "upload "+c.vars["app"], nil, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), hosts[0])
	made := makeCert(c.t, "own "+hosts[1], nil, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), hosts[1])
	for _, host := range hosts {
		c.do(anAdmin, "POST /v2/apps/${app}/domains/", `{"domain": "`+host+`"}`)
	}
	c.do(anAdmin, "POST /v2/apps/${app}/certs/", `{"name": "kept", "certificate": "`+chainOf(up)+`", "key": "`+keyOf(up)+`"}`)
	c.do(anAdmin, "POST /v2/apps/${app}/certs/kept/domain/", `{"domain": "`+hosts[0]+`"}`)
	c.do(anAdmin, "POST /v2/apps/${app}/tls/", `{"certs_auto_enabled": true, "issuer": {"server": "https://ca.example.net/dir", "key_id": "kid", "key_secret": "issuer-secret-7"}}`)
	for name, cert := range map[string]testCert{"up": up, "own": made} {
		for form, trace := range traces(c.t, cert) {
			keys[c.vars["app"]+" "+name+" "+form] = trace
		}
	}
}

// refusedKeys sends keys where they are refused.
func (c *cell) refusedKeys() {
	up := makeCert(c.t, "upload "+c.vars["app"], nil, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), "x.example.net")
	other := makeCert(c.t, "other", nil, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), "y.example.net")
	key, chain := keyOf(up), chainOf(up)
	for _, body := range []string{
		`{"name": "a", "certificate": "` + chainOf(other) + `", "key": "` + key + `"}`,
		`{"name": "a", "certificate": "` + key + `", "key": "` + key + `"}`,
		`{"name": "` + key + `", "certificate": "` + chain + `", "key": "` + key + `"}`,
		`{"name": "a", "certificate": "` + chain + `", "key": "x` + key[:len(key)/2] + `"}`,
		`{"name": "a", "certificate": "` + chain + `", "key": ["` + key + `"]}`,
		`{"name": "a", "certificate": "` + chain + `", "key": "` + key,
		`{"name": "kept", "certificate": "` + chain + `", "key": "` + key + `"}`,
		`{"name": "a", "certificate": "` + chain + `", "key": "` + key + `", "` + key + `": 1}`,
	} {
		require.True(c.t, json.Valid([]byte(`"`+key+`"`)))
		w := c.send(string(anAdmin), "POST", c.fill("/v2/apps/${app}/certs/"), body)
		assert.Equal(c.t, 400, w.Code, "%s", w.Body)
	}
	c.send(string(anAdmin), "POST", c.fill("/v2/apps/${app}/tls/"), `{"issuer": {"server": "http://x", "key_id": "kid", "key_secret": "issuer-secret-7"}}`)
	c.send(string(anAdmin), "POST", c.fill("/v2/apps/${app}/domains/"), `{"domain": "`+key+`"}`)
}

// events are the data of all events.
func (s *stage) events() []byte {
	s.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+s.path+"?mode=ro")
	require.NoError(s.t, err)
	defer db.Close()
	rows, err := db.QueryContext(s.t.Context(), "SELECT data FROM events")
	require.NoError(s.t, err)
	defer rows.Close()
	var all []byte
	for rows.Next() {
		var data []byte
		require.NoError(s.t, rows.Scan(&data))
		all = append(all, data...)
	}
	require.NoError(s.t, rows.Err())
	require.NotEmpty(s.t, all)
	return all
}
