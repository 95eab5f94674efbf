package oidc_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/identity/oidc"
)

var _ control.SignOn = (*oidc.Provider)(nil)

const redirect = "http://drycc.example.test/v2/complete/drycc/"

// world is a provider that runs, and we as its client.
type world struct {
	*oidc.Provider
	t      *testing.T
	server *mockoidc.MockOIDC
}

func newWorld(t *testing.T, changes ...func(*oidc.Options)) world {
	t.Helper()
	server, err := mockoidc.Run()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Shutdown()) })
	o := oidc.Options{Issuer: server.Issuer(), ClientID: server.ClientID, ClientSecret: server.ClientSecret}
	for _, change := range changes {
		change(&o)
	}
	p, err := oidc.New(o)
	require.NoError(t, err)
	return world{p, t, server}
}

// visit is the browser at the provider: it comes back with a code.
func (w world) visit(address string, who mockoidc.User) (code, state string) {
	w.t.Helper()
	w.server.QueueUser(who)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(address)
	require.NoError(w.t, err)
	require.NoError(w.t, resp.Body.Close())
	require.Equal(w.t, http.StatusFound, resp.StatusCode)
	back, err := url.Parse(resp.Header.Get("Location"))
	require.NoError(w.t, err)
	require.True(w.t, strings.HasPrefix(back.String(), redirect))
	return back.Query().Get("code"), back.Query().Get("state")
}

func (w world) begin() (address, secret string) {
	w.t.Helper()
	address, secret, err := w.Begin(w.t.Context(), "some-state", redirect)
	require.NoError(w.t, err)
	return address, secret
}

func carol() *mockoidc.MockUser {
	return &mockoidc.MockUser{Subject: "7", Email: "carol@example.test", EmailVerified: true, PreferredUsername: "Carol", Groups: []string{"games", "staff"}}
}

// idToken is a token that the provider signs for somebody, as changed.
func (w world) idToken(who mockoidc.User, change func(*mockoidc.IDTokenClaims)) string {
	w.t.Helper()
	now := time.Now()
	claims := &mockoidc.IDTokenClaims{RegisteredClaims: &jwt.RegisteredClaims{
		Issuer: w.server.Issuer(), Subject: who.ID(), Audience: jwt.ClaimStrings{w.server.ClientID},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Minute)),
	}}
	change(claims)
	all, err := who.Claims([]string{"openid", "profile", "email", "groups"}, claims)
	require.NoError(w.t, err)
	token, err := w.server.Keypair.SignJWT(all)
	require.NoError(w.t, err)
	return token
}

func TestLogin(t *testing.T) {
	w := newWorld(t, func(o *oidc.Options) { o.Scopes = []string{"openid", "profile", "email", "groups"} })
	address, secret := w.begin()
	q, err := url.Parse(address)
	require.NoError(t, err)
	require.Equal(t, "S256", q.Query().Get("code_challenge_method"))
	require.NotContains(t, address, strings.Fields(secret)[0], "the verifier stays here")
	require.NotContains(t, address, w.server.ClientSecret)
	code, state := w.visit(address, carol())
	require.Equal(t, "some-state", state)
	p, err := w.Finish(t.Context(), code, redirect, secret)
	require.NoError(t, err)
	require.Equal(t, platform.Person{Origin: platform.OriginOIDC, Subject: w.server.Issuer() + " 7", Username: "Carol",
		Email: "carol@example.test", Groups: []string{"games", "staff"}}, p)
	require.Equal(t, strings.TrimPrefix(w.server.Addr(), "http://"), w.Name())
	other, second := w.begin()
	require.NotEqual(t, secret, second)
	require.NotEqual(t, address, other)
}

// What somebody else's browser brought does not log this one in.
func TestRefusedLogins(t *testing.T) {
	w := newWorld(t)
	refused := func(code, secret string) {
		t.Helper()
		_, err := w.Finish(t.Context(), code, redirect, secret)
		require.Equal(t, platform.Unauthenticated, platform.CodeOf(err), "%v", err)
		if code != "" {
			require.NotContains(t, err.Error(), code)
		}
		require.NotContains(t, err.Error(), w.server.ClientSecret)
	}
	address, secret := w.begin()
	code, _ := w.visit(address, carol())
	refused("made-up", secret)
	refused("", secret)
	refused(code, "")
	_, another := w.begin()
	refused(code, another) // its verifier is not this code's

	address, secret = w.begin()
	code, _ = w.visit(address, carol())
	verifier, nonce, _ := strings.Cut(secret, " ")
	refused(code, verifier+" not-"+nonce)

	address, secret = w.begin()
	code, _ = w.visit(address, carol())
	_, err := w.Finish(t.Context(), code, redirect, secret)
	require.NoError(t, err)
	refused(code, secret) // used
}

