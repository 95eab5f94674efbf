package drycc

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// stub is a core that knows one token and otherwise does what fail says. All
// that needs a real core is in the story tests.
type stub struct {
	Core
	fail  error
	total int
	page  control.Page
}

func (s *stub) Authenticate(_ context.Context, key string) (control.Actor, error) {
	if key != "good" {
		return control.Actor{}, platform.Errorf(platform.Unauthenticated, "Invalid token.")
	}
	return control.Actor{User: platform.User{Username: "ada"}}, nil
}

func (s *stub) ListTokens(_ context.Context, _ control.Actor, p control.Page) ([]platform.Token, int, error) {
	s.page = p
	return nil, s.total, s.fail
}

func (s *stub) OpenLogin(string) (string, error) { return "k", s.fail }

func (s *stub) Ready(context.Context) error { return s.fail }

func call(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// exactly returns a header under the very name it was set with.
func exactly(w *httptest.ResponseRecorder, name string) []string {
	return map[string][]string(w.Header())[name]
}

// codes reads the codes from the domain's source, so that a new one cannot be
// forgotten here.
func codes(t *testing.T) []platform.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../error.go", nil, 0)
	require.NoError(t, err)
	var out []platform.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Code" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			out = append(out, platform.Code(value))
		}
		return true
	})
	return out
}

func TestEveryCodeHasAnAnswer(t *testing.T) {
	all := codes(t)
	require.GreaterOrEqual(t, len(all), 9)
	table := errorTable()
	documented := map[int]bool{}
	for _, e := range errorReference() {
		documented[e.status] = true
	}
	for _, code := range all {
		row, ok := table[code]
		require.True(t, ok, code)
		assert.True(t, documented[row.status], "%s is not in the reference", code)
	}
	assert.Len(t, table, len(all))
}

