package control_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// directory is an LDAP directory of one: dora, with password "pearl".
type directory struct {
	mu    sync.Mutex
	asked []string
	away  bool
	dora  platform.Person
}

func newDirectory() *directory {
	return &directory{dora: platform.Person{Origin: platform.OriginLDAP, Subject: "dora", Username: "Dora", Email: "dora@example.test", Groups: []string{"divers"}}}
}

func (d *directory) CheckPassword(_ context.Context, username, password string) (platform.Person, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, username)
	if d.away {
		return platform.Person{}, false, platform.Errorf(platform.Unavailable, "away")
	}
	return d.dora, (username == "dora" || username == "carol") && password == "pearl", nil
}

// signOn is an identity provider that believes its own codes.
type signOn struct{ people map[string]platform.Person }

func (signOn) Name() string { return "Example" }
func (signOn) Begin(_ context.Context, state, _ string) (string, string, error) {
	return "https://id.example.test/?state=" + state, "secret of " + state, nil
}

func (s signOn) Finish(_ context.Context, code, redirect, secret string) (platform.Person, error) {
	p, ok := s.people[code]
	if !ok || redirect != "https://here/" || !strings.HasPrefix(secret, "secret of ") {
		return platform.Person{}, platform.Errorf(platform.Unauthenticated, "not confirmed")
	}
	return p, nil
}

func (s signOn) Verify(ctx context.Context, idToken string) (platform.Person, error) {
	return s.Finish(ctx, idToken, "https://here/", "secret of x")
}

func accountKit(t *testing.T, options ...option) *kit {
	k := authKit(t)
	k.renew(append([]option{func(o *control.Options) { o.Identity = fakeIdentity{} }}, options...)...)
	return k
}

// root is an administrator.
func (k *kit) root() control.Actor {
	k.t.Helper()
	k.user("rooty")
	on := true
	u, err := k.store.UpdateUser(k.t.Context(), "rooty", platform.UserChange{IsSuperuser: &on}, k.clock.Now())
	require.NoError(k.t, err)
	return control.Actor{User: u}
}

func TestFirstUserIsAdmin(t *testing.T) {
	t.Parallel()
	for mode, want := range map[platform.RegistrationMode]platform.Code{
		"": "", platform.RegistrationAdminOnly: "", platform.RegistrationEnabled: "", platform.RegistrationDisabled: platform.Forbidden,
	} {
		k := emptyKit(t, func(o *control.Options) { o.Registration = mode; o.Identity = fakeIdentity{} })
		n := control.NewUser{Username: "first", Password: "secret", Email: "f@example.test"}
		u, err := k.Register(t.Context(), control.Actor{}, n, "1.2.3.4")
		require.Equal(t, want, platform.CodeOf(err), mode)
		if want != "" {
			continue
		}
		require.True(t, u.IsSuperuser && u.IsStaff && u.IsActive)
		n.Username = "second"
		u, err = k.Register(t.Context(), control.Actor{}, n, "1.2.3.4")
		if mode == platform.RegistrationEnabled {
			require.NoError(t, err)
			require.False(t, u.IsSuperuser || u.IsStaff)
			continue
		}
		fails(t, err, platform.Unauthenticated, "Authentication credentials")
	}
	_, err := control.New(control.Options{Registration: "sometimes"})
	require.Error(t, err)
}

// Of many who register at once on an empty platform, one is the first.
func TestOneFirstUser(t *testing.T) {
	t.Parallel()
	k := emptyKit(t, func(o *control.Options) { o.Registration = platform.RegistrationEnabled; o.Identity = fakeIdentity{} })
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			_, err := k.Register(t.Context(), control.Actor{}, control.NewUser{Username: fmt.Sprintf("user%d", n), Password: "x", Email: "x@example.test"}, "1.2.3.4")
			if err != nil {
				t.Errorf("register: %v", err)
			}
		})
	}
	group.Wait()
	_, admins, err := k.store.ListUsers(t.Context(), control.UserFilter{Superusers: true}, control.Page{})
	require.NoError(t, err)
	require.Equal(t, 1, admins)
}

