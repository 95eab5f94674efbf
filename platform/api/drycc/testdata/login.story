# A client without a password is sent to the login page; until somebody has
# been there, no token waits.
> nobody POST /v2/auth/login/
< 302  Location: http://drycc.slipway.localhost/v2/login/drycc/?key=<key-1>
> nobody GET /v2/auth/token/<key-1>/?alias=workflow-cli
< 404

# The page, for a person.
> browser GET /v2/login/drycc/?key=<key-1>
< 200
< <p class="brand">Slipway</p>
< <h1>Log in</h1>
< <p>The <code>drycc</code> client asks to log in as you. It was started from <strong>192.0.2.1</strong>, 2 minutes ago. Go on only if that was you.</p>
< <form method="post" action="/v2/login/drycc/">
< <input type="hidden" name="key" value="<key-1>">
< <input type="hidden" name="csrf" value="<form-1>">
< <label for="username">User name</label>
< <input id="username" name="username" value="" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="512" required autofocus>
< <label for="password">Password</label>
< <input id="password" name="password" type="password" autocomplete="current-password" maxlength="512" required>
< <button type="submit">Log in</button>
< </form>
< <p class="or">or</p>
< <form method="post" action="/v2/login/drycc/provider/">
< <input type="hidden" name="key" value="<key-1>">
< <input type="hidden" name="csrf" value="<form-1>">
< <button type="submit" class="other">Log in with Example ID</button>
< </form>

# Forms that did not come from it.
> browser POST /v2/login/drycc/
| username=adalove&password=correct+horse+battery+staple&key=<key-1>
< 403
< <p class="brand">Slipway</p>
< <h1>Log in</h1>
< <p class="error" role="alert" id="error">The form was too old, or your browser refuses cookies. Please try again.</p>
< <p>The <code>drycc</code> client asks to log in as you. It was started from <strong>192.0.2.1</strong>, 3 minutes ago. Go on only if that was you.</p>
< <form method="post" action="/v2/login/drycc/">
< <input type="hidden" name="key" value="<key-1>">
< <input type="hidden" name="csrf" value="<form-1>">
< <label for="username">User name</label>
< <input id="username" name="username" value="" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="512" required autofocus aria-describedby="error">
< <label for="password">Password</label>
< <input id="password" name="password" type="password" autocomplete="current-password" maxlength="512" required aria-describedby="error">
< <button type="submit">Log in</button>
< </form>
< <p class="or">or</p>
< <form method="post" action="/v2/login/drycc/provider/">
< <input type="hidden" name="key" value="<key-1>">
< <input type="hidden" name="csrf" value="<form-1>">
< <button type="submit" class="other">Log in with Example ID</button>
< </form>
> another-browser POST /v2/login/drycc/
| username=adalove&password=correct+horse+battery+staple&key=<key-1>&csrf=<form-1>
< 403
< <p class="brand">Slipway</p>
< <h1>Log in</h1>
< <p class="error" role="alert" id="error">The form was too old, or your browser refuses cookies. Please try again.</p>
< <p>The <code>drycc</code> client asks to log in as you. It was started from <strong>192.0.2.1</strong>, 4 minutes ago. Go on only if that was you.</p>
< <form method="post" action="/v2/login/drycc/">
< <input type="hidden" name="key" value="<key-1>">
< <input type="hidden" name="csrf" value="<form-2>">
< <label for="username">User name</label>
< <input id="username" name="username" value="" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="512" required autofocus aria-describedby="error">
< <label for="password">Password</label>
< <input id="password" name="password" type="password" autocomplete="current-password" maxlength="512" required aria-describedby="error">
< <button type="submit">Log in</button>
< </form>
< <p class="or">or</p>
< <form method="post" action="/v2/login/drycc/provider/">
< <input type="hidden" name="key" value="<key-1>">
< <input type="hidden" name="csrf" value="<form-2>">
< <button type="submit" class="other">Log in with Example ID</button>
< </form>
> nobody GET /v2/auth/token/<key-1>/
< 404

