package ldap_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/identity/ldap"
)

var _ control.Directory = (*ldap.Directory)(nil)

const (
	people = "ou=people,dc=example,dc=test"
	groups = "ou=groups,dc=example,dc=test"
	reader = "cn=reader,dc=example,dc=test"
)

// options are those of a directory as the guide describes it.
func options(endpoint string) ldap.Options {
	return ldap.Options{Endpoint: endpoint, BindDN: reader, BindPassword: "reader's secret", UserBase: people, UserFilter: "uid"}
}

func directory(t *testing.T, o ldap.Options) *ldap.Directory {
	t.Helper()
	d, err := ldap.New(o)
	require.NoError(t, err)
	return d
}

func TestCheckPassword(t *testing.T) {
	server := start(t)
	d := directory(t, options(server.plain))
	for _, tc := range []struct {
		username, password string
		want               string // login name; empty: refused
	}{
		{"carol", "river raid", "carol"}, {"CAROL", "river raid", "carol"}, {"dora", `secret (with) *stars*\`, "Dora"}, {"erin*)", "erin", "erin*)"},
		{"carol", "wrong", ""}, {"carol", "", ""}, {"", "river raid", ""}, {"nobody", "river raid", ""},
		{"nopass", "x", ""}, {"twins", "twins", ""}, {"car*", "river raid", ""}, {"*", "river raid", ""},
		{"carol)(uid=*", "river raid", ""}, {"*)(uid=carol))(|(uid=*", "river raid", ""}, {"carol\x00", "river raid", ""},
		{"uid=carol,ou=people,dc=example,dc=test", "river raid", ""},
	} {
		p, ok, err := d.CheckPassword(t.Context(), tc.username, tc.password)
		require.NoError(t, err, "%+v", tc)
		require.Equal(t, tc.want != "", ok, "%+v", tc)
		require.Equal(t, tc.want, p.Username)
	}
	p, ok, err := d.CheckPassword(t.Context(), "Carol", "river raid")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, platform.Person{Origin: platform.OriginLDAP, Subject: "carol", Username: "carol", Email: "carol@example.test",
		FirstName: "Carol", LastName: "Shaw"}, p)
}

func TestFiltersAndGroups(t *testing.T) {
	server := start(t)
	for name, tc := range map[string]struct {
		change func(*ldap.Options)
		carol  bool
		groups []string
	}{
		"groups":            {func(o *ldap.Options) { o.GroupBase = groups }, true, []string{"devs", "wheel"}},
		"some groups":       {func(o *ldap.Options) { o.GroupBase, o.GroupFilter = groups, "objectClass=groupOfNames" }, true, []string{"devs"}},
		"some, in brackets": {func(o *ldap.Options) { o.GroupBase, o.GroupFilter = groups, "(cn=wheel)" }, true, []string{"wheel"}},
		"no such groups":    {func(o *ldap.Options) { o.GroupBase = "ou=nothere,dc=example,dc=test" }, true, nil},
		"whole filter":      {func(o *ldap.Options) { o.UserFilter = "(&(employeeType=staff)(uid=%s))" }, true, nil},
		"filtered out":      {func(o *ldap.Options) { o.UserFilter = "(&(employeeType=guest)(uid=%s))" }, false, nil},
		"other attribute":   {func(o *ldap.Options) { o.UserFilter = "sn" }, false, nil},
		"another base":      {func(o *ldap.Options) { o.UserBase = "ou=guests," + people }, false, nil},
		"no such base":      {func(o *ldap.Options) { o.UserBase = "ou=nothere," + people }, false, nil},
	} {
		o := options(server.plain)
		tc.change(&o)
		p, ok, err := directory(t, o).CheckPassword(t.Context(), "carol", "river raid")
		require.NoError(t, err, name)
		require.Equal(t, tc.carol, ok, name)
		require.Equal(t, tc.groups, p.Groups, name)
	}
}

func TestConnections(t *testing.T) {
	server := start(t)
	for name, tc := range map[string]struct {
		endpoint string
		change   func(*ldap.Options)
		fails    bool
	}{
		"tls":                  {server.tls, func(o *ldap.Options) { o.CAFile = server.ca }, false},
		"tls, unknown signer":  {server.tls, func(*ldap.Options) {}, true},
		"start tls":            {server.plain, func(o *ldap.Options) { o.CAFile, o.StartTLS = server.ca, true }, false},
		"start tls, unknown":   {server.plain, func(o *ldap.Options) { o.StartTLS = true }, true},
		"socket":               {server.socket, func(*ldap.Options) {}, false},
		"wrong bind password":  {server.plain, func(o *ldap.Options) { o.BindPassword = "wrong" }, true},
		"nobody listens":       {"ldap://127.0.0.1:1", func(*ldap.Options) {}, true},
		"no right to search":   {server.plain, func(o *ldap.Options) { o.BindDN, o.BindPassword = "uid=carol,"+people, "river raid" }, false},
		"bind as nobody given": {server.plain, func(o *ldap.Options) { o.BindDN = "" }, true},
	} {
		o := options(tc.endpoint)
		tc.change(&o)
		_, ok, err := directory(t, o).CheckPassword(t.Context(), "carol", "river raid")
		if tc.fails {
			require.Equal(t, platform.Unavailable, platform.CodeOf(err), name)
			require.NotContains(t, err.Error(), "river raid")
			require.NotContains(t, err.Error(), "reader's secret")
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, name != "no right to search", ok, name)
	}
	server.stop()
	_, _, err := directory(t, options(server.plain)).CheckPassword(t.Context(), "carol", "river raid")
	require.Equal(t, platform.Unavailable, platform.CodeOf(err))
}

// A server that takes connections and then says nothing holds nobody for ever.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	o := options("ldap://" + l.Addr().String())
	o.Timeout = 50 * time.Millisecond
	_, _, err = directory(t, o).CheckPassword(t.Context(), "carol", "river raid")
	require.Equal(t, platform.Unavailable, platform.CodeOf(err))
	o.Timeout = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = directory(t, o).CheckPassword(ctx, "carol", "river raid")
	require.Equal(t, platform.Unavailable, platform.CodeOf(err))
}

func TestOptions(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for want, change := range map[string]func(*ldap.Options){
		"LDAP_ENDPOINT":         func(o *ldap.Options) { o.Endpoint = "http://x" },
		"LDAP_USER_BASEDN":      func(o *ldap.Options) { o.UserBase = "" },
		"LDAP_USER_FILTER":      func(o *ldap.Options) { o.UserFilter = "(uid=*)" },
		`LDAP_USER_FILTER "(u`:  func(o *ldap.Options) { o.UserFilter = "(uid=%s" },
		"LDAP_GROUP_FILTER":     func(o *ldap.Options) { o.GroupFilter = "((" },
		"LDAP_CA_FILE":          func(o *ldap.Options) { o.CAFile = "/nowhere" },
		"no certificate in it":  func(o *ldap.Options) { o.CAFile = empty },
		`LDAP_ENDPOINT "%zz://`: func(o *ldap.Options) { o.Endpoint = "%zz://" },
	} {
		o := options("ldap://localhost")
		change(&o)
		_, err := ldap.New(o)
		require.ErrorContains(t, err, want)
	}
	_, err := ldap.New(ldap.Options{Endpoint: "ldap://localhost", UserBase: people})
	require.NoError(t, err, "the rest has defaults")
}
