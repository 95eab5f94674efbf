package drycc

// Who may use a route of accounts, in the words of the reference.
const (
	administrator = "administrator"
	self          = "any user, for themselves; administrators for others"
	registrant    = "administrator; anyone when REGISTRATION_MODE is enabled"
	memberOrSelf  = "workspace admin; members their own alerts"
	leaver        = "workspace admin; members themselves"
	grantee       = "workspace admin; users their own"
)

func loginRoutes() []route {
	return []route{
		{method: "POST", pattern: "/v2/auth/token/", open: true, run: (*Handler).exchangeToken, doc: routeDoc{
			summary: "A token for an ID token of the identity provider, or for another token of this platform. 404 without either, 401 when it does not hold.",
			who:     anyone, query: "alias: a name for the token", request: `{"access_token", "id_token"?, "expires_in"?, "token_type"?, "scope"?, "refresh_token"?}`,
			status: 200, response: `{"uuid", "token", "username"}`}},
		{method: "GET", pattern: loginPath, open: true, run: (*Handler).loginPage, doc: routeDoc{
			summary: "The login page, for a browser.", who: anyone, query: "key: which login it completes", status: 200, response: pageShape}},
		{method: "POST", pattern: loginPath, open: true, run: (*Handler).submitLogin, doc: routeDoc{
			summary: "The login page's form, with key, csrf, username and password; the client that waits under the key then gets its token.",
			who:     anyone, status: 303}},
		{method: "POST", pattern: loginProvider, open: true, run: (*Handler).submitProvider, doc: routeDoc{
			summary: "The login page's other form, with key and csrf: a page that takes the browser to the identity provider.",
			who:     anyone, status: 200, response: pageShape}},
		{method: "GET", pattern: loginDone, open: true, run: (*Handler).loggedIn, doc: routeDoc{
			summary: "The page after a login.", who: anyone, status: 200, response: pageShape}},
		{method: "GET", pattern: completePath, open: true, run: (*Handler).completeLogin, doc: routeDoc{
			summary: "Where the identity provider sends the browser back to.", who: anyone,
			query: "code: the provider's; state: as it was sent there", status: 303}},
	}
}

// pageShape stands for an answer that is a page.
const pageShape = "a page"

func userRoutes() []route {
	return []route{
		{method: "POST", pattern: "/v2/auth/register/", optional: true, run: (*Handler).register, doc: routeDoc{
			summary: "Make an account. The first of all becomes an administrator. 403 when REGISTRATION_MODE is disabled.",
			who:     registrant, request: `{"username", "password", "email", "first_name"?, "last_name"?}`, status: 201, response: "User"}},
		{method: "DELETE", pattern: "/v2/auth/cancel/", run: (*Handler).cancel, doc: routeDoc{
			summary: "Delete an account. 409 while it is the only admin of a workspace with apps or other members, or the last administrator.",
			who:     self, request: `{"username"?}`, status: 204}},
		{method: "POST", pattern: "/v2/auth/passwd/", run: (*Handler).changePassword, doc: routeDoc{
			summary: "Change a password. Only for another's the old one is not needed. 409 when it is kept in another system.",
			who:     self, request: `{"password"?, "new_password", "username"?}`, status: 200}},
		{method: "POST", pattern: "/v2/auth/tokens/", run: (*Handler).renewTokens, doc: routeDoc{
			summary: "A new key: for the token that asks, for a user in place of all their tokens, or, with all, in place of everybody's.",
			who:     self, request: `{"username"?, "all"?}`, status: 200, response: `{"token"}`}},
		{method: "GET", pattern: "/v2/users/", paged: true, run: (*Handler).listUsers, doc: routeDoc{
			summary: "All users.", who: administrator, status: 200, response: "page of User"}},
		{method: "PATCH", pattern: "/v2/users/{username}/enable/", run: (*Handler).enableUser, doc: routeDoc{
			summary: "Let a user in again. 409 when nothing changes.", who: administrator, status: 204}},
		{method: "PATCH", pattern: "/v2/users/{username}/disable/", run: (*Handler).disableUser, doc: routeDoc{
			summary: "Keep a user out, at once and with all tokens. 409 when nothing changes, and for the last administrator.",
			who:     administrator, status: 204}},
		{method: "GET", pattern: "/v2/admin/perms/", paged: true, run: (*Handler).listAdmins, doc: routeDoc{
			summary: "The administrators.", who: administrator, status: 200, response: `page of {"username", "is_superuser"}`}},
		{method: "POST", pattern: "/v2/admin/perms/", run: (*Handler).addAdmin, doc: routeDoc{
			summary: "Make a user an administrator. 409 when nothing changes.", who: administrator, request: `{"username"}`, status: 201}},
		{method: "DELETE", pattern: "/v2/admin/perms/{username}/", run: (*Handler).removeAdmin, doc: routeDoc{
			summary: "Make an administrator a user like others. 409 for the last one.", who: administrator, status: 204}},
	}
}

