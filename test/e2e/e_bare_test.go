//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

// TestBareHost is the product on a fresh Debian 12 with systemd: no Go, no
// iptables, no network beyond a cable to this machine; and a power cut.
func TestBareHost(t *testing.T) {
	h, m := house.Bare(t, harness.Options{Name: "bare", Address: "172.31.77.20"}, domain)
	before := house.Photograph(t, m)
	s := &story{m: m, app: "probe"}

	house.Must(t, "it is bare", func(t *testing.T) {
		for _, tool := range []string{"iptables", "go", "nft", "wget"} {
			_, err := h.Output(t.Context(), "which", tool)
			assert.Error(t, err, tool)
		}
		_, err := h.Output(t.Context(), "curl", "-sS", "--max-time", "5", "https://github.com")
		assert.Error(t, err, "it has no network")
	})
	house.Must(t, "install", func(t *testing.T) {
		carry(t, h)
		r := installOn(t, m)
		require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
		t.Logf("installed in %.1fs\n%s", r.Took.Seconds(), r.Stderr)
		removeCarried(t, m)
		house.Well(t, m, time.Minute)
	})
	house.Must(t, "it is a service", func(t *testing.T) {
		for _, question := range []string{"is-active", "is-enabled"} {
			_, err := h.Output(t.Context(), "systemctl", question, "slipway.service")
			assert.NoError(t, err)
		}
	})
	house.Must(t, "deploy the carried app", func(t *testing.T) {
		s.client = house.Login(t, m)
		_, err := s.client.CreateApp(t.Context(), "hello", "")
		require.NoError(t, err)
		_, err = s.client.Deployed(t.Context(), "hello", house.Carried(t, m, "hello"), deployLimit)
		require.NoError(t, err)
		s.helloAnswers(t)
	})
	house.Must(t, "deploy a pushed app", func(t *testing.T) {
		var err error
		s.username, s.password, err = m.Credentials(t.Context())
		require.NoError(t, err)
		_, err = s.client.CreateApp(t.Context(), s.app, "")
		require.NoError(t, err)
		s.push(t)
		s.deploy(t)
	})
	house.Must(t, "a crash of the server", s.comesBack)
	house.Must(t, "a restart that nobody notices", func(t *testing.T) { s.restart(t, h) })
	house.Must(t, "a power cut", func(t *testing.T) { s.powerCut(t, h) })
	house.Must(t, "uninstall that keeps the data, then install", func(t *testing.T) { s.moveOut(t, h) })
	house.Must(t, "uninstall", func(t *testing.T) { uninstall(t, m, before) })
}

// comesBack kills the server, which systemd has to start again.
func (s *story) comesBack(t *testing.T) {
	old, err := s.m.KillServer(t.Context())
	require.NoError(t, err)
	house.Well(t, s.m, 3*time.Minute)
	pids, err := s.m.Servers(t.Context(), "server")
	require.NoError(t, err)
	require.Len(t, pids, 1)
	assert.NotEqual(t, old, pids[0])
}

// restart restarts the service in order, under load.
func (s *story) restart(t *testing.T, h *harness.Host) {
	stop := appliance.Prober{URL: s.m.URL(s.app, "/"), PerSecond: 50, Machine: s.m}.Start(t.Context())
	_, err := h.Output(t.Context(), "systemctl", "restart", "slipway.service")
	require.NoError(t, err)
	house.Well(t, s.m, 3*time.Minute)
	tally := stop()
	t.Logf("prober: %s", tally)
	assert.Zero(t, tally.Failed, "%s", strings.Join(tally.Reasons, "\n"))
}

// helloAnswers asks from outside, and from inside as the host's user would.
func (s *story) helloAnswers(t *testing.T) {
	t.Helper()
	s.answers(t, "hello", deployLimit, func(string) error { return nil })
	out, err := s.m.Output(t.Context(), "curl", "-fsS", "http://hello."+domain+"/")
	require.NoError(t, err)
	assert.Contains(t, out, "hello")
}

// powerCut ends process 1 of the host and boots it again: everything has to
// come back by itself, with what was deployed.
func (s *story) powerCut(t *testing.T, h *harness.Host) {
	ctx := t.Context()
	before, err := s.client.Releases(ctx, s.app)
	require.NoError(t, err)
	require.NoError(t, h.Kill())
	_, _, err = s.m.Get(ctx, &http.Client{Transport: s.m.Transport(), Timeout: 2 * time.Second}, s.m.URL(s.app, "/"))
	require.Error(t, err, "the host is off")

	start := time.Now()
	require.NoError(t, h.Reboot(ctx))
	booted := time.Since(start)
	s.answers(t, s.app, 5*time.Minute, shows(func(p page) bool { return p.Version == "v1" }))
	app := time.Since(start)
	house.Well(t, s.m, 3*time.Minute)
	t.Logf("after the power cut: booted %.1fs, app answers %.1fs, all is well %.1fs", booted.Seconds(), app.Seconds(), time.Since(start).Seconds())
	s.helloAnswers(t)

	after, err := s.client.Releases(ctx, s.app)
	require.NoError(t, err, "the token still holds")
	assert.Equal(t, appliance.Versions(before), appliance.Versions(after))
	_, err = s.client.WaitPods(ctx, s.app, 1, deployLimit)
	require.NoError(t, err)
	_, err = s.client.Deployed(ctx, s.app, s.images[1], deployLimit)
	require.NoError(t, err, "it goes on deploying")
}

// moveOut takes the platform off the host but for its data, and installs it
// again: people, apps and what they wrote have to be there as before, the
// images in the registry among it.
func (s *story) moveOut(t *testing.T, h *harness.Host) {
	ctx := t.Context()
	before, err := s.client.Releases(ctx, s.app)
	require.NoError(t, err)
	r, err := s.m.Run(ctx, appliance.Binary, "uninstall", "--yes", "--keep-data")
	require.NoError(t, err)
	require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	assert.Contains(t, r.Stdout, "kept: ")
	for _, gone := range []string{appliance.Binary, "/var/lib/rancher/k3s/server", "/run/k3s"} {
		_, err := s.m.Output(ctx, "ls", "-d", gone)
		assert.Error(t, err, gone)
	}

	carry(t, h)
	r = installOn(t, s.m)
	require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	removeCarried(t, s.m)
	house.Well(t, s.m, time.Minute)
	s.answers(t, s.app, deployLimit, shows(func(p page) bool { return p.App == s.app }))
	s.helloAnswers(t)
	after, err := s.client.Releases(ctx, s.app)
	require.NoError(t, err, "the token still holds")
	assert.Equal(t, appliance.Versions(before), appliance.Versions(after))
	_, err = s.client.Deployed(ctx, s.app, s.images[0], deployLimit)
	require.NoError(t, err, "what was pushed before is in the registry")
}