func TestRegistrationIsSlowedDown(t *testing.T) {
	t.Parallel()
	k := accountKit(t, func(o *control.Options) { o.Registration = platform.RegistrationEnabled })
	register := func(n int, who control.Actor, remote string) error {
		_, err := k.Register(t.Context(), who, control.NewUser{Username: fmt.Sprintf("user%d", n), Password: "x", Email: "x@example.test"}, remote)
		return err
	}
	for n := range 20 {
		require.NoError(t, register(n, control.Actor{}, "2001:db8::1"))
	}
	fails(t, register(20, control.Actor{}, "2001:db8::2"), platform.Throttled, "throttled") // the same network
	require.NoError(t, register(20, control.Actor{}, "2001:db8:0:1::1"))
	require.NoError(t, register(21, k.root(), "2001:db8::1"), "administrators are not")
}

func TestDirectoryLogin(t *testing.T) {
	t.Parallel()
	d := newDirectory()
	k := accountKit(t, func(o *control.Options) { o.Directory = d })
	try := func(name, password string) (platform.User, error) {
		_, _, u, err := k.Login(t.Context(), name, password, "", "1.2.3.4")
		return u, err
	}
	u, err := try(" DORA", "pearl")
	require.NoError(t, err)
	require.Equal(t, "dora", u.Username)
	require.Equal(t, platform.OriginLDAP, u.Origin)
	require.Equal(t, []string{"divers"}, u.Groups)
	require.False(t, u.IsSuperuser)
	d.dora.Email, d.dora.Groups = "new@example.test", []string{"divers", "swimmers"}
	again, err := try("dora", "pearl")
	require.NoError(t, err)
	require.Equal(t, u.ID, again.ID)
	require.Equal(t, "new@example.test", again.Email)
	require.Equal(t, []string{"divers", "swimmers"}, again.Groups)
	_, err = try("dora", "wrong")
	fails(t, err, platform.Unauthenticated, "Invalid credentials given.")
	_, err = try("eve", "pearl")
	fails(t, err, platform.Unauthenticated, "Invalid credentials given.")

	// A local user is local: the directory's password for carol is not hers.
	d.asked = nil
	_, err = try("carol", "pearl")
	fails(t, err, platform.Unauthenticated, "Invalid credentials given.")
	require.Len(t, d.asked, 1, "it is asked, for the time it takes")
	require.NotContains(t, d.asked, "carol")
	_, err = try("carol", "secret")
	require.NoError(t, err)

	d.away = true
	for range 60 {
		_, err = try("dora", "pearl")
		fails(t, err, platform.Unavailable, "away")
	}
	_, err = try("carol", "wrong")
	fails(t, err, platform.Unauthenticated, "Invalid credentials given.")
	d.away = false
	_, err = try("dora", "pearl")
	require.NoError(t, err, "an outage counts as nobody's guess")

	off := false
	_, err = k.store.UpdateUser(t.Context(), "dora", platform.UserChange{IsActive: &off}, k.clock.Now())
	require.NoError(t, err)
	_, err = try("dora", "pearl")
	fails(t, err, platform.Unauthenticated, "User inactive")
}

// Who a provider calls carol is not our carol.
func TestNamesAreNotTakenOver(t *testing.T) {
	t.Parallel()
	person := func(subject, name string) platform.Person {
		return platform.Person{Origin: platform.OriginOIDC, Subject: subject, Username: name}
	}
	s := signOn{people: map[string]platform.Person{
		"carol": person("1", "carol"), "eve": person("2", "Eve Online!"), "eve again": person("2", "renamed"),
		"mallory": person("3", "eveonline"), "nameless": person("4", "!?"), "nobody": person("", "x"),
	}}
	k := accountKit(t, func(o *control.Options) { o.SignOn = s })
	exchange := func(code string) (platform.User, error) {
		_, _, u, err := k.ExchangeToken(t.Context(), control.Exchange{IDToken: code}, "", "1.2.3.4")
		return u, err
	}
	_, err := exchange("carol")
	fails(t, err, platform.Forbidden, "The user name carol belongs to another account here.")
	u, err := exchange("eve")
	require.NoError(t, err)
	require.Equal(t, "eveonline", u.Username)
	again, err := exchange("eve again")
	require.NoError(t, err)
	require.Equal(t, u.ID, again.ID, "a name is kept, whatever it becomes there")
	require.Equal(t, "eveonline", again.Username)
	_, err = exchange("mallory")
	fails(t, err, platform.Forbidden, "belongs to another")
	for _, code := range []string{"nameless", "nobody"} {
		_, err = exchange(code)
		fails(t, err, platform.Forbidden, "no user name that can be used")
	}
	_, err = exchange("made up")
	fails(t, err, platform.Unauthenticated, "not confirmed")
}