func TestVerify(t *testing.T) {
	w := newWorld(t)
	p, err := w.Verify(t.Context(), w.idToken(carol(), func(*mockoidc.IDTokenClaims) {}))
	require.NoError(t, err)
	require.Equal(t, "Carol", p.Username)
	for name, change := range map[string]func(*mockoidc.IDTokenClaims){
		"for another client": func(c *mockoidc.IDTokenClaims) { c.Audience = jwt.ClaimStrings{"another"} },
		"of another issuer":  func(c *mockoidc.IDTokenClaims) { c.Issuer = "https://id.example.test" },
		"expired":            func(c *mockoidc.IDTokenClaims) { c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(-time.Hour)) },
	} {
		_, err := w.Verify(t.Context(), w.idToken(carol(), change))
		require.Equal(t, platform.Unauthenticated, platform.CodeOf(err), name)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	stranger := w
	stranger.server = &mockoidc.MockOIDC{ClientID: w.server.ClientID, Server: w.server.Server}
	stranger.server.Keypair, err = mockoidc.NewKeypair(key)
	require.NoError(t, err)
	_, err = w.Verify(t.Context(), stranger.idToken(carol(), func(*mockoidc.IDTokenClaims) {}))
	require.Equal(t, platform.Unauthenticated, platform.CodeOf(err), "signed by somebody else")
	_, err = w.Verify(t.Context(), "no.token.atall")
	require.Equal(t, platform.Unauthenticated, platform.CodeOf(err))
}

// Addresses that nobody has checked are not believed, and names come from
// where the settings say.
func TestPeople(t *testing.T) {
	unchecked := carol()
	unchecked.EmailVerified = false
	unnamed := carol()
	unnamed.PreferredUsername = ""
	for name, tc := range map[string]struct {
		claim           string
		user            *mockoidc.MockUser
		username, email string
	}{
		"verified":       {"", carol(), "Carol", "carol@example.test"},
		"no name":        {"", unnamed, "carol", "carol@example.test"},
		"by mail":        {"email", carol(), "carol@example.test", "carol@example.test"},
		"by number":      {"sub", carol(), "7", "carol@example.test"},
		"no such claim":  {"nickname", carol(), "", "carol@example.test"},
		"a list of them": {"groups", carol(), "", "carol@example.test"},
	} {
		w := newWorld(t, func(o *oidc.Options) { o.UsernameClaim = tc.claim })
		p, err := w.Verify(t.Context(), w.idToken(tc.user, func(*mockoidc.IDTokenClaims) {}))
		require.NoError(t, err, name)
		require.Equal(t, tc.username, p.Username, name)
		require.Equal(t, tc.email, p.Email, name)
	}
	w := newWorld(t)
	p, err := w.Verify(t.Context(), w.idToken(explicit{unchecked}, func(*mockoidc.IDTokenClaims) {}))
	require.NoError(t, err)
	require.Equal(t, "Carol", p.Username)
	require.Empty(t, p.Email)
}

// explicit says that an address is not verified, which MockUser leaves out.
type explicit struct{ *mockoidc.MockUser }

func (explicit) Claims(_ []string, c *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	return &struct {
		*mockoidc.IDTokenClaims
		Email             string `json:"email"`
		EmailVerified     string `json:"email_verified"`
		PreferredUsername string `json:"preferred_username"`
	}{c, "carol@example.test", "false", "Carol"}, nil
}

func TestProviderAway(t *testing.T) {
	p, err := oidc.New(oidc.Options{Issuer: "http://127.0.0.1:1/oidc", ClientID: "c", Name: "Example"})
	require.NoError(t, err, "it need not be there at the start")
	require.Equal(t, "Example", p.Name())
	_, _, err = p.Begin(t.Context(), "s", redirect)
	require.Equal(t, platform.Unavailable, platform.CodeOf(err))
	_, err = p.Finish(t.Context(), "c", redirect, "a b")
	require.Equal(t, platform.Unavailable, platform.CodeOf(err))
	_, err = p.Verify(t.Context(), "c")
	require.Equal(t, platform.Unavailable, platform.CodeOf(err))

	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, secret, err := w.Begin(ctx, "s", redirect)
	require.NoError(t, err)
	cancel()
	_, err = w.Verify(t.Context(), w.idToken(carol(), func(*mockoidc.IDTokenClaims) {}))
	require.NoError(t, err, "keys are fetched although the first request is long over")
	for range 2 { // it is asked in both ways that a client may say who it is
		w.server.QueueError(&mockoidc.ServerError{Code: http.StatusServiceUnavailable, Error: mockoidc.InternalServerError})
	}
	_, err = w.Finish(t.Context(), "c", redirect, secret)
	require.Equal(t, platform.Unavailable, platform.CodeOf(err))
}

func TestOptions(t *testing.T) {
	for want, o := range map[string]oidc.Options{
		`OIDC_ISSUER "id.example.test"`: {Issuer: "id.example.test", ClientID: "c"},
		`OIDC_ISSUER "https://"`:        {Issuer: "https://", ClientID: "c"},
		"OIDC_CLIENT_ID is empty":       {Issuer: "https://id.example.test"},
	} {
		_, err := oidc.New(o)
		require.ErrorContains(t, err, want)
	}
	p, err := oidc.New(oidc.Options{Issuer: "https://id.example.test/realms/main", ClientID: "c"})
	require.NoError(t, err)
	require.Equal(t, "id.example.test", p.Name())
}
