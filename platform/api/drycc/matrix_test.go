package drycc

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// allowed lists the roles that may use a route of which the reference says
// who. What below an app is open to a role is open to staff and superusers too.
func allowed(t *testing.T, rt route, r row) []role {
	t.Helper()
	if len(r.allowed) > 0 {
		return r.allowed
	}
	var all []role
	switch rt.doc.who {
	case anyone:
		return everyRole()
	case user:
		return slices.DeleteFunc(everyRole(), func(r role) bool { return r == anonymous || r == theService })
	case owner:
		return []role{theOwner}
	case service:
		return []role{theService}
	case administrator:
		return []role{superuser}
	case viewer:
		all = []role{anAdmin, aMember, aViewer}
	case member:
		all = []role{anAdmin, aMember}
	case admin:
		all = []role{anAdmin}
	default:
		t.Fatalf("%s %s: the matrix does not know who %q are: say so here, or in the row", rt.method, rt.pattern, rt.doc.who)
	}
	if belowApp(rt) {
		all = append(all, staff, superuser)
	}
	return all
}

// belowApp reports the routes that look their app up among all apps and then
// ask for a role. The others look among the apps of the caller.
func belowApp(rt route) bool {
	rest, ok := strings.CutPrefix(rt.pattern, "/v2/apps/{app}/")
	return ok && rest != "" && rest != "run/"
}

// expected is the status that a role gets.
func expected(t *testing.T, rt route, r row, who role) int {
	t.Helper()
	if status, ok := r.refused[who]; ok {
		return status
	}
	switch {
	case slices.Contains(allowed(t, rt, r), who):
		return r.status
	case rt.service:
		return http.StatusForbidden
	case who == anonymous || who == theService:
		return http.StatusUnauthorized
	case rt.doc.who == owner:
		return http.StatusNotFound
	case who == aViewer || who == aMember: // known there, but the role is too low
		return http.StatusForbidden
	case r.strangers != 0:
		return r.strangers
	case belowApp(rt):
		return http.StatusForbidden
	default:
		return http.StatusNotFound
	}
}

// TestMatrix lets every role use every route. Who is refused changes nothing
// and learns nothing: an object that is not there is refused in the same words.
func TestMatrix(t *testing.T) {
	s := newTheatre(t)
	cells, want := 0, len(conformance())*len(everyRole())
	for _, r := range conformance() {
		t.Run(strings.ReplaceAll(r.route, "/", "_"), func(t *testing.T) {
			s.t, s.stage.t = t, t
			rt := routeOf(t, r)
			shared := s.begin(r)
			for _, who := range everyRole() {
				cells++
				if r.own != nil {
					r.own(shared, who)
					continue
				}
				status := expected(t, rt, r, who)
				what := string(who) + " " + r.route
				if status >= 400 {
					shared.refused(rt, who, status)
					continue
				}
				c := shared
				if r.method() != http.MethodGet || rt.secret || r.once {
					c = s.begin(r) // a change needs objects of its own
				}
				w := c.ask(who, nil)
				s.settle()
				assert.Equal(t, status, w.Code, "%s: %s", what, w.Body)
			}
		})
	}
	s.t, s.stage.t = t, t
	if !t.Failed() {
		assert.Equal(t, want, cells, "every role was tried on every route")
	}
	t.Logf("%d routes × %d roles: %d cells", len(conformance()), len(everyRole()), cells)
}

// refused checks one cell that is closed to a role, and that the role can't
// find out by it what there is.
func (c *cell) refused(rt route, who role, status int) {
	c.t.Helper()
	w := c.refuses(string(who), status, func() *httptest.ResponseRecorder { return c.ask(who, nil) })
	names := regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(rt.pattern, -1)
	if len(names) == 0 {
		return
	}
	last := names[len(names)-1][1]
	if last == "app" && belowApp(rt) {
		return // the names of apps are public, as their addresses are
	}
	if !belowApp(rt) && (who == aViewer || who == aMember) {
		return // may see the object, only not change it
	}
	madeUp := map[string]string{last: "99999-not-there"}
	if last == "version" {
		madeUp[last] = "99999"
	}
	other := c.refuses(fmt.Sprintf("%s, made-up %s", who, last), status, func() *httptest.ResponseRecorder { return c.ask(who, madeUp) })
	assert.Equal(c.t, w.Body.String(), other.Body.String(), "%s: %s can tell what is there from what is not", c.row.route, who)
}
