//go:build e2e

package rehome

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

const (
	oldDomain = "one.example.com"
	newDomain = "two.example.com"
)

// moving is a house that moves.
type moving struct{ *house.House }

func TestMain(m *testing.M) { os.Exit(house.Main(m, "make test-rehome")) }

func TestRehome(t *testing.T) {
	a := moving{house.Build(t, "rehome", "172.31.77.60", oldDomain)}
	old := "registry." + oldDomain + "/tests/probe:v1"
	house.Must(t, "another address and host name after a reboot", a.rebootElsewhere)
	house.Must(t, "another address while it runs", a.moveRunning)
	house.Must(t, "what cannot be is refused", a.refusals)
	house.Must(t, "another domain, killed on the way", a.otherDomain)
	house.Must(t, "old names", a.oldNames)
	house.Must(t, "an image by its old name", func(t *testing.T) {
		a.Deploy(t, a.Push(t, "v2"))
		a.Answers(t, "v2")
		a.Sh(t, "/var/lib/slipway/bin/ctr -a /run/k3s/containerd/containerd.sock -n k8s.io images rm "+old) // it has to be pulled again
		a.Deploy(t, old)
		a.Answers(t, "v1")
	})
	house.Must(t, "uninstall", func(t *testing.T) {
		r, err := a.M.Run(t.Context(), appliance.Binary, "uninstall", "--yes")
		require.NoError(t, err)
		require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	})
}

// rebootElsewhere pulls the plug and boots the host with another address and
// another name. Nobody does anything.
func (a moving) rebootElsewhere(t *testing.T) {
	before, err := a.Status(t.Context())
	require.NoError(t, err)
	a.Sh(t, "echo elsewhere >/etc/hostname; sync")
	require.NoError(t, a.Kill())
	a.Address = "172.31.77.61"
	require.NoError(t, a.Reboot(t.Context()))
	a.At(a.Address, oldDomain)
	after := a.Well(t)
	assert.Equal(t, "elsewhere", a.Sh(t, "hostname"))
	assert.Equal(t, before.Node, after.Node, "the node keeps its name: volumes are bound to it")
	moves := strings.Join(after.Moves, "\n")
	assert.Contains(t, moves, "address 172.31.77.60 became 172.31.77.61: followed at")
	assert.Contains(t, moves, "hostname rehome became elsewhere; the node keeps its name: followed at")
	a.Answers(t, "v1")
	assert.Contains(t, a.Sh(t, "slipway kubectl get events --field-selector reason=Rehomed"), "172.31.77.60 to 172.31.77.61")
	assert.NotContains(t, a.Sh(t, "slipway kubectl get configmap -n kube-system coredns -o yaml"), "172.31.77.60")
	assert.Contains(t, a.Sh(t, "slipway kubectl get endpointslices -n drycc drycc-controller -o yaml"), "172.31.77.61")
	assert.Equal(t, "172.31.77.61", a.Sh(t, `slipway kubectl get nodes -o jsonpath='{.items[*].status.addresses[?(@.type=="InternalIP")].address}'`))
	a.Deploy(t, "registry."+oldDomain+"/tests/probe:v1") // the registry's volume came along
}

func (a moving) refusals(t *testing.T) {
	before := a.settings(t)
	for _, c := range []struct{ args, want string }{
		{"--ip 203.0.113.9", "no interface of this host has the address 203.0.113.9; it has 172.31.77.62 (eth0)"},
		{"--ip nonsense", "SLIPWAY_NODE_IP"},
		{"--domain 10.0.0.1", "is an address, not a name"},
	} {
		r, err := a.M.Run(t.Context(), appliance.Binary, append([]string{"rehome"}, strings.Fields(c.args)...)...)
		require.NoError(t, err)
		assert.Equal(t, 1, r.Code, c.args)
		assert.Contains(t, r.Stderr, c.want)
	}
	out, err := a.M.Slipway(t.Context(), "rehome")
	require.NoError(t, err)
	assert.Contains(t, out, "Nothing to do")
	out, err = a.M.Slipway(t.Context(), "rehome", "--check", "--domain", newDomain)
	require.NoError(t, err)
	assert.Contains(t, out, "Nothing was changed")
	assert.Contains(t, out, "one.example.com → two.example.com")
	assert.Equal(t, before, a.settings(t))
}