func memberRoutes() []route {
	const one = "/v2/workspaces/{workspace}/"
	return []route{
		{method: "POST", pattern: "/v2/workspaces/", run: (*Handler).createWorkspace, doc: routeDoc{
			summary: "Make a workspace and become its admin.", who: user, request: `{"id", "email"?}`, status: 201, response: "Workspace"}},
		{method: "PATCH", pattern: one, run: (*Handler).updateWorkspace, doc: routeDoc{
			summary: "Change the mail address. The id stays.", who: admin, request: `{"email"?}`, status: 200, response: "Workspace"}},
		{method: "PUT", pattern: one, run: (*Handler).updateWorkspace, doc: routeDoc{
			summary: "The same as PATCH.", who: admin, request: `{"email"?}`, status: 200, response: "Workspace"}},
		{method: "DELETE", pattern: one, run: (*Handler).deleteWorkspace, doc: routeDoc{
			summary: "Delete a workspace. 403 while it has other members, 409 while it has apps.", who: admin, status: 204}},
		{method: "GET", pattern: one + "members/", paged: true, run: (*Handler).listMembers, doc: routeDoc{
			summary: "The members; none for those who are not.", who: user, status: 200, response: "page of Member"}},
		{method: "GET", pattern: one + "members/{username}/", run: (*Handler).findMember, doc: routeDoc{
			summary: "One member.", who: viewer, status: 200, response: "Member"}},
		{method: "PATCH", pattern: one + "members/{username}/", run: (*Handler).updateMember, doc: routeDoc{
			summary: "Change a member. 403 for the role of the only member or the only admin.", who: memberOrSelf,
			request: `{"role"?, "alerts"?}`, status: 200, response: "Member"}},
		{method: "DELETE", pattern: one + "members/{username}/", run: (*Handler).deleteMember, doc: routeDoc{
			summary: "Take a member out. 403 for the only member and the only admin.", who: leaver, status: 204}},
		{method: "GET", pattern: one + "invitations/", paged: true, run: (*Handler).listInvitations, doc: routeDoc{
			summary: "The invitations that wait.", who: viewer, status: 200, response: "page of Invitation"}},
		{method: "POST", pattern: one + "invitations/", run: (*Handler).invite, doc: routeDoc{
			summary: "Invite the owner of a mail address, as a member. Without a mail server it counts as accepted: users join now, others with their first login.",
			who:     admin, request: `{"email"}`, status: 201, response: "Invitation"}},
		{method: "GET", pattern: one + "invitations/{key}/", open: true, secret: true, run: (*Handler).acceptInvitation, doc: routeDoc{
			summary: "Accept an invitation. The key is its token. Browsers get a page.", who: anyone,
			status: 200, response: `{"workspace_id", "user_exists", "register_url"} or a page`}},
		{method: "DELETE", pattern: one + "invitations/{key}/", secret: true, run: (*Handler).deleteInvitation, doc: routeDoc{
			summary: "Take an invitation back.", who: admin, status: 204}},
		{method: "GET", pattern: "/v2/apps/{app}/perms/", run: (*Handler).listGrants, doc: routeDoc{
			summary: "Who is let into this app beside the members of its workspace.", who: viewer, status: 200, response: `{"users"}`}},
		{method: "POST", pattern: "/v2/apps/{app}/perms/", run: (*Handler).addGrant, doc: routeDoc{
			summary: `Let a user into this app. permissions is any of view, change and delete, "view,change" when not given; nobody gives more than they have, and none of it lets delete the app. 409 when nothing changes.`,
			who:     member, request: `{"username", "permissions"?: "view,change,delete"}`, status: 201}},
		{method: "DELETE", pattern: "/v2/apps/{app}/perms/{username}/", run: (*Handler).removeGrant, doc: routeDoc{
			summary: "Take a user's way into this app away.", who: grantee, status: 204}},
	}
}
