package drycc

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/control"
)

// row is what has to be true of one route. Every route of the table has one,
// in the conformance_*_test.go of its area; the same rows make the matrix of
// authorization.
//
// Each time a row is used it gets an app of its own, ${app}, in the workspace
// ${workspace}, whose admin is adalove. Names in ${} are filled in anywhere,
// and variables of the pattern by their names.
type row struct {
	route   string // "GET /v2/apps/{app}/": method and pattern of the table
	arrange func(c *cell)
	query   string // "version=v1"
	body    string
	status  int    // when all is well
	answer  string // schema; empty: what the reference says, if that is a schema
	// missing is the status for a made-up last variable; 0: 404.
	missing int
	// strangers is the status for who is known but no member; 0: 403 below an
	// app and 404 elsewhere. Of superusers and staff it is expected as well
	// where they have no more rights than others.
	strangers int
	// allowed are the roles that may use the route, where its who needs more
	// words than the matrix knows; the first one is taken for the examples.
	allowed []role
	// refused replaces what the matrix expects of a role.
	refused map[role]int
	// own checks a route that takes no token, instead of all the above: once
	// without a role, and once with each.
	own    func(c *cell, who role)
	upsert bool // a name that is not there yet is made
	once   bool // asking changes what is there, though the method is GET
}

// conformance is all rows. An area adds its own here.
func conformance() []row {
	return slices.Concat(baseRows(), hookRows(), edgeRows(), volumeRows(), resourceRows(), accountRows(), deployRows(), runRows(), buildRows(), buildHookRows())
}

// role is who asks.
type role string

// The roles. The owner is a user who has the personal objects of the rows and
// is no member of the workspace.
const (
	anonymous  role = "nobody"
	stranger   role = "bobross"
	aViewer    role = "viewer1"
	aMember    role = "member1"
	anAdmin    role = "adalove"
	staff      role = "staffer"
	superuser  role = "admin"
	theOwner   role = "keeper1"
	theService role = "service"
)

func everyRole() []role {
	return []role{anonymous, stranger, aViewer, aMember, anAdmin, staff, superuser, theOwner, theService}
}

// theatre is a stage with people of every role.
type theatre struct {
	*stage
	cells int
}

func newTheatre(t *testing.T, options ...func(*control.Options)) *theatre {
	t.Helper()
	s := &theatre{stage: newStage(t, options...)}
	db, err := sql.Open("sqlite3", "file:"+s.path+"?_busy_timeout=5000&_foreign_keys=on")
	require.NoError(t, err)
	defer db.Close()
	for _, u := range []struct {
		name  role
		staff bool
		role  int
	}{{aViewer, false, 1}, {aMember, false, 2}, {staff, true, 0}, {theOwner, false, 0}} {
		_, err := db.ExecContext(t.Context(), `INSERT INTO users (username, email, password_hash, is_staff, date_joined)
			SELECT ?, ?, password_hash, ?, date_joined FROM users WHERE username = 'adalove'`, string(u.name), string(u.name)+"@example.com", u.staff)
		require.NoError(t, err)
		if u.role > 0 {
			_, err = db.ExecContext(t.Context(), `INSERT INTO members (workspace, user_id, role, created, updated)
				SELECT w.number, u.id, ?, 0, 0 FROM workspaces w, users u WHERE w.id = 'adalove' AND u.username = ?`, u.role, string(u.name))
			require.NoError(t, err)
		}
		s.login(string(u.name))
	}
	return s
}

// cell is one use of a row: an app and what was arranged around it.
type cell struct {
	*theatre
	row  row
	vars map[string]string
}

// begin makes the app of a cell and arranges what the row needs.
func (s *theatre) begin(r row) *cell {
	s.t.Helper()
	s.cells++
	s.minute.Add(1)
	c := &cell{theatre: s, row: r, vars: map[string]string{
		"app": fmt.Sprintf("cell%05d", s.cells), "n": fmt.Sprint(s.cells), "workspace": "adalove", "username": "adalove",
	}}
	c.do(anAdmin, "POST /v2/apps/", `{"id": "${app}", "workspace": "${workspace}"}`)
	if r.arrange != nil {
		r.arrange(c)
	}
	return c
}

