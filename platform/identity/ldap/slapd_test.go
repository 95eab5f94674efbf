package ldap_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// slapd is a running OpenLDAP server.
type slapd struct {
	plain, tls, socket string // addresses
	ca                 string // file of the authority that signed its certificate
	stop               func()
}

const config = `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
pidfile %[1]s/pid
argsfile %[1]s/args
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile %[1]s/cert.pem
TLSCertificateKeyFile %[1]s/key.pem
database mdb
suffix "dc=example,dc=test"
rootdn "cn=root,dc=example,dc=test"
directory %[1]s/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=example,dc=test" read by anonymous auth by * none
`

const content = `
dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=reader,dc=example,dc=test
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reader's secret

dn: ou=people,dc=example,dc=test
objectClass: organizationalUnit
ou: people

dn: ou=guests,ou=people,dc=example,dc=test
objectClass: organizationalUnit
ou: guests

dn: ou=groups,dc=example,dc=test
objectClass: organizationalUnit
ou: groups

dn: uid=carol,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: carol
cn: Carol Shaw
givenName: Carol
sn: Shaw
mail: carol@example.test
employeeType: staff
userPassword: river raid

dn: uid=Dora,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: Dora
cn: Dora
sn: Dora
userPassword: secret (with) *stars*\

dn: uid=erin*),ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: erin*)
cn: Erin
sn: Erin
userPassword: erin

dn: uid=nopass,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: nopass
cn: Nobody
sn: Nobody

dn: uid=twins,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: twins
cn: First
sn: First
userPassword: twins

dn: uid=twins,ou=guests,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: twins
cn: Second
sn: Second
userPassword: twins

dn: ou=elsewhere,ou=people,dc=example,dc=test
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:1/ou=elsewhere,dc=example,dc=test

dn: cn=devs,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: devs
member: uid=carol,ou=people,dc=example,dc=test

dn: cn=wheel,ou=groups,dc=example,dc=test
objectClass: posixGroup
cn: wheel
gidNumber: 10
memberUid: carol

dn: cn=others,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: others
member: uid=Dora,ou=people,dc=example,dc=test
`

// start runs slapd on loopback with the content above, until the test ends.
func start(t *testing.T) slapd {
	t.Helper()
	program, err := exec.LookPath("slapd")
	if err != nil {
		program = "/usr/sbin/slapd" // not in everybody's path
	}
	require.FileExists(t, program, "install it with scripts/deps.sh test")
	// A socket's path may not be long, and names of tests are.
	dir, err := os.MkdirTemp("", "slapd")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Mkdir(filepath.Join(dir, "db"), 0o700))
	conf := filepath.Join(dir, "slapd.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, config, dir), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "content.ldif"), []byte(strings.TrimSpace(content)+"\n"), 0o600))
	s := slapd{ca: certificate(t, dir), plain: "ldap://" + free(t), tls: "ldaps://" + free(t),
		socket: "ldapi://" + filepath.Join(dir, "ldapi")}
	out, err := exec.CommandContext(t.Context(), program, "-T", "add", "-f", conf, "-l", filepath.Join(dir, "content.ldif")).CombinedOutput()
	require.NoError(t, err, "%s", out)

	cmd := exec.Command(program, "-d", "256", "-f", conf, "-h", s.plain+" "+s.tls+" ldapi://"+url.PathEscape(filepath.Join(dir, "ldapi")))
	log, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ended := false
	s.stop = func() {
		if !ended {
			ended = true
			require.NoError(t, cmd.Process.Kill())
			_ = cmd.Wait() // it was killed
		}
	}
	t.Cleanup(s.stop)
	up(t, log)
	// It says so a moment before it listens.
	for _, address := range []string{s.plain, s.tls} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			conn, err := net.Dial("tcp", u.Host)
			return err == nil && conn.Close() == nil
		}, 30*time.Second, 5*time.Millisecond)
	}
	return s
}

// up waits until slapd says that it runs, and keeps reading what it says.
func up(t *testing.T, log io.Reader) {
	t.Helper()
	var said bytes.Buffer
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "slapd starting") {
			go func() { _, _ = io.Copy(io.Discard, log) }() // it would stop when nobody reads
			return
		}
	}
	t.Fatalf("slapd did not start:\n%s", said.String())
}

// free returns an address of loopback that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

// certificate makes a certificate for loopback that signs itself, and returns
// its file.
func certificate(t *testing.T, dir string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	return filepath.Join(dir, "cert.pem")
}
