package acme

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/edge"
)

const (
	bindConfig = `
options {
  directory "%[1]s"; pid-file "%[1]s/pid"; session-keyfile "%[1]s/session.key";
  listen-on port %[2]d { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; allow-transfer { none; };
};
controls { };
key "%[3]s" { algorithm hmac-sha256; secret "%[4]s"; };
zone "%[5]s" { type primary; file "%[1]s/zone"; update-policy { grant %[3]s zonesub TXT; }; };
`
	bindZone = `$TTL 1
@ SOA ns root 1 60 60 60 1
@ NS ns
ns A 127.0.0.1
* A 127.0.0.1
`
)

// startBIND serves the platform's zone, which takes signed updates of TXT
// records, and returns where.
func startBIND(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("/usr/sbin/named")
	require.NoError(t, err, "run scripts/deps.sh test first")
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.LocalAddr().(*net.UDPAddr)
	require.NoError(t, free.Close())
	dir := t.TempDir()
	config := fmt.Sprintf(bindConfig, dir, address.Port, tsigName, tsigKey, domain)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "named.conf"), []byte(config), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "zone"), []byte(bindZone), 0o600))
	cmd := exec.Command(program, "-g", "-4", "-n", "1", "-c", filepath.Join(dir, "named.conf"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it was ended
		if t.Failed() {
			t.Log(said.String())
		}
	})
	ask := new(dns.Msg).SetQuestion(dns.Fqdn(domain), dns.TypeSOA)
	require.Eventually(t, func() bool {
		got, _, err := (&dns.Client{Timeout: time.Second}).Exchange(ask, address.String())
		return err == nil && got.Authoritative && len(got.Answer) == 1
	}, time.Minute, 50*time.Millisecond, "%s does not serve", program)
	return address.String()
}

// The platform's wildcard is proven in a zone of BIND, by updates that only the
// right key may send.
func TestWildcardByBIND(t *testing.T) {
	t.Parallel()
	server := startBIND(t)
	k := newKit(t, []string{"-resolver", server, "-validity", "3600"})
	settings := func(key string) change {
		return func(s *edge.ACMESettings) {
			s.DNS = edge.DNSSettings{Provider: edge.ProviderRFC2136, Server: server, KeyName: tsigName, KeyAlgorithm: "hmac-sha256",
				Key: key, Resolvers: []string{server}}
		}
	}
	k.renew(k.store, settings("AAAA"+tsigKey[4:]))
	_, _, err := k.acme.Obtain(t.Context(), control.CertRequest{App: "hello", Domain: "*.hello." + domain})
	var why *control.CertError
	require.ErrorAs(t, err, &why)
	require.Equal(t, control.CertDNSProvider, why.Problem, why.Message)

	k.renew(k.store, settings(tsigKey))
	served, own, ensure, _ := k.renewer()
	ensure()
	leaf := served.leaf(t)
	require.False(t, own.Issued(leaf))
	require.ElementsMatch(t, []string{"*." + domain, domain}, leaf.DNSNames)

	// The records are gone when they have served.
	ask := new(dns.Msg).SetQuestion("_acme-challenge."+dns.Fqdn(domain), dns.TypeTXT)
	got, _, err := (&dns.Client{Timeout: time.Minute}).Exchange(ask, server)
	require.NoError(t, err)
	for _, rr := range got.Answer {
		_, is := rr.(*dns.TXT)
		require.False(t, is, "%s", rr)
	}
}