// settings are all files that a rehome writes.
func (a moving) settings(t *testing.T) string {
	return a.Sh(t, "sha256sum /etc/slipway/* /etc/rancher/k3s/*")
}

// otherDomain kills the command as soon as it has written its first file, and
// runs it again.
func (a moving) otherDomain(t *testing.T) {
	config := filepath.Join(a.Root(), "etc/slipway/config.yaml")
	cmd := a.M.Command(t.Context(), nil, appliance.Binary, "rehome", "--domain", newDomain)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	require.NoError(t, appliance.Eventually(t.Context(), time.Minute, func(context.Context) error {
		data, err := os.ReadFile(config)
		if err == nil && !strings.Contains(string(data), newDomain) {
			err = fmt.Errorf("the settings name no %s", newDomain)
		}
		return err
	}))
	// A command's arguments are not in the list of processes: secrets may be among them.
	r, err := a.M.Run(t.Context(), "pkill", "-9", "-f", "^"+appliance.Binary+" *$")
	require.NoError(t, err)
	_ = cmd.Wait()
	require.Equal(t, 0, r.Code, "it was to be killed: %s", said.String())
	a.answersSomewhere(t)

	stop := appliance.Prober{URL: a.M.URL(house.App, "/"), PerSecond: 20, Machine: a.M}.Start(t.Context())
	r, err = a.M.Run(t.Context(), appliance.Binary, "rehome")
	require.NoError(t, err)
	require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	t.Logf("the app under its old name meanwhile: %s\n%s", stop(), r.Stderr)
	a.At(a.Address, newDomain)
	a.Well(t)
	a.Answers(t, "v1")
	status, err := a.Status(t.Context())
	require.NoError(t, err)
	assert.Contains(t, strings.Join(status.Moves, "\n"), "domain one.example.com became two.example.com")
}

// answersSomewhere: a killed rehome leaves the platform under one of its names.
func (a moving) answersSomewhere(t *testing.T) {
	require.NoError(t, appliance.Eventually(t.Context(), house.Limit, func(ctx context.Context) error {
		var last error
		for _, domain := range []string{oldDomain, newDomain} {
			m := appliance.At(a.Address, domain, a.Command)
			code, _, err := m.Get(ctx, &http.Client{Transport: m.Transport(), Timeout: 5 * time.Second}, m.URL(house.App, "/"))
			if err == nil && code == http.StatusOK {
				return nil
			}
			last = fmt.Errorf("%s: HTTP %d: %w", domain, code, err)
		}
		return last
	}))
}

// oldNames: those of apps lead on, the API answers, each also over HTTPS.
func (a moving) oldNames(t *testing.T) {
	former := appliance.At(a.Address, oldDomain, a.Command)
	_, err := a.Client.At(former).Releases(t.Context(), house.App)
	require.NoError(t, err, "the API by its old name, with a token of before")
	for _, scheme := range []string{"http", "https"} {
		client, err := former.HTTPS(t.Context())
		require.NoError(t, err)
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, scheme+"://"+house.App+"."+oldDomain+"/a?b=c", nil)
		require.NoError(t, err)
		response, err := client.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusPermanentRedirect, response.StatusCode)
		assert.Equal(t, scheme+"://"+house.App+"."+newDomain+"/a?b=c", response.Header.Get("Location"))
	}
}

// moveRunning changes the address under the running server, as a new lease
// does.
func (a moving) moveRunning(t *testing.T) {
	a.Sh(t, "ip addr add 172.31.77.62/24 dev eth0; ip addr del 172.31.77.61/24 dev eth0; ip addr add 172.31.77.62/24 dev eth0 2>/dev/null; ip route replace default via 172.31.77.1")
	a.Address = "172.31.77.62"
	a.At(a.Address, oldDomain)
	after := a.Well(t)
	assert.Contains(t, strings.Join(after.Moves, "\n"), "address 172.31.77.61 became 172.31.77.62: followed at")
	a.Answers(t, "v1")
	a.Deploy(t, a.Push(t, "v3"))
	a.Answers(t, "v3")
	a.Deploy(t, "registry."+oldDomain+"/tests/probe:v1")
	a.Answers(t, "v1")
}
