//go:build e2e

package rehome

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/house"
)

const day = 24 * time.Hour

// TestStartAfterFourHundredDays is a host that was off for longer than its
// certificates live. The clock of the machine is not ours to turn, so every
// leaf is signed anew by its own authority as it would be 400 days after: it
// ended 35 days ago. The datastore is etcd, whose certificates those are too,
// and the host has another address when it comes back.
func TestStartAfterFourHundredDays(t *testing.T) {
	a := moving{house.Build(t, "reold", "172.31.77.63", "old.example.com", "INSTALL_K3S_EXEC=server --cluster-init")}
	a.Sh(t, "systemctl stop slipway.service")
	aged := newAging(t, a.Data())
	for _, dir := range []string{"server/tls", "server/tls/etcd", "server/tls/kube-controller-manager", "server/tls/kube-scheduler", "agent"} {
		aged.folder(t, filepath.Join(a.Data(), "rancher/k3s", dir))
	}
	aged.file(t, filepath.Join(a.Data(), "slipway/ca/wildcard.pem"))
	aged.listener(t, filepath.Join(a.Data(), "rancher/k3s/server/tls/dynamic-cert.json"))
	aged.kubeconfig(t, filepath.Join(a.Files(), "etc/rancher/k3s/k3s.yaml"))
	for _, name := range []string{"serving-kube-apiserver.crt", "etcd/server-client.crt", "kube-scheduler.crt", "agent/client-kubelet.crt", "wildcard.pem"} {
		require.Contains(t, strings.Join(aged.done, "\n"), name)
	}
	t.Logf("%d certificates ended", len(aged.done))

	require.NoError(t, a.Kill())
	a.Address = "172.31.77.64"
	start := time.Now()
	require.NoError(t, a.Reboot(t.Context()))
	a.At(a.Address, "old.example.com")
	after := a.Well(t)
	t.Logf("all is well %.0fs after the boot", time.Since(start).Seconds())
	assert.Contains(t, strings.Join(after.Moves, "\n"), "172.31.77.63 became 172.31.77.64: followed")

	for _, path := range aged.done {
		assert.Greater(t, time.Until(firstEnd(t, path)), 30*day, path)
	}
	a.Answers(t, "v1")
	a.Deploy(t, a.Push(t, "v2"))
	a.Answers(t, "v2")
	// Through the API server to the kubelet, and to an aggregated API.
	assert.NotEmpty(t, a.Sh(t, "slipway kubectl logs -n drycc deploy/registry --tail=1"))
	a.Sh(t, "slipway kubectl get --raw /apis/metrics.k8s.io/v1beta1")
	conn, err := tls.Dial("tcp", net.JoinHostPort(a.Address, "6443"), &tls.Config{InsecureSkipVerify: true}) // only the dates are looked at
	require.NoError(t, err)
	defer conn.Close()
	served := conn.ConnectionState().PeerCertificates[0]
	assert.Greater(t, time.Until(served.NotAfter), 30*day)
	assert.NoError(t, served.VerifyHostname(a.Address), "the new address is among the names")
}

// aging signs leaves anew with their own authorities.
type aging struct {
	authorities []authority
	done        []string
}

type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newAging(t *testing.T, data string) *aging {
	t.Helper()
	a := &aging{}
	for _, glob := range []string{"rancher/k3s/server/tls/*-ca.crt", "rancher/k3s/server/tls/etcd/*-ca.crt", "slipway/ca/ca.crt"} {
		found, err := filepath.Glob(filepath.Join(data, glob))
		require.NoError(t, err)
		require.NotEmpty(t, found, glob)
		for _, path := range found {
			raw, err := os.ReadFile(strings.TrimSuffix(path, ".crt") + ".key")
			require.NoError(t, err)
			a.authorities = append(a.authorities, authority{first(t, path), signer(t, raw)})
		}
	}
	return a
}

func first(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	block, _ := pem.Decode(raw)
	require.NotNil(t, block, path)
	cert, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err, path)
	return cert
}

func signer(t *testing.T, raw []byte) crypto.Signer {
	t.Helper()
	block, _ := pem.Decode(raw)
	require.NotNil(t, block)
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	return key.(crypto.Signer)
}

// age replaces the first leaf in a text of PEM blocks; false when there is none
// of our authorities.
func (a *aging) age(t *testing.T, text []byte) ([]byte, bool) {
	t.Helper()
	var out []byte
	aged := false
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return out, aged
		}
		if block.Type == "CERTIFICATE" && !aged {
			leaf, err := x509.ParseCertificate(block.Bytes)
			require.NoError(t, err)
			if by := a.signerOf(leaf); !leaf.IsCA && by != nil {
				leaf.NotBefore, leaf.NotAfter = time.Now().Add(-400*day), time.Now().Add(-35*day)
				block.Bytes, err = x509.CreateCertificate(rand.Reader, leaf, by.cert, leaf.PublicKey, by.key)
				require.NoError(t, err)
				aged = true
			}
		}
		out = append(out, pem.EncodeToMemory(block)...)
	}
}

func (a *aging) signerOf(leaf *x509.Certificate) *authority {
	for i, by := range a.authorities {
		if leaf.CheckSignatureFrom(by.cert) == nil {
			return &a.authorities[i]
		}
	}
	return nil
}

func (a *aging) folder(t *testing.T, dir string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.crt"))
	require.NoError(t, err)
	for _, path := range found {
		a.file(t, path)
	}
}

func (a *aging) file(t *testing.T, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	if aged, ok := a.age(t, raw); ok {
		require.NoError(t, os.WriteFile(path, aged, 0o600))
		a.done = append(a.done, path)
	}
}

// listener is the certificate of ports 6443 and 9345, in a Secret as JSON.
func (a *aging) listener(t *testing.T, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	var secret map[string]any
	require.NoError(t, json.Unmarshal(raw, &secret))
	data := secret["data"].(map[string]any)
	cert, err := base64.StdEncoding.DecodeString(data["tls.crt"].(string))
	require.NoError(t, err)
	aged, ok := a.age(t, cert)
	require.True(t, ok, path)
	data["tls.crt"] = base64.StdEncoding.EncodeToString(aged)
	raw, err = json.Marshal(secret)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, raw, 0o600))
}

// kubeconfig has the administrator's certificate in it.
func (a *aging) kubeconfig(t *testing.T, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	m := regexp.MustCompile(`client-certificate-data: (\S+)`).FindSubmatch(raw)
	require.NotNil(t, m, path)
	cert, err := base64.StdEncoding.DecodeString(string(m[1]))
	require.NoError(t, err)
	aged, ok := a.age(t, cert)
	require.True(t, ok, path)
	text := strings.Replace(string(raw), string(m[1]), base64.StdEncoding.EncodeToString(aged), 1)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.Negative(t, time.Until(endIn(t, aged)), fmt.Sprintf("%s has ended", path))
}

func endIn(t *testing.T, text []byte) time.Time {
	t.Helper()
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return cert.NotAfter
}

// firstEnd is when the first leaf in a file ends.
func firstEnd(t *testing.T, path string) time.Time {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	for {
		var block *pem.Block
		block, raw = pem.Decode(raw)
		require.NotNil(t, block, path)
		if block.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(block.Bytes)
			require.NoError(t, err)
			return cert.NotAfter
		}
	}
}
