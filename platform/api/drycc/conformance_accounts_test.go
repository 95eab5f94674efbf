package drycc

import (
	"net/http"
	"regexp"

	"github.com/stretchr/testify/require"
)

// victim makes a user whom nobody needs.
func victim(c *cell) {
	c.vars["victim"] = "victim" + c.vars["n"]
	c.do(superuser, "POST /v2/auth/register/", `{"username": "${victim}", "password": "x", "email": "${victim}@example.com"}`)
}

// named is victim as the user that the path names.
func named(c *cell) {
	victim(c)
	c.vars["username"] = c.vars["victim"]
}

// loginOpened begins a login by browser and loads its page.
func loginOpened(c *cell) {
	w := c.send("nobody", http.MethodPost, "/v2/auth/login/", "")
	require.Equal(c.t, http.StatusFound, w.Code)
	c.vars["key"] = regexp.MustCompile(`[0-9a-f]{32}`).FindString(w.Header().Get("Location"))
	page := c.send("browser", http.MethodGet, loginPath+"?key="+c.vars["key"], "").Body.String()
	c.vars["csrf"] = fields(page).Get("csrf")
}

// abroad has the browser come back from the identity provider.
func abroad(c *cell) {
	loginOpened(c)
	page := c.send("browser", http.MethodPost, loginProvider, c.fill("key=${key}&csrf=${csrf}")).Body.String()
	c.vars["state"] = regexp.MustCompile(`[0-9a-f]{64}`).FindString(page)
}

// joined has a victim join the workspace.
func joined(c *cell) {
	named(c)
	c.do(anAdmin, "POST /v2/workspaces/${workspace}/invitations/", `{"email": "${victim}@example.com"}`)
}

// invited invites somebody who has no account.
func invited(c *cell) {
	out := c.do(anAdmin, "POST /v2/workspaces/${workspace}/invitations/", `{"email": "guest${n}@example.com"}`)
	c.vars["key"] = out["token"].(string)
}

// granted lets a victim into the app.
func granted(c *cell) {
	named(c)
	c.do(anAdmin, "POST /v2/apps/${app}/perms/", `{"username": "${victim}"}`)
}

// emptied makes a workspace that only its admin is in.
func emptied(c *cell) {
	c.do(anAdmin, "POST /v2/workspaces/", `{"id": "empty${n}"}`)
	c.vars["workspace"] = "empty" + c.vars["n"]
}

// accountRows are the rows of users, logins, workspaces and permissions.
func accountRows() []row {
	const one = "/v2/workspaces/{workspace}/"
	const token = "{uuid:uuid token:str username:str}"
	only := []role{superuser}
	anybody := append([]role{anAdmin}, everyRole()...)
	unknown := map[role]int{aViewer: 404, aMember: 404}
	return []row{
		{route: "POST /v2/auth/token/", arrange: func(c *cell) { c.vars["token"] = c.tokens["adalove"] }, body: `{"access_token": "${token}"}`, status: 200, answer: token},
		{route: "GET " + loginPath, arrange: loginOpened, query: "key=${key}", status: 200, answer: pageShape},
		{route: "POST " + loginPath, arrange: loginOpened, body: "key=${key}&csrf=${csrf}&username=adalove&password=" + password, status: 303},
		{route: "POST " + loginProvider, arrange: loginOpened, body: "key=${key}&csrf=${csrf}", status: 200, answer: pageShape},
		{route: "GET " + loginDone, status: 200, answer: pageShape},
		{route: "GET " + completePath, arrange: abroad, query: "state=${state}&code=good", status: 303, once: true},

		{route: "POST /v2/auth/register/", body: `{"username": "new${n}", "password": "x", "email": "new${n}@example.com"}`, status: 201, allowed: only, strangers: 403},
		{route: "DELETE /v2/auth/cancel/", arrange: victim, body: `{"username": "${victim}"}`, status: 204, allowed: only, strangers: 403},
		{route: "POST /v2/auth/passwd/", arrange: victim, body: `{"username": "${victim}", "new_password": "y"}`, status: 200, allowed: only, strangers: 403},
		{route: "POST /v2/auth/tokens/", arrange: victim, body: `{"username": "${victim}"}`, status: 200, allowed: only, strangers: 403, answer: "{token:str}"},
		{route: "GET /v2/users/", status: 200, strangers: 403},
		{route: "PATCH /v2/users/{username}/enable/", arrange: func(c *cell) { named(c); c.do(superuser, "PATCH /v2/users/${victim}/disable/", "") }, status: 204, strangers: 403},
		{route: "PATCH /v2/users/{username}/disable/", arrange: named, status: 204, strangers: 403},
		{route: "GET /v2/admin/perms/", status: 200, strangers: 403, answer: "page of {username:str is_superuser:bool}"},
		{route: "POST /v2/admin/perms/", arrange: victim, body: `{"username": "${victim}"}`, status: 201, strangers: 403},
		{route: "DELETE /v2/admin/perms/{username}/", arrange: func(c *cell) { named(c); c.do(superuser, "POST /v2/admin/perms/", `{"username": "${victim}"}`) }, status: 204, strangers: 403},

		{route: "POST /v2/workspaces/", body: `{"id": "work${n}", "email": "w@example.com"}`, status: 201},
		{route: "PATCH " + one, body: `{"email": "new${n}@example.com"}`, status: 200},
		{route: "PUT " + one, body: `{"email": "newer${n}@example.com"}`, status: 200},
		{route: "DELETE " + one, arrange: emptied, status: 204, refused: unknown},
		{route: "GET " + one + "members/", status: 200, missing: 200},
		{route: "GET " + one + "members/{username}/", status: 200},
		{route: "PATCH " + one + "members/{username}/", arrange: joined, body: `{"role": "viewer", "alerts": true}`, status: 200, allowed: []role{anAdmin}},
		{route: "DELETE " + one + "members/{username}/", arrange: joined, status: 204, allowed: []role{anAdmin}},
		{route: "GET " + one + "invitations/", arrange: invited, status: 200},
		{route: "POST " + one + "invitations/", body: `{"email": "some${n}@example.com"}`, status: 201},
		{route: "GET " + one + "invitations/{key}/", arrange: invited, status: 200, allowed: anybody, answer: "{workspace_id:str user_exists:bool register_url:str}"},
		{route: "DELETE " + one + "invitations/{key}/", arrange: invited, status: 204},

		{route: "GET /v2/apps/{app}/perms/", arrange: granted, status: 200, answer: "{users:[str]}"},
		{route: "POST /v2/apps/{app}/perms/", arrange: victim, body: `{"username": "${victim}"}`, status: 201},
		{route: "DELETE /v2/apps/{app}/perms/{username}/", arrange: granted, status: 204, allowed: []role{anAdmin, staff, superuser}},
	}
}