# Wrong passwords, and users that do not exist.
> browser POST /v2/login/drycc/
| username=adalove&password=wrong&key=<key-1>&csrf=<form-1>
< 403
< <p class="brand">Slipway</p>
< <h1>Log in</h1>
< <p class="error" role="alert" id="error">Invalid credentials given.</p>
< <p>The <code>drycc</code> client asks to log in as you. It was started from <strong>192.0.2.1</strong>, 6 minutes ago. Go on only if that was you.</p>
< <form method="post" action="/v2/login/drycc/">
< <input type="hidden" name="key" value="<key-1>">
< <input type="hidden" name="csrf" value="<form-1>">
< <label for="username">User name</label>
< <input id="username" name="username" value="adalove" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="512" required aria-describedby="error">
< <label for="password">Password</label>
< <input id="password" name="password" type="password" autocomplete="current-password" maxlength="512" required autofocus aria-describedby="error">
< <button type="submit">Log in</button>
< </form>
< <p class="or">or</p>
< <form method="post" action="/v2/login/drycc/provider/">
< <input type="hidden" name="key" value="<key-1>">
< <input type="hidden" name="csrf" value="<form-1>">
< <button type="submit" class="other">Log in with Example ID</button>
< </form>
> browser POST /v2/login/drycc/
| username=nobodysuch%22%3E&password=wrong&key=<key-1>&csrf=<form-1>
< 403
< <p class="brand">Slipway</p>
< <h1>Log in</h1>
< <p class="error" role="alert" id="error">Invalid credentials given.</p>
< <p>The <code>drycc</code> client asks to log in as you. It was started from <strong>192.0.2.1</strong>, 7 minutes ago. Go on only if that was you.</p>
< <form method="post" action="/v2/login/drycc/">
< <input type="hidden" name="key" value="<key-1>">
< <input type="hidden" name="csrf" value="<form-1>">
< <label for="username">User name</label>
< <input id="username" name="username" value="nobodysuch&#34;&gt;" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="512" required aria-describedby="error">
< <label for="password">Password</label>
< <input id="password" name="password" type="password" autocomplete="current-password" maxlength="512" required autofocus aria-describedby="error">
< <button type="submit">Log in</button>
< </form>
< <p class="or">or</p>
< <form method="post" action="/v2/login/drycc/provider/">
< <input type="hidden" name="key" value="<key-1>">
< <input type="hidden" name="csrf" value="<form-1>">
< <button type="submit" class="other">Log in with Example ID</button>
< </form>
> browser POST /v2/login/drycc/
| username=%zz
< 400
< <p class="brand">Slipway</p>
< <h1>You are not logged in</h1>
< <p class="error" role="alert" id="error">The form could not be read.</p>

# The right one; the client that waits gets the token, once.
> browser POST /v2/login/drycc/
| username=AdaLove&password=correct+horse+battery+staple&key=<key-1>&csrf=<form-1>
< 303  Location: /v2/login/drycc/done/
> browser GET /v2/login/drycc/done/
< 200
< <p class="brand">Slipway</p>
< <h1>You are logged in</h1>
< <p>The client goes on by itself. You can close this window.</p>
> nobody GET /v2/auth/token/<key-1>/?alias=workflow-cli
< 200
< {
<   "uuid": "<uuid-1>",
<   "token": "<token-1>",
<   "username": "adalove"
< }
> nobody GET /v2/auth/token/<key-1>/?alias=workflow-cli
< 404
> browser GET /v2/login/drycc/?key=<key-1>
< 404
< <p class="brand">Slipway</p>
< <h1>You are not logged in</h1>
< <p class="error" role="alert" id="error">This login has expired or was completed already. Start it again with drycc login.</p>
> browser POST /v2/login/drycc/
| username=adalove&password=correct+horse+battery+staple&key=<key-1>&csrf=<form-1>
< 404
< <p class="brand">Slipway</p>
< <h1>You are not logged in</h1>
< <p class="error" role="alert" id="error">This login has expired or was completed already. Start it again with drycc login.</p>
> browser GET /v2/login/drycc/
< 404
< <p class="brand">Slipway</p>
< <h1>You are not logged in</h1>
< <p class="error" role="alert" id="error">This login has expired or was completed already. Start it again with drycc login.</p>