func TestBrowserLogin(t *testing.T) {
	t.Parallel()
	k := accountKit(t)
	key, err := k.OpenLogin("1.2.3.4")
	require.NoError(t, err)
	require.Regexp(t, `^[0-9a-f]{32}$`, key)
	for range 2 { // asking does not end it
		_, _, _, err = k.FinishLogin(t.Context(), key, "cli")
		fails(t, err, platform.NotFound, "No Token")
	}
	k.clock.pass(time.Minute)
	opened, err := k.FindLogin(key)
	require.NoError(t, err)
	require.Equal(t, control.OpenedLogin{Remote: "1.2.3.4", Age: time.Minute}, opened)
	_, err = k.CompleteLogin(t.Context(), key, "carol", "wrong", "5.6.7.8")
	fails(t, err, platform.Unauthenticated, "Invalid credentials given.")
	_, err = k.BeginSignOn(t.Context(), key, "https://here/", "b")
	fails(t, err, platform.NotFound, "no identity provider")
	u, err := k.CompleteLogin(t.Context(), key, "carol", "secret", "5.6.7.8")
	require.NoError(t, err)
	require.Equal(t, "carol", u.Username)
	_, err = k.CompleteLogin(t.Context(), key, "carol", "secret", "5.6.7.8")
	fails(t, err, platform.NotFound, "has expired or was completed")
	_, tok, _, err := k.FinishLogin(t.Context(), key, "cli")
	require.NoError(t, err)
	require.Equal(t, "carol", tok.Owner)
	_, _, _, err = k.FinishLogin(t.Context(), key, "cli")
	fails(t, err, platform.NotFound, "No Token")

	late, err := k.OpenLogin("1.2.3.4")
	require.NoError(t, err)
	k.clock.pass(31 * time.Minute)
	_, err = k.CompleteLogin(t.Context(), late, "carol", "secret", "5.6.7.8")
	fails(t, err, platform.NotFound, "has expired")
	_, err = k.FindLogin("")
	fails(t, err, platform.NotFound, "has expired")
}

// Strangers who open logins fill no room but their own.
func TestOpenLoginsAreBounded(t *testing.T) {
	t.Parallel()
	k := accountKit(t)
	var err error
	for range 200 {
		_, err = k.OpenLogin("6.6.6.6")
		require.NoError(t, err)
	}
	_, err = k.OpenLogin("6.6.6.6")
	fails(t, err, platform.Throttled, "Too many logins")
	_, err = k.OpenLogin("1.2.3.4")
	require.NoError(t, err)
	_, err = k.BeginLogin(t.Context(), "carol", "secret", "6.6.6.6")
	require.NoError(t, err, "who has a password needs no room")
	k.clock.pass(31 * time.Minute)
	_, err = k.OpenLogin("6.6.6.6")
	require.NoError(t, err)
}

