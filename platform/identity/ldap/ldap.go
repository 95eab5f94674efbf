package ldap

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/slipway-paas/slipway/platform"
)

// Options say where the directory is and how it is laid out. Endpoint and
// UserBase are required.
type Options struct {
	Endpoint     string // "ldap://host", "ldaps://host:636" or "ldapi:///run/slapd/ldapi"
	BindDN       string // who searches; empty: anybody may
	BindPassword string
	UserBase     string // where users are searched, in all the tree below
	// UserFilter is the attribute that holds the login name, "uid", or a whole
	// filter in which %s stands for it, "(&(objectClass=person)(uid=%s))".
	// Default: username.
	UserFilter  string
	GroupBase   string // where groups are searched; empty: nowhere
	GroupFilter string // which groups count, such as objectClass=groupOfNames; empty: all
	StartTLS    bool   // speak TLS on an ldap:// connection
	CAFile      string // PEM of who may sign the server's certificate; empty: the system's
	Timeout     time.Duration
}

const (
	defaultTimeout = 10 * time.Second
	maxGroups      = 200
	loginHolder    = "%s"
)

// Directory is a directory. Safe for concurrent use.
type Directory struct {
	o         Options
	tls       *tls.Config
	attribute string // the login name's
}

// New checks the options; it does not connect.
func New(o Options) (*Directory, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Scheme != "ldap" && u.Scheme != "ldaps" && u.Scheme != "ldapi" {
		return nil, fmt.Errorf("LDAP_ENDPOINT %q: expected ldap://host, ldaps://host or ldapi:///socket", o.Endpoint)
	}
	if o.UserBase == "" {
		return nil, errors.New("LDAP_USER_BASEDN is empty: name the entry below which users are searched")
	}
	if o.UserFilter == "" {
		o.UserFilter = "username"
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	d := &Directory{o: o, tls: &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}}
	if d.attribute, err = loginAttribute(o.UserFilter); err != nil {
		return nil, err
	}
	if _, err := ldap.CompileFilter(d.userFilter("x")); err != nil {
		return nil, fmt.Errorf("LDAP_USER_FILTER %q: %w", o.UserFilter, err)
	}
	if _, err := ldap.CompileFilter(d.groupFilter("x", "x")); err != nil {
		return nil, fmt.Errorf("LDAP_GROUP_FILTER %q: %w", o.GroupFilter, err)
	}
	if o.CAFile != "" {
		if d.tls.RootCAs, err = authorities(o.CAFile); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("LDAP_CA_FILE: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("LDAP_CA_FILE %s: no certificate in it", file)
	}
	return pool, nil
}

// loginAttribute is what a filter compares the login name with.
func loginAttribute(filter string) (string, error) {
	if !strings.HasPrefix(filter, "(") {
		return filter, nil
	}
	before, _, ok := strings.Cut(filter, "="+loginHolder)
	if !ok {
		return "", fmt.Errorf("LDAP_USER_FILTER %q: no part of it is (attribute=%s)", filter, loginHolder)
	}
	return before[strings.LastIndex(before, "(")+1:], nil
}

func (d *Directory) userFilter(username string) string {
	name := ldap.EscapeFilter(username)
	if !strings.HasPrefix(d.o.UserFilter, "(") {
		return "(" + d.o.UserFilter + "=" + name + ")"
	}
	return strings.ReplaceAll(d.o.UserFilter, loginHolder, name)
}

// groupFilter finds groups that list members by their entry or by their name.
func (d *Directory) groupFilter(dn, login string) string {
	dn, login = ldap.EscapeFilter(dn), ldap.EscapeFilter(login)
	which := d.o.GroupFilter
	if which != "" && !strings.HasPrefix(which, "(") {
		which = "(" + which + ")"
	}
	return "(&" + which + "(|(member=" + dn + ")(uniqueMember=" + dn + ")(memberUid=" + login + ")))"
}

// CheckPassword reports whether username and password belong together, and
// whose they are. For names that the directory does not know it makes as many
// requests. A directory that can't be asked is Unavailable.
func (d *Directory) CheckPassword(ctx context.Context, username, password string) (platform.Person, bool, error) {
	none := platform.Person{}
	// A bind with an empty password is an anonymous one, and succeeds.
	if username == "" || password == "" {
		return none, false, nil
	}
	conn, release, err := d.connect(ctx)
	if err != nil {
		return none, false, unavailable(err)
	}
	defer release()
	if err := d.bind(conn); err != nil {
		return none, false, unavailable(fmt.Errorf("bind as %s: %w", d.o.BindDN, err))
	}
	entry, err := d.find(conn, username)
	if err != nil {
		return none, false, unavailable(err)
	}
	known := entry != nil
	dn := "cn=" + nobody() + "," + d.o.UserBase
	if known {
		dn = entry.DN
	}
	err = conn.Bind(dn, password)
	switch {
	case err != nil && !refused(err):
		return none, false, unavailable(fmt.Errorf("bind as the user: %w", err))
	case err != nil || !known:
		return none, false, nil
	}
	person := d.person(entry)
	person.Groups, err = d.groups(conn, entry)
	if err != nil {
		return none, false, unavailable(err)
	}
	return person, true, nil
}

// nobody is the name of no entry.
func nobody() string {
	var raw [12]byte
	_, _ = rand.Read(raw[:]) // never returns an error
	return hex.EncodeToString(raw[:])
}

func unavailable(err error) error {
	return &platform.Error{Code: platform.Unavailable, Op: "ldap.CheckPassword", Err: err,
		Message: "The user directory can't be asked just now. Try again later."}
}

// refused reports that the server judged the credentials, and did not merely
// fail to.
func refused(err error) bool {
	return ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject,
		ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultConstraintViolation,
		ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultInvalidDNSyntax)
}

