package drycc

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/slipway-paas/slipway/platform"
)

// refusedWell checks that an error is one that users may see and that names
// something, and that its answer is JSON.
func refusedWell(t *testing.T, err error) {
	t.Helper()
	var e *platform.Error
	if !errors.As(err, &e) || e.Code != platform.Invalid || e.Message == "" || !utf8.ValidString(e.Message+e.Field) {
		t.Fatalf("not a refusal: %#v", err)
	}
	row := errorTable()[e.Code]
	if body, err := json.Marshal(row.body(e)); err != nil || row.status != http.StatusBadRequest || !json.Valid(body) {
		t.Fatalf("%s, %v", body, err)
	}
}

// No body brings the decoder down, and what it accepts is one JSON object.
func FuzzBodies(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `null`, `[]`, `{"values":{"A":"b"}}`, `{"values":[{"name":"A","value":null,"group":"g"}]}`, `{"values":"{\"A\":1}"}`,
		`{"values":[{"name":"A","value":"b","ptype":"web"}],"values_refs":{"web":["g"]},"limits":{"web":1.5e3},"tags":{"web":{"a":null}},` +
			`"registry":{"web":{"username":"u"}},"healthcheck":{"web":{"liveness_probe":{"http_get":{"port":80}}}},"lifecycle":{"web":null},` +
			`"termination_grace_period":{"web":30}}`,
		`{"image":"x","procfile":"{\"web\":\"a\"}","dryccfile":{"pipeline":{}}}`, `{"a":1}{}`, "{\"a\":\"\xff\"}", `{"label":{"a":true}}`,
		`{"healthcheck":"\"nested\""}`, `{"values":[[]]}`, `{"web":2}`, `{"id":"k","public":"x"}`, `{"workspace":"w","alerts":[null]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func([]byte) error{
			func(b []byte) error {
				var c configRequest
				if err := decodeObject(b, &c); err != nil {
					return err
				}
				_, err := c.change()
				return err
			},
			func(b []byte) error {
				var p pushRequest
				if err := decodeObject(b, &p); err != nil {
					return err
				}
				n, err := p.build()
				if err == nil && len(n.Dryccfile) > 0 && !json.Valid(n.Dryccfile) {
					t.Fatalf("%q", n.Dryccfile)
				}
				return err
			},
			func(b []byte) error { return decodeObject(b, &settingsRequest{}) },
			func(b []byte) error { return decodeObject(b, &keyRequest{}) },
			func(b []byte) error { return decodeObject(b, &alertRequest{}) },
			func(b []byte) error { return decodeObject(b, &rollbackRequest{}) },
		} {
			err := read(data)
			if err != nil {
				refusedWell(t, err)
				continue
			}
			var object map[string]json.RawMessage
			if len(data) > 0 && json.Unmarshal(data, &object) != nil && len(trimmed(data)) > 0 {
				t.Fatalf("%q was taken", data)
			}
		}
	})
}

// trimmed leaves off the white space of JSON.
func trimmed(data []byte) []byte {
	for len(data) > 0 && (data[0] == ' ' || data[0] == '\t' || data[0] == '\n' || data[0] == '\r') {
		data = data[1:]
	}
	return data
}

// No path brings the router down; what it finds it can say again.
func FuzzRouter(f *testing.F) {
	for _, s := range []string{
		"", "/", "//", "/v2/", "/v2/apps/hello/releases/v3/", "/v2/keys/a/b%2Fc/", "/v2/keys//", "/v2/keys/%zz", "/v2/apps//build",
		"/v2/hooks/key/SHA256:a/b+c", "/v2/apps/%2e%2e/config/", "/v2/keys/%00",
	} {
		f.Add(s)
	}
	rt := newRouter(routes())
	f.Fuzz(func(t *testing.T, escaped string) {
		found := rt.match(escaped)
		for name, value := range found.params {
			if value == "" || name == "" {
				t.Fatalf("%q: an empty variable %q", escaped, name)
			}
		}
		if len(found.routes) > 0 && found.allow() == "" {
			t.Fatalf("%q: nothing is allowed", escaped)
		}
	})
}