# By way of the identity provider.
> nobody POST /v2/auth/login/
| {}
< 302  Location: http://drycc.slipway.localhost/v2/login/drycc/?key=<key-2>
> browser GET /v2/login/drycc/?key=<key-2>
< 200
< <p class="brand">Slipway</p>
< <h1>Log in</h1>
< <p>The <code>drycc</code> client asks to log in as you. It was started from <strong>192.0.2.1</strong>, 60 seconds ago. Go on only if that was you.</p>
< <form method="post" action="/v2/login/drycc/">
< <input type="hidden" name="key" value="<key-2>">
< <input type="hidden" name="csrf" value="<form-3>">
< <label for="username">User name</label>
< <input id="username" name="username" value="" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="512" required autofocus>
< <label for="password">Password</label>
< <input id="password" name="password" type="password" autocomplete="current-password" maxlength="512" required>
< <button type="submit">Log in</button>
< </form>
< <p class="or">or</p>
< <form method="post" action="/v2/login/drycc/provider/">
< <input type="hidden" name="key" value="<key-2>">
< <input type="hidden" name="csrf" value="<form-3>">
< <button type="submit" class="other">Log in with Example ID</button>
< </form>
> browser POST /v2/login/drycc/provider/
| key=<key-2>&csrf=<form-3>
< 200
< <p class="brand">Slipway</p>
< <h1>One moment</h1>
< <p><a href="https://id.example.com/authorize?redirect_uri=http%3A%2F%2Fdrycc.slipway.localhost%2Fv2%2Fcomplete%2Fdrycc%2F&amp;state=<form-4>">Go on</a> if nothing happens.</p>
> another-browser POST /v2/login/drycc/provider/
| key=<key-2>&csrf=<form-3>
< 403
< <p class="brand">Slipway</p>
< <h1>Log in</h1>
< <p class="error" role="alert" id="error">The form was too old, or your browser refuses cookies. Please try again.</p>
< <p>The <code>drycc</code> client asks to log in as you. It was started from <strong>192.0.2.1</strong>, 3 minutes ago. Go on only if that was you.</p>
< <form method="post" action="/v2/login/drycc/">
< <input type="hidden" name="key" value="<key-2>">
< <input type="hidden" name="csrf" value="<form-5>">
< <label for="username">User name</label>
< <input id="username" name="username" value="" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="512" required autofocus aria-describedby="error">
< <label for="password">Password</label>
< <input id="password" name="password" type="password" autocomplete="current-password" maxlength="512" required aria-describedby="error">
< <button type="submit">Log in</button>
< </form>
< <p class="or">or</p>
< <form method="post" action="/v2/login/drycc/provider/">
< <input type="hidden" name="key" value="<key-2>">
< <input type="hidden" name="csrf" value="<form-5>">
< <button type="submit" class="other">Log in with Example ID</button>
< </form>
> another-browser GET /v2/complete/drycc/?state=<form-4>&code=good
< 404
< <p class="brand">Slipway</p>
< <h1>You are not logged in</h1>
< <p class="error" role="alert" id="error">This login has expired or was completed already. Start it again with drycc login.</p>
> browser GET /v2/complete/drycc/?state=<form-4>&code=bad
< 403
< <p class="brand">Slipway</p>
< <h1>You are not logged in</h1>
< <p class="error" role="alert" id="error">The identity provider did not confirm the login.</p>
> browser GET /v2/complete/drycc/?state=<form-4>&code=good
< 404
< <p class="brand">Slipway</p>
< <h1>You are not logged in</h1>
< <p class="error" role="alert" id="error">This login has expired or was completed already. Start it again with drycc login.</p>
> browser GET /v2/complete/drycc/?error=access_denied%3Cb%3E&state=x
< 403
< <p class="brand">Slipway</p>
< <h1>You are not logged in</h1>
< <p class="error" role="alert" id="error">The identity provider refused: access_denied&lt;b&gt;. Start again with drycc login.</p>
> nobody GET /v2/auth/token/<key-2>/
< 404
> browser POST /v2/login/drycc/provider/
| key=<key-2>&csrf=<form-3>
< 200
< <p class="brand">Slipway</p>
< <h1>One moment</h1>
< <p><a href="https://id.example.com/authorize?redirect_uri=http%3A%2F%2Fdrycc.slipway.localhost%2Fv2%2Fcomplete%2Fdrycc%2F&amp;state=<form-6>">Go on</a> if nothing happens.</p>
> browser GET /v2/complete/drycc/?state=<form-6>&code=good
< 303  Location: /v2/login/drycc/done/
> nobody GET /v2/auth/token/<key-2>/?alias=workflow-cli
< 200
< {
<   "uuid": "<uuid-2>",
<   "token": "<token-2>",
<   "username": "carol"
< }
! token carol <token-2>
> carol GET /v2/auth/whoami/
< 200
< {
<   "id": 4,
<   "email": "carol@example.com",
<   "username": "carol",
<   "first_name": "Carol",
<   "last_name": "Shaw",
<   "is_superuser": false,
<   "is_staff": false,
<   "groups": [
<     "games"
<   ],
<   "user_permissions": [],
<   "last_login": "2026-01-02T03:32:05Z",
<   "date_joined": "2026-01-02T03:31:05Z",
<   "is_active": true
< }
> carol GET /v2/workspaces/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-3>",
<       "id": "carol",
<       "uid": 4,
<       "email": "carol@example.com",
<       "created": "2026-01-02T03:32:05Z",
<       "updated": "2026-01-02T03:32:05Z"
<     }
<   ]
< }
> carol POST /v2/auth/passwd/
| {"password": "x", "new_password": "y"}
< 409
< {
<   "detail": "The password of carol is kept in another system (oidc): change it there."
< }

# Another proof for a token.
> nobody POST /v2/auth/token/?alias=exchanged
| {"access_token": "", "id_token": "good", "expires_in": 2592000, "token_type": "Bearer", "scope": "openid", "refresh_token": "x"}
< 200
< {
<   "uuid": "<uuid-4>",
<   "token": "<token-3>",
<   "username": "carol"
< }
> nobody POST /v2/auth/token/?alias=exchanged
| {"access_token": "<token-1>"}
< 200
< {
<   "uuid": "<uuid-5>",
<   "token": "<token-4>",
<   "username": "adalove"
< }
> nobody POST /v2/auth/token/
| {"access_token": "wrong"}
< 401  WWW-Authenticate: token
< {
<   "detail": "Verify token fail."
< }
> nobody POST /v2/auth/token/
| {"id_token": "wrong"}
< 401  WWW-Authenticate: token
< {
<   "detail": "The identity provider did not confirm the login."
< }
> nobody POST /v2/auth/token/
| {"token_type": "Bearer"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Token matches the given query."
<   }
< }
> nobody POST /v2/auth/token/
| access_token=x
< 400
< {
<   "detail": "JSON parse error - invalid character 'a' looking for beginning of value."
< }
