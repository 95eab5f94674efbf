package support

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/host/hosttest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// secret is put everywhere where a real host keeps one.
const secret = "swordfish-0f1e2d"

// unpack returns the files of a bundle.
func unpack(t *testing.T, data []byte) map[string]string {
	t.Helper()
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	files := map[string]string{}
	for archive := tar.NewReader(zipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		content, err := io.ReadAll(archive)
		require.NoError(t, err)
		assert.Equal(t, int64(0o600), header.Mode)
		files[header.Name] = string(content)
	}
}

// leaky is a host with secrets in every place.
func leaky(t *testing.T) (*hosttest.Fake, bootstrap.Settings) {
	t.Helper()
	environ := []string{
		"DRYCC_ADMIN_PASSWORD=" + secret + "-admin", "DATABASE_URL=postgres://u:" + secret + "-db@db/x?sslmode=disable", "K3S_TOKEN=" + secret + "-token",
		"K3S_URL=https://192.0.2.1:6443", "HTTPS_PROXY=http://u:" + secret + "-proxy@proxy:3128", "K3S_AGENT_TOKEN=" + secret + "-agent",
		"K3S_DATASTORE_ENDPOINT=mysql://u:" + secret + "-ds@db/x", "PLATFORM_DOMAIN=apps.example.com",
	}
	for _, row := range bootstrap.SettingsTable() {
		known := strings.Contains(strings.Join(environ, "\n"), row.Name+"=")
		if row.Secret && !known && row.Verdict != bootstrap.Refused {
			environ = append(environ, row.Name+"="+secret+"-"+row.Name)
		}
	}
	settings, _, err := bootstrap.Load(bootstrap.Input{Environ: environ})
	if err != nil { // values that a setting checks the form of
		settings, _, err = bootstrap.Load(bootstrap.Input{Environ: environ[:8]})
	}
	require.NoError(t, err)
	h := hosttest.New()
	for _, path := range []string{"/etc/slipway/credentials", "/etc/slipway/slipway.env", "/etc/slipway/config.yaml", "/var/lib/slipway/secret.key", "/var/lib/slipway/controller/secrets.json",
		"/var/lib/slipway/controller/slipway.db", "/var/lib/slipway/ledger/backup/000001", "/var/lib/rancher/k3s/server/token", "/etc/rancher/k3s/k3s.yaml", "/etc/rancher/k3s/config.yaml",
		"/etc/rancher/k3s/registries.yaml", "/var/lib/slipway/ca/ca.key"} {
		h.Put(path, secret+" of "+path)
	}
	h.Put("/var/lib/slipway/ledger/changes.jsonl", `{"event":"step","step":"stage"}`+"\n")
	h.Put("/proc/meminfo", "MemTotal: 1 kB\n")
	h.Procs = []host.Process{{PID: 7, Name: "backup", Exe: "/usr/bin/backup", Args: []string{"backup", "--password", secret + "-argument"}}}
	h.Env[7] = map[string]string{"PASSWORD": secret + "-environment"}
	h.OnRun = func(c host.Command) (host.Output, error) {
		line := strings.Join(c.Args, " ")
		for _, leak := range []string{"-o yaml", "-o json", "secrets", "configmaps", "describe pods", "helm"} {
			if strings.Contains(line, leak) {
				return host.Output{Stdout: []byte(secret + " by " + line)}, nil
			}
		}
		if strings.Contains(line, "get events") {
			return host.Output{}, errors.New("kubectl get: exit status 1: connection refused")
		}
		return host.Output{Stdout: []byte("NAME STATUS\n")}, nil
	}
	return h, settings
}

func TestABundleHoldsNoSecret(t *testing.T) {
	h, settings := leaky(t)
	require.NotEmpty(t, settings.AdminPassword.Reveal())
	s := Sources{Host: h, Settings: settings, Kubectl: "/var/lib/slipway/bin/kubectl", Version: map[string]string{"version": "v1"},
		Status: settings, Report: doctor.Report{Checks: 1}, Now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	var out bytes.Buffer
	var noted []string
	require.NoError(t, Write(t.Context(), &out, s, func(what string) { noted = append(noted, what) }))
	files := unpack(t, out.Bytes())
	for name, content := range files {
		assert.NotContains(t, content, secret, name)
	}
	assert.Len(t, noted, len(files))
	for _, name := range []string{"version.json", "doctor.json", "settings.yaml", "ledger.jsonl", "host/disks.txt", "host/processes.txt", "cluster/pods.txt", "host/proc/meminfo"} {
		assert.Contains(t, files, "slipway-support/"+name)
	}
	assert.Contains(t, files["slipway-support/settings.yaml"], "apps.example.com", "what is no secret is there")
	assert.Contains(t, files["slipway-support/status.json"], "[redacted]", "a secret that is printed by its type shows that it is set")
	assert.Contains(t, files["slipway-support/cluster/events.txt.error"], "connection refused", "what cannot be collected says why")
	assert.Contains(t, files["slipway-support/host/processes.txt"], "/usr/bin/backup")
	for _, c := range h.Changes() {
		assert.True(t, strings.HasPrefix(c, "run "), "nothing is changed: %s", c)
	}
}

func TestLongLogsAreCutAtALine(t *testing.T) {
	long := append(bytes.Repeat([]byte("x"), logBytes), []byte("\nlast\n")...)
	assert.Equal(t, "last\n", string(lastLines(long)))
	assert.Equal(t, "short\n", string(lastLines([]byte("short\n"))))
}