// fill puts variables in.
func (c *cell) fill(text string) string {
	for name, value := range c.vars {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	return text
}

// do sends a request that has to succeed, waits until it has had its effect
// and returns the answer, an object.
func (c *cell) do(who role, request, body string) map[string]any {
	c.t.Helper()
	method, target, _ := strings.Cut(c.fill(request), " ")
	w := c.send(string(who), method, target, c.fill(body))
	require.Less(c.t, w.Code, 300, "%s %s: %s", method, target, w.Body)
	c.settle()
	var out map[string]any
	if w.Body.Len() > 0 && json.Valid(w.Body.Bytes()) {
		require.NoError(c.t, json.Unmarshal(w.Body.Bytes(), &out))
	}
	return out
}

// deploy arranges a first build.
func deploy(c *cell) {
	c.do(anAdmin, "POST /v2/apps/${app}/build/", `{"image": "slipway.internal/hello:1", "procfile": {"web": "serve", "worker": "work"}}`)
}

func (r row) method() string  { return r.route[:strings.IndexByte(r.route, ' ')] }
func (r row) pattern() string { return r.route[strings.IndexByte(r.route, ' ')+1:] }

// target is the row's address; the values of params win over the variables.
func (c *cell) target(params map[string]string) string {
	at := regexp.MustCompile(`\{(\w+)\}`).ReplaceAllStringFunc(c.row.pattern(), func(name string) string {
		name = strings.Trim(name, "{}")
		value, ok := params[name]
		if !ok {
			value, ok = c.vars[name]
		}
		require.True(c.t, ok, "%s: nothing is known of {%s}; set it in arrange", c.row.route, name)
		return url.PathEscape(value)
	})
	if c.row.query != "" {
		at += "?" + c.fill(c.row.query)
	}
	return at
}

// ask sends the row's request.
func (c *cell) ask(who role, params map[string]string) *httptest.ResponseRecorder {
	return c.send(string(who), c.row.method(), c.target(params), c.fill(c.row.body))
}

// refuses sends a request that must change nothing and returns the answer.
func (c *cell) refuses(what string, want int, send func() *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	c.t.Helper()
	before, calls := c.version(), len(c.cluster.Calls(""))
	w := send()
	name := c.row.route + ": " + what
	assert.Equal(c.t, want, w.Code, "%s: %s", name, w.Body)
	assert.Equal(c.t, before, c.version(), "%s changed the database", name)
	assert.Len(c.t, c.cluster.Calls(""), calls, "%s changed the cluster", name)
	assert.Equal(c.t, []string{"2.3"}, exactly(w, "DRYCC_API_VERSION"), name)
	assert.Equal(c.t, []string{"2.3.0"}, exactly(w, "DRYCC_PLATFORM_VERSION"), name)
	assert.Equal(c.t, w.Code == 401, w.Header().Get("WWW-Authenticate") == "token", name)
	return w
}

// routeOf finds a row's route in the table.
func routeOf(t *testing.T, r row) route {
	t.Helper()
	for _, have := range routes() {
		if have.method+" "+have.pattern == r.route {
			return have
		}
	}
	t.Fatalf("the row %s has no route", r.route)
	return route{}
}

// schemaOf is what the row's answer looks like.
func schemaOf(t *testing.T, r row, rt route) string {
	t.Helper()
	if r.answer != "" {
		return r.answer
	}
	name := strings.TrimPrefix(strings.TrimPrefix(rt.doc.response, "page of "), "list of ")
	_, known := objectSchemas()[name]
	require.True(t, known || rt.doc.response == "" || rt.doc.response == "OK",
		"%s: write down what the answer %q looks like", r.route, rt.doc.response)
	return rt.doc.response
}

// TestConformance sends every route one request that has to succeed and
// compares status, headers and body with what is written down; and the
// requests that every route has to refuse.
func TestConformance(t *testing.T) {
	s := newTheatre(t)
	for _, r := range conformance() {
		t.Run(strings.ReplaceAll(r.route, "/", "_"), func(t *testing.T) {
			s.t, s.stage.t = t, t
			rt := routeOf(t, r)
			if r.own != nil {
				r.own(s.begin(r), "")
				return
			}
			who := allowed(t, rt, r)[0]
			c := s.begin(r)
			c.misuse(rt, who)
			w := c.ask(who, nil)
			s.settle()
			assert.Equal(t, r.status, w.Code, "%s: %s", r.route, w.Body)
			assert.Equal(t, rt.doc.status, r.status, "the reference says otherwise")
			assert.Equal(t, []string{"2.3"}, exactly(w, "DRYCC_API_VERSION"))
			assert.Equal(t, []string{"2.3.0"}, exactly(w, "DRYCC_PLATFORM_VERSION"))
			assert.NotEmpty(t, w.Header().Get("X-Request-Id"))
			checkSchema(t, r.route, schemaOf(t, r, rt), w.Body.Bytes())
			if r.method() == http.MethodGet && !rt.secret && !r.once {
				c.compareSlash(string(who), r.method(), c.target(nil), w)
				head := c.send(string(who), http.MethodHead, c.target(nil), "")
				assert.Equal(t, w.Code, head.Code, "HEAD")
			}
		})
	}
	s.t, s.stage.t = t, t
}

// misuse sends what the route has to refuse: other methods, broken bodies,
// objects that are not there.
func (c *cell) misuse(rt route, who role) {
	t, target := c.t, c.target(nil)
	w := c.refuses("OPTIONS", 200, func() *httptest.ResponseRecorder { return c.send("nobody", http.MethodOptions, target, "") })
	assert.Contains(t, strings.Split(w.Header().Get("Allow"), ", "), rt.method)
	w = c.refuses("TRACE", 405, func() *httptest.ResponseRecorder { return c.send(string(who), http.MethodTrace, target, "") })
	assert.JSONEq(t, `{"detail": "Method \"TRACE\" not allowed."}`, w.Body.String())
	if rt.doc.request != "" {
		for _, broken := range []string{`{`, `{"a": }`, `{} {}`, "{\"a\": \"\xff\"}", `[]`, `null`, `"text"`, `7`} {
			w := c.refuses("body "+broken, 400, func() *httptest.ResponseRecorder { return c.send(string(who), rt.method, target, broken) })
			assert.True(t, json.Valid(w.Body.Bytes()), "%s", w.Body)
		}
		unknown := "no_such_field"
		w := c.refuses("an unknown field", 400, func() *httptest.ResponseRecorder {
			return c.send(string(who), rt.method, target, withMember(t, c.fill(c.row.body), unknown))
		})
		assert.Contains(t, w.Body.String(), unknown, "%s: the field at fault is named", c.row.route)
	}
	names := regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(rt.pattern, -1)
	if len(names) == 0 || c.row.upsert {
		return
	}
	last := names[len(names)-1][1]
	want := c.row.missing
	if want == 0 {
		want = http.StatusNotFound
	}
	madeUp := map[string]string{last: "99999-not-there"}
	if last == "version" {
		madeUp[last] = "99999"
	}
	c.refuses("a made-up "+last, want, func() *httptest.ResponseRecorder { return c.ask(who, madeUp) })
}

// withMember adds a member to an object.
func withMember(t *testing.T, body, name string) string {
	t.Helper()
	object := map[string]any{}
	if body != "" {
		require.NoError(t, json.Unmarshal([]byte(body), &object))
	}
	object[name] = true
	out, err := json.Marshal(object)
	require.NoError(t, err)
	return string(out)
}

// TestEveryRouteHasARow counts the routes that the guide and the specification
// name, and refuses rows without route and routes without row.
func TestEveryRouteHasARow(t *testing.T) {
	rows := map[string]bool{}
	for _, r := range conformance() {
		assert.False(t, rows[r.route], "%s has two rows", r.route)
		rows[r.route] = true
		routeOf(t, r)
	}
	for _, r := range routes() {
		assert.True(t, rows[r.method+" "+r.pattern],
			"%s %s has no row: add one to the conformance_*_test.go of its area", r.method, r.pattern)
	}
	assert.Len(t, documentedRoutes(), 47)
	awaited := append(unanswered(t, "documented", documentedRoutes()), unanswered(t, "specified", specifiedRoutes())...)
	slices.Sort(awaited)
	missing := strings.Join(slices.Compact(awaited), "\n") + "\n"
	const file = "testdata/awaited.routes"
	if *updateFlag {
		require.NoError(t, os.WriteFile(file, []byte(missing), 0o644))
	}
	known, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(known), missing, "%s lists the routes that are not answered yet: run with -update when some are", file)
}

// unanswered counts the routes of a list that the table has and returns the
// others.
func unanswered(t *testing.T, name string, list []string) []string {
	var out []string
	for _, line := range list {
		method, at, _ := strings.Cut(line, " ")
		if _, ok := newRouter(routes()).match(concrete(at)).method(method); !ok {
			out = append(out, line)
		}
	}
	t.Logf("%s routes: %d of %d answered", name, len(list)-len(out), len(list))
	return out
}

// concrete puts values in place of {}.
func concrete(pattern string) string {
	at := strings.ReplaceAll(pattern, "v{version}", "v1")
	return regexp.MustCompile(`\{\w*\}`).ReplaceAllString(at, "x1")
}