func TestErrors(t *testing.T) {
	tests := map[string]struct {
		err    error
		status int
		body   string
	}{
		"unauthenticated": {platform.Errorf(platform.Unauthenticated, "m"), 401, `{"detail":"m"}`},
		"forbidden":       {platform.Errorf(platform.Forbidden, "m"), 403, `{"detail":"m"}`},
		"not found":       {platform.Errorf(platform.NotFound, "m"), 404, `{"error":{"code":"NOT_FOUND","message":"m"}}`},
		"invalid field":   {platform.FieldErrorf("f", "m"), 400, `{"f":["m"]}`},
		"invalid":         {platform.Errorf(platform.Invalid, "m"), 400, `{"detail":"m"}`},
		"conflict":        {platform.Errorf(platform.Conflict, "m"), 409, `{"detail":"m"}`},
		"unprocessable":   {platform.Errorf(platform.Unprocessable, "m"), 422, `{"detail":"m"}`},
		"throttled":       {platform.Errorf(platform.Throttled, "m"), 429, `{"detail":"m"}`},
		"unavailable":     {&platform.Error{Code: platform.Unavailable, Message: "m", Err: errors.New("hidden")}, 503, `{"detail":"m"}`},
		"internal":        {platform.Errorf(platform.Internal, "hidden"), 500, `{"error":{"code":"INTERNAL_ERROR","message":"An internal error occurred"}}`},
		"unknown":         {errors.New("hidden"), 500, `{"error":{"code":"INTERNAL_ERROR","message":"An internal error occurred"}}`},
		"new code":        {platform.Errorf("new", "hidden"), 500, `{"error":{"code":"INTERNAL_ERROR","message":"An internal error occurred"}}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := call(New(&stub{fail: test.err}), "GET", "/v2/tokens/", "", "Authorization", "token good")
			assert.Equal(t, test.status, w.Code)
			assert.JSONEq(t, test.body, w.Body.String())
			assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
			assert.Equal(t, test.status == 401, w.Header().Get("WWW-Authenticate") == "token")
		})
	}
}

func TestCredentials(t *testing.T) {
	h := New(&stub{})
	const none = "Authentication credentials were not provided."
	for header, want := range map[string]string{
		"":               none,
		"Basic YTpi":     none,
		"good":           none,
		"token":          "Invalid token header. No credentials provided.",
		"token  ":        "Invalid token header. No credentials provided.",
		"token go od":    "Invalid token header. Token string should not contain spaces.",
		"token bad":      "Invalid token.",
		"token good":     "",
		"TOKEN good":     "",
		"Bearer good":    "",
		"bearer   good ": "",
	} {
		w := call(h, "GET", "/v2/auth/whoami/", "", "Authorization", header)
		if want == "" {
			assert.Equal(t, 200, w.Code, header)
			continue
		}
		assert.Equal(t, 401, w.Code, header)
		assert.JSONEq(t, `{"detail":"`+want+`"}`, w.Body.String(), header)
		assert.Equal(t, "token", w.Header().Get("WWW-Authenticate"))
	}
}

func TestEveryAnswerCarriesTheVersions(t *testing.T) {
	h := New(&stub{fail: errors.New("boom")})
	for _, target := range []string{"GET /v2/", "GET /healthz", "GET /readiness", "GET /nowhere", "PUT /healthz", "OPTIONS /v2/", "GET /v2/tokens/", "GET /%zz", "POST /v2/auth/login/"} {
		method, path, _ := strings.Cut(target, " ")
		r := httptest.NewRequest(method, "/", nil)
		r.URL.Path, r.URL.RawPath = path, path
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, []string{"2.3"}, exactly(w, "DRYCC_API_VERSION"), target)
		assert.Equal(t, []string{"2.3.0"}, exactly(w, "DRYCC_PLATFORM_VERSION"), target)
	}
	w := httptest.NewRecorder()
	h.Fail(w, httptest.NewRequest("GET", "/", nil), platform.Errorf(platform.Throttled, "x"))
	assert.Equal(t, []string{"2.3"}, exactly(w, "DRYCC_API_VERSION"))
}

func TestVersionHeadersOnTheWire(t *testing.T) {
	srv := httptest.NewServer(New(&stub{}))
	defer srv.Close()
	resp, err := srv.Client().Get(srv.URL + "/v2/")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 401, resp.StatusCode)
	assert.Equal(t, "2.3", resp.Header.Get("DRYCC_API_VERSION"), "as a client reads it")
}

func TestUnknownURLIsAPage(t *testing.T) {
	for _, path := range []string{"/", "/v2", "/v3/", "/v2/apps//", "/v2/apps/a/b/c/", "/v2/apps/hello/releases/v/", "/healthz/x"} {
		w := call(New(&stub{}), "GET", path, "", "Authorization", "token good")
		if path == "/v2" {
			assert.Equal(t, 200, w.Code)
			continue
		}
		assert.Equal(t, 404, w.Code, path)
		assert.Contains(t, w.Header().Get("Content-Type"), "text/html", path)
	}
}

func TestMethodNotAllowed(t *testing.T) {
	w := call(New(&stub{}), "PUT", "/v2/apps/hello/config/", "", "Authorization", "token good")
	assert.Equal(t, 405, w.Code)
	assert.JSONEq(t, `{"detail":"Method \"PUT\" not allowed."}`, w.Body.String())
	assert.Equal(t, "GET, HEAD, POST, DELETE, OPTIONS", w.Header().Get("Allow"))
	assert.Equal(t, 401, call(New(&stub{}), "PUT", "/v2/apps/hello/config/", "").Code, "strangers learn nothing")
	assert.Equal(t, 405, call(New(&stub{}), "GET", "/v2/auth/login/", "").Code)
	assert.Equal(t, 405, call(New(&stub{}), "GET", "/v2/apps/hello/releases/rollback/", "", "Authorization", "token good").Code)
}

func TestCORS(t *testing.T) {
	h := New(&stub{})
	w := call(h, "OPTIONS", "/v2/apps/", "", "Origin", "https://page.example", "Access-Control-Request-Method", "POST")
	assert.Equal(t, 200, w.Code)
	assert.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
	assert.Contains(t, w.Header().Get("Access-Control-Allow-Headers"), "authorization")
	assert.Contains(t, w.Header().Get("Access-Control-Allow-Methods"), "PATCH")
	w = call(h, "GET", "/v2/", "", "Origin", "https://page.example")
	assert.Equal(t, 401, w.Code)
	assert.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"), "a page may read refusals")
	assert.Equal(t, "DRYCC_API_VERSION, DRYCC_PLATFORM_VERSION", w.Header().Get("Access-Control-Expose-Headers"))
	assert.Empty(t, w.Header().Get("Access-Control-Allow-Credentials"))
	assert.Empty(t, call(h, "GET", "/v2/", "").Header().Get("Access-Control-Allow-Origin"))
}

func TestPages(t *testing.T) {
	const at = "http://drycc.example.com/v2/tokens/"
	tests := []struct {
		query          string
		limit, offset  int
		next, previous string // queries; empty: null
	}{
		{"", 100, 0, "limit=100&offset=100", ""},
		{"?limit=-1", 100, 0, "limit=100&offset=100", ""},
		{"?limit=0", 100, 0, "limit=100&offset=100", ""},
		{"?limit=many", 100, 0, "limit=100&offset=100", ""},
		{"?limit=99999999999999999999", 100, 0, "limit=100&offset=100", ""},
		{"?limit=1000", 1000, 0, "", ""},
		{"?limit=1000000", 10000, 0, "", ""},
		{"?limit=250", 250, 0, "", ""},
		{"?limit=249", 249, 0, "limit=249&offset=249", ""},
		{"?limit=50&offset=50", 50, 50, "limit=50&offset=100", "limit=50"},
		{"?limit=50&offset=120&x=y+z", 50, 120, "limit=50&offset=170&x=y+z", "limit=50&offset=70&x=y+z"},
		{"?offset=200", 100, 200, "", "limit=100&offset=100"},
		{"?offset=30", 100, 30, "limit=100&offset=130", "limit=100"},
		{"?offset=-5", 100, 0, "limit=100&offset=100", ""},
		{"?offset=9223372036854775807", 100, 1<<31 - 1, "", "limit=100&offset=2147483547"},
	}
	for _, test := range tests {
		core := &stub{total: 250}
		w := call(New(core), "GET", at+test.query, "", "Authorization", "token good")
		link := func(q string) string {
			if q == "" {
				return "null"
			}
			return `"` + at + "?" + q + `"`
		}
		assert.JSONEq(t, `{"count":250,"next":`+link(test.next)+`,"previous":`+link(test.previous)+`,"results":[]}`, w.Body.String(), test.query)
		assert.Contains(t, w.Body.String(), `"results":[]`, "never null")
		assert.Equal(t, control.Page{Limit: test.limit, Offset: test.offset}, core.page, test.query)
	}
	w := call(New(&stub{total: 250}), "GET", at, "", "Authorization", "token good", "X-Forwarded-Proto", "https")
	assert.Contains(t, w.Body.String(), `"next":"https://drycc.example.com/v2/tokens/?limit=100`)
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	srv := httptest.NewServer(New(&stub{}))
	defer srv.Close()
	resp, err := srv.Client().Head(srv.URL + "/healthz")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 200, resp.StatusCode)
	assert.Empty(t, body)
}

func TestReadiness(t *testing.T) {
	assert.Equal(t, "OK", call(New(&stub{}), "GET", "/readiness", "").Body.String())
	w := call(New(&stub{fail: errors.New("the database is locked")}), "GET", "/readiness", "")
	assert.Equal(t, 503, w.Code)
	assert.NotContains(t, w.Body.String(), "locked")
}

func TestTooLargeABody(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 10)
		New(&stub{}).ServeHTTP(w, r)
	})
	w := call(h, "POST", "/v2/auth/login/", `{"username": "somebody"}`)
	assert.Equal(t, 413, w.Code)
	assert.JSONEq(t, `{"detail":"The request body is too large."}`, w.Body.String())
}