// connect opens a connection that ends with ctx; release closes it.
func (d *Directory) connect(ctx context.Context) (*ldap.Conn, func(), error) {
	dialer := &net.Dialer{Timeout: d.o.Timeout}
	if deadline, ok := ctx.Deadline(); ok {
		dialer.Deadline = deadline
	}
	conn, err := ldap.DialURL(d.o.Endpoint, ldap.DialWithDialer(dialer), ldap.DialWithTLSConfig(d.tls))
	if err != nil {
		return nil, nil, err
	}
	conn.SetTimeout(d.o.Timeout)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // wakes whoever waits for an answer
	release := func() {
		stop()
		_ = conn.Close() // nothing is under way
	}
	if d.o.StartTLS && strings.HasPrefix(d.o.Endpoint, "ldap://") {
		if err := conn.StartTLS(d.tls); err != nil {
			release()
			return nil, nil, fmt.Errorf("StartTLS: %w", err)
		}
	}
	return conn, release, nil
}

func (d *Directory) bind(conn *ldap.Conn) error {
	if d.o.BindDN == "" {
		return nil
	}
	return conn.Bind(d.o.BindDN, d.o.BindPassword)
}

// find searches a user; nil when there is none. Referrals to other servers are
// not followed: nobody has said that those may be told a password. Two entries
// of one name are nobody, because it can't be said which one is meant.
func (d *Directory) find(conn *ldap.Conn, username string) (*ldap.Entry, error) {
	seconds := max(1, int(d.o.Timeout/time.Second))
	found, err := conn.Search(ldap.NewSearchRequest(d.o.UserBase, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 2, seconds, false,
		d.userFilter(username), []string{d.attribute, "mail", "givenName", "sn"}, nil))
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject), ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded):
		return nil, nil
	case ldap.IsErrorWithCode(err, ldap.LDAPResultReferral):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("search below %s: %w", d.o.UserBase, err)
	}
	if len(found.Entries) != 1 {
		return nil, nil
	}
	return found.Entries[0], nil
}

// person reads an entry. The login name is the entry's own, not what was
// typed, which the directory may compare loosely.
func (d *Directory) person(e *ldap.Entry) platform.Person {
	login := e.GetEqualFoldAttributeValue(d.attribute)
	return platform.Person{
		Origin: platform.OriginLDAP, Subject: strings.ToLower(login), Username: login,
		Email: e.GetAttributeValue("mail"), FirstName: e.GetAttributeValue("givenName"), LastName: e.GetAttributeValue("sn"),
	}
}

// groups reads the names of the user's groups, as the user if only they may.
func (d *Directory) groups(conn *ldap.Conn, e *ldap.Entry) ([]string, error) {
	if d.o.GroupBase == "" {
		return nil, nil
	}
	if d.o.BindDN != "" {
		if err := d.bind(conn); err != nil {
			return nil, fmt.Errorf("bind as %s: %w", d.o.BindDN, err)
		}
	}
	seconds := max(1, int(d.o.Timeout/time.Second))
	found, err := conn.Search(ldap.NewSearchRequest(d.o.GroupBase, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, maxGroups, seconds, false,
		d.groupFilter(e.DN, e.GetEqualFoldAttributeValue(d.attribute)), []string{"cn"}, nil))
	if err != nil && !ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultReferral) {
		return nil, fmt.Errorf("search below %s: %w", d.o.GroupBase, err)
	}
	var names []string
	if found != nil {
		for _, g := range found.Entries {
			if name := g.GetAttributeValue("cn"); name != "" {
				names = append(names, name)
			}
		}
	}
	return names, nil
}
