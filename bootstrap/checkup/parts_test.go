package checkup

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type fsMode = fs.FileMode

// issue makes a certificate that ends after the given time.
func issue(t *testing.T, left time.Duration, ca bool) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(left), IsCA: ca, BasicConstraintsValid: true}
	if left < 0 {
		template.NotBefore = now.Add(2 * left)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestCertificates(t *testing.T) {
	h, o, u := good()
	tls := "/var/lib/rancher/k3s/server/tls/"
	h.Put(tls+"server-ca.crt", issue(t, 3000*day, true))
	h.Put(tls+"client-admin.crt", issue(t, 200*day, false))
	h.Put("/var/lib/slipway/ca/ca.crt", issue(t, 3000*day, true))
	h.Put("/var/lib/slipway/ca/wildcard.pem", issue(t, 60*day, false))
	require.Empty(t, run(t, h, o))

	h.Put(tls+"client-admin.crt", issue(t, 80*day, false))
	h.Put("/var/lib/rancher/k3s/agent/client-kubelet.crt", issue(t, 20*day, false))
	found := run(t, h, o)
	require.Len(t, found, 1, "leaves of the cluster are renewed together")
	assert.Equal(t, doctor.Warning, found[0].Severity)
	assert.Contains(t, found[0].Evidence, "agent/client-kubelet.crt")
	assert.Contains(t, found[0].Evidence, "1 more")
	require.NoError(t, found[0].Fix.Do(t.Context(), &recorder{}))
	assert.Equal(t, []string{"start"}, u.calls)

	h.Put(tls+"client-admin.crt", issue(t, -day, false))
	found = run(t, h, o)
	require.Len(t, found, 1)
	assert.Equal(t, doctor.Error, found[0].Severity)
	assert.Equal(t, "a certificate has ended", found[0].Title)
}

func TestOtherCertificates(t *testing.T) {
	h, o, _ := good()
	h.Put("/var/lib/rancher/k3s/server/tls/server-ca.crt", issue(t, 100*day, true))
	h.Put("/var/lib/slipway/ca/ca.crt", issue(t, 100*day, true))
	h.Put("/var/lib/slipway/ca/wildcard.pem", issue(t, 2*day, false))
	found := run(t, h, o)
	require.Len(t, found, 3)
	for _, f := range found {
		assert.Equal(t, "a certificate ends soon", f.Title)
		assert.Nil(t, f.Fix, "an authority is not changed by itself")
	}
	o.Now = func() time.Time { return now.Add(-2 * time.Hour) }
	found = run(t, h, o)
	require.NotEmpty(t, found)
	assert.Equal(t, "a certificate is not valid yet", found[0].Title)

	h.Put("/var/lib/slipway/ca/ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	assert.Contains(t, run(t, h, o)[0].Evidence, "/var/lib/slipway/ca/ca.crt", "one that cannot be read is named")
}

// lite is the beginning of a SQLite file with pages of 4 KiB.
func lite(pages, free uint32) string {
	b := make([]byte, 4096*int(pages))
	copy(b, "SQLite format 3\x00")
	binary.BigEndian.PutUint16(b[16:], 4096)
	binary.BigEndian.PutUint32(b[28:], pages)
	binary.BigEndian.PutUint32(b[36:], free)
	return string(b)
}

func TestDatabasesThatHaveGrown(t *testing.T) {
	h, o, u := good()
	kine, own := "/var/lib/rancher/k3s/server/db/state.db", "/var/lib/slipway/controller/slipway.db"
	h.Put(kine, lite(30_000, 10_000))
	h.Put(own, lite(3_000, 2_900))
	h.Put(own+"-wal", strings.Repeat("x", 1<<20))
	require.Empty(t, run(t, h, o), "a third free, or little in all, is no waste")

	h.Put(kine, lite(30_000, 20_000))
	h.Put(own+"-wal", string(bytes.Repeat([]byte{'x'}, walMost)))
	found := run(t, h, o)
	require.Len(t, found, 2)
	assert.Equal(t, "cluster-database", found[0].ID)
	assert.Contains(t, found[0].Evidence, "117 MiB, 78 MiB of it free pages")
	require.NoError(t, found[0].Fix.Do(t.Context(), &recorder{}))
	assert.Equal(t, []string{"start"}, u.calls)
	assert.Equal(t, "controller-database", found[1].ID)
	assert.True(t, found[1].Fix.Server, "its file is in the server's hands")

	h.Put(kine, "not a database, and long enough for a header.......")
	assert.Equal(t, "size of the cluster's database could not be looked at", run(t, h, o)[0].Title)

	o.InServer = true
	found = run(t, h, o)
	require.Len(t, found, 1, "the server does not open files whose locks it would lose")
	assert.Equal(t, "controller-database", found[0].ID, "its log can be seen from outside")
}

const closedRules = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n"

func TestFirewalls(t *testing.T) {
	replies := map[string]string{
		"ufw status": "Status: active\n", "ufw show added": "Added user rules (see 'ufw status' for running firewall):\nufw allow 80/tcp\nufw allow from 10.42.0.0/16 comment 'pods'\n",
		"firewall-cmd --state": "running\n", "firewall-cmd --get-default-zone": "public\n",
	}
	for _, tt := range []struct {
		name     string
		commands []string
		rules    string
		missing  []string
	}{
		{"none", nil, "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", nil},
		{"ufw", []string{"ufw"}, closedRules, []string{"open ufw from 10.43.0.0/16", "open ufw 443/tcp"}},
		{"firewalld", []string{"firewall-cmd"}, "", []string{"open firewalld from 10.42.0.0/16", "open firewalld from 10.43.0.0/16", "open firewalld 80/tcp", "open firewalld 443/tcp"}},
		{"iptables", nil, closedRules, []string{"open iptables from 10.42.0.0/16", "open iptables from 10.43.0.0/16", "open iptables 443/tcp"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, o, _ := good()
			for _, c := range tt.commands {
				h.Commands[c] = true
			}
			h.Firewalls["iptables"] = tt.rules
			h.OnRun = func(c host.Command) (host.Output, error) {
				line := c.Name + " " + strings.Join(c.Args, " ")
				if c.Name == "systemctl" || replies[line] != "" {
					return host.Output{Stdout: []byte(replies[line])}, nil
				}
				return host.Output{}, errors.New("exit status 1")
			}
			found := run(t, h, o)
			if tt.missing == nil {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Equal(t, "firewall", found[0].ID)
			r := &recorder{}
			require.NoError(t, found[0].Fix.Do(t.Context(), r))
			assert.Equal(t, tt.missing, r.calls)
		})
	}
}

func TestLeftovers(t *testing.T) {
	h, o, u := good()
	shim := func(pid int, id string) host.Process {
		return host.Process{PID: pid, PPID: 1, StartTime: uint64(pid), Name: "containerd-shim", Exe: "/var/lib/slipway/bin/containerd-shim-runc-v2",
			Args: []string{"/var/lib/slipway/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", id}}
	}
	foreign := shim(30, "dead")
	foreign.Exe = "/usr/bin/containerd-shim-runc-v2"
	nested := shim(31, "nested")
	nested.Elsewhere = true
	h.MakeDirs(tasks + "/live")
	h.Procs = []host.Process{shim(10, "live"), shim(20, "dead"), {PID: 21, PPID: 20, StartTime: 21, Name: "app"}, foreign, nested}
	h.MountList = []host.Mount{{Point: tasks + "/live/rootfs"}, {Point: tasks + "/dead/rootfs"}, {Point: "/srv/dead/rootfs"}}
	found := run(t, h, o)
	require.Len(t, found, 2)
	for _, f := range found {
		require.NoError(t, f.Fix.Do(t.Context(), &recorder{}))
	}
	assert.Equal(t, []string{"signal 20 9 (containerd-shim)", "signal 21 9 (app)", "unmount " + tasks + "/dead/rootfs"}, withoutRuns(h.Changes()))
	assert.Empty(t, run(t, h, o))

	h.Procs = append(h.Procs, shim(40, "other"))
	u.running = false
	found = run(t, h, o)
	require.Len(t, found, 1, "while the service is down, shims hold what runs")
	assert.Equal(t, "service", found[0].ID)
}

func withoutRuns(changes []string) []string {
	var kept []string
	for _, c := range changes {
		if !strings.HasPrefix(c, "run ") {
			kept = append(kept, c)
		}
	}
	return kept
}