func TestClientGone(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := httptest.NewRequest("GET", "/v2/tokens/", nil).WithContext(ctx)
	r.Header.Set("Authorization", "token good")
	w := httptest.NewRecorder()
	New(&stub{fail: context.Canceled}).ServeHTTP(w, r)
	assert.Equal(t, statusGone, w.Code)
	w = call(New(&stub{fail: context.Canceled}), "GET", "/v2/tokens/", "", "Authorization", "token good")
	assert.Equal(t, 500, w.Code, "cancelled although the client is there: a bug")
}

func TestPathsWithSecretsStayOutOfTheLog(t *testing.T) {
	for _, r := range routes() {
		assert.Equal(t, strings.Contains(r.pattern, "{key}"), r.secret, r.pattern)
	}
}

func TestTableIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range routes() {
		name := r.method + " " + r.pattern
		assert.False(t, seen[name], "%s is there twice", name)
		seen[name] = true
		assert.NotEqual(t, r.run == nil, r.serve == nil, name)
		assert.NotEmpty(t, r.doc.summary, name)
		assert.NotEmpty(t, r.doc.who, name)
		assert.Equal(t, r.open, r.doc.who == anyone || r.doc.who == filerLogin || r.doc.who == hookSecret, name)
		assert.True(t, r.doc.status >= 200 || r.socket && r.doc.status == 101, name)
		if r.doc.status == 204 {
			assert.Empty(t, r.doc.response, name)
		}
	}
}

func TestReference(t *testing.T) {
	var b strings.Builder
	require.NoError(t, WriteReference(&b))
	page := filepath.Join("..", "..", "..", "docs", "api.md")
	if *updateFlag {
		require.NoError(t, os.WriteFile(page, []byte(b.String()), 0o644))
	}
	published, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, string(published), b.String(), "docs/api.md is not what the routes say: run this test with -update")
	for _, r := range routes() {
		assert.Contains(t, b.String(), "| "+r.method+" | `"+r.pattern+"` |")
	}
	assert.Len(t, Reference(), len(routes()))
	assert.Contains(t, b.String(), "group global")
	for _, o := range objects() {
		assert.NotContains(t, o.members, "``", o.name)
		if want, ok := shapes()[o.name]; ok {
			assert.Equal(t, len(strings.Fields(want)), len(o.members), o.name)
		}
	}
}