func TestSignOn(t *testing.T) {
	t.Parallel()
	s := signOn{people: map[string]platform.Person{"good": {Origin: platform.OriginOIDC, Subject: "7", Username: "erin"}}}
	k := accountKit(t, func(o *control.Options) { o.SignOn = s })
	begin := func() (key, state string) {
		t.Helper()
		key, err := k.OpenLogin("1.2.3.4")
		require.NoError(t, err)
		url, err := k.BeginSignOn(t.Context(), key, "https://here/", "browser")
		require.NoError(t, err)
		_, state, ok := strings.Cut(url, "state=")
		require.True(t, ok)
		require.Len(t, state, 64)
		return key, state
	}
	finish := func(state, code, browser string) error {
		_, err := k.FinishSignOn(t.Context(), state, code, browser, "5.6.7.8")
		return err
	}
	key, state := begin()
	fails(t, finish(state, "good", "another"), platform.NotFound, "has expired")
	fails(t, finish(state, "good", ""), platform.NotFound, "has expired")
	fails(t, finish("", "good", "browser"), platform.NotFound, "has expired")
	require.NoError(t, finish(state, "good", "browser"), "a stranger with the state can't use it up")
	fails(t, finish(state, "good", "browser"), platform.NotFound, "has expired")
	_, _, u, err := k.FinishLogin(t.Context(), key, "cli")
	require.NoError(t, err)
	require.Equal(t, "erin", u.Username)

	key, state = begin()
	fails(t, finish(state, "bad", "browser"), platform.Unauthenticated, "not confirmed")
	fails(t, finish(state, "good", "browser"), platform.NotFound, "has expired")
	_, _, _, err = k.FinishLogin(t.Context(), key, "cli")
	fails(t, err, platform.NotFound, "No Token")
	_, state = begin()
	k.clock.pass(31 * time.Minute)
	fails(t, finish(state, "good", "browser"), platform.NotFound, "has expired")
	_, err = k.BeginSignOn(t.Context(), "no such login", "https://here/", "browser")
	fails(t, err, platform.NotFound, "has expired")

	off := false
	_, err = k.store.UpdateUser(t.Context(), "erin", platform.UserChange{IsActive: &off}, k.clock.Now())
	require.NoError(t, err)
	_, state = begin()
	fails(t, finish(state, "good", "browser"), platform.Unauthenticated, "User inactive")
}

// Every door where a secret can be tried counts.
func TestEveryDoorIsThrottled(t *testing.T) {
	t.Parallel()
	for name, door := range map[string]struct {
		try func(k *kit, who control.Actor, key string) error
		max int
	}{
		"password": {func(k *kit, _ control.Actor, _ string) error {
			_, err := k.BeginLogin(k.t.Context(), "carol", "guess", "6.6.6.6")
			return err
		}, 10},
		"login in one step": {func(k *kit, _ control.Actor, _ string) error {
			_, _, _, err := k.Login(k.t.Context(), "Carol", "guess", "", "6.6.6.6")
			return err
		}, 10},
		"browser": {func(k *kit, _ control.Actor, key string) error {
			_, err := k.CompleteLogin(k.t.Context(), key, "CAROL ", "guess", "6.6.6.6")
			return err
		}, 10},
		"change of password": {func(k *kit, who control.Actor, _ string) error {
			return k.ChangePassword(k.t.Context(), who, control.PasswordChange{Old: "guess", New: "x"}, "6.6.6.6")
		}, 10},
		"exchange": {func(k *kit, _ control.Actor, _ string) error {
			_, _, _, err := k.ExchangeToken(k.t.Context(), control.Exchange{AccessToken: "guess"}, "", "6.6.6.6")
			return err
		}, 50},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := accountKit(t)
			carol, _, err := k.store.FindUser(t.Context(), "carol")
			require.NoError(t, err)
			key, err := k.OpenLogin("6.6.6.6")
			require.NoError(t, err)
			for n := range door.max {
				err := door.try(k, control.Actor{User: carol}, key)
				require.NotEqual(t, platform.Throttled, platform.CodeOf(err), "try %d", n)
				require.Error(t, err)
			}
			fails(t, door.try(k, control.Actor{User: carol}, key), platform.Throttled, "Request was throttled.")
		})
	}
}

func TestExchangeLeavesGuessesAlone(t *testing.T) {
	t.Parallel()
	k := accountKit(t)
	key, _, _, err := k.Login(t.Context(), "carol", "secret", "", "1.2.3.4")
	require.NoError(t, err)
	for range 100 {
		_, _, u, err := k.ExchangeToken(t.Context(), control.Exchange{AccessToken: key}, "ci", "1.2.3.4")
		require.NoError(t, err)
		require.Equal(t, "carol", u.Username)
	}
	_, _, _, err = k.ExchangeToken(t.Context(), control.Exchange{}, "ci", "1.2.3.4")
	fails(t, err, platform.NotFound, "No Token")
	_, _, _, err = k.ExchangeToken(t.Context(), control.Exchange{AccessToken: key}, strings.Repeat("x", 65), "1.2.3.4")
	fails(t, err, platform.Invalid, "no more than 64")
	_, _, _, err = k.ExchangeToken(t.Context(), control.Exchange{IDToken: "x"}, "", "1.2.3.4")
	fails(t, err, platform.Unauthenticated, "Verify token fail.") // there is no provider
}
