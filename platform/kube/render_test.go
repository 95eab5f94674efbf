package kube

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

var update = flag.Bool("update", false, "write the golden files")

func oneNode() Surroundings {
	return Surroundings{
		GatewayName: "drycc", GatewayNamespace: "drycc", GatewayClass: "traefik",
		ClusterCIDRs: []string{"10.42.0.0/16"}, NodeSubnets: []string{"10.42.0.0/24"}, Nodes: 1,
		NodeAddresses: []string{"192.0.2.10", "10.42.0.1", "127.0.0.1", "192.0.2.10", "fd00::2"}, PublicPorts: []int{80, 443, 2222},
	}
}

// webDeployment is version n of the app hello with one routed process.
func webDeployment(n int) control.Deployment {
	return control.Deployment{
		App:     platform.App{ID: "hello", Workspace: "acme1"},
		Release: platform.Release{App: "hello", Version: n, Summary: "acme1 deployed slipway.internal/hello:v1.0.0"},
		Host:    "hello.slipway.localhost", Exposure: webExposure(),
		Processes: []control.Process{{
			Ptype: "web", Replicas: 1, Image: "slipway.internal/hello:v1.0.0", Port: 5000, Routed: true,
			Env:   map[string]string{"PORT": "5000", "DRYCC_APP": "hello", "GREETING": "hi"},
			Grace: 30 * time.Second, Timeout: 2 * time.Minute,
			Plan: control.Plan{
				ID: "std1.large.c1m1", CPULimit: 1000, CPURequest: 250,
				MemoryLimit: 1 << 30, MemoryRequest: 512 << 20,
				EphemeralLimit: 4 << 30, EphemeralRequest: 2 << 30,
			},
		}},
	}
}

func workerProcess() control.Process {
	return control.Process{
		Ptype: "worker", Replicas: 4, Image: "registry.example.com/acme/hello:2", Port: 5000,
		Args:    []string{"bundle", "exec", "work"},
		Env:     map[string]string{"PORT": "5000", "FOO_BAR": "1", "foo-bar": "2"},
		Batches: 3, History: ptr(5),
		Grace: 90 * time.Second, Timeout: 10 * time.Minute,
		PullPolicy: "Always", NodeSelector: map[string]string{"disk": "ssd"},
		PullSecret: &control.PullSecret{Hostname: "registry.example.com", Username: "acme", Password: "s3cret"},
	}
}

func TestRenderGolden(t *testing.T) {
	several := webDeployment(12)
	several.Processes = append(several.Processes, workerProcess())

	probed := webDeployment(3)
	probed.Processes[0].Healthcheck = map[string]any{
		"livenessProbe": map[string]any{"httpGet": map[string]any{"path": "/healthz", "port": 5000,
			"httpHeaders": []any{map[string]any{"name": "X-Probe", "value": "1"}}}, "initialDelaySeconds": 50},
		"readinessProbe": map[string]any{"exec": map[string]any{"command": []any{"/bin/ready"}}, "periodSeconds": 7},
		"startupProbe":   map[string]any{"grpc": map[string]any{"port": 5000}},
	}
	probed.Processes[0].Lifecycle = map[string]any{
		"preStop":    map[string]any{"exec": map[string]any{"command": []any{"/bin/drain"}}},
		"stopSignal": "SIGQUIT",
	}

	hidden := webDeployment(4)
	hidden.Host, hidden.Processes[0].Routed, hidden.Exposure.Routes = "", false, nil

	autoscaled := webDeployment(5)
	autoscaled.Processes[0].Autoscale = &control.Autoscale{Min: 3, Max: 8, CPUPercent: 75}
	autoscaled.Settings.Label = map[string]string{"team": "shop", "app": "other", "type": "other"}

	bounded := oneNode()
	bounded.PodSecurity = PodSecurityRestricted
	var err error
	bounded.Quota, err = ParseQuota(`{"spec":{"hard":{"pods":"10"}}}`)
	require.NoError(t, err)
	bounded.LimitRange, err = ParseLimitRange(`{"limits":[{"type":"Container","max":{"cpu":"4"}}]}`)
	require.NoError(t, err)

	dual := oneNode()
	dual.NodeAddresses = []string{"192.0.2.11", "2001:db8::10", "192.0.2.10", "fe80::1"}
	dual.ClusterCIDRs = []string{"10.42.0.0/16", "fd42::/56"}
	dual.NodeSubnets = []string{"10.42.0.0/24", "fd42::/64", "10.42.1.0/24", "fd42:0:0:1::/64"}
	dual.Nodes = 2

	for name, c := range map[string]struct {
		d control.Deployment
		s Surroundings
	}{
		"web":     {webDeployment(2), oneNode()},
		"several": {several, oneNode()},
		"probed":  {probed, oneNode()},
		"hidden":  {hidden, oneNode()},
		"dual":    {webDeployment(2), dual},

		"autoscaled": {autoscaled, oneNode()},
		"bounded":    {webDeployment(2), bounded},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := Render(c.d, c.s)
			require.NoError(t, err)
			got := asYAML(t, objects)
			path := filepath.Join("testdata", name+".golden.yaml")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
}

// asYAML is the objects in the order in which they are applied, as they go to
// the API server.
func asYAML(t *testing.T, o Objects) string {
	t.Helper()
	all := []any{o.Namespace, o.Policy}
	if o.Quota != nil {
		all = append(all, o.Quota, o.LimitRange)
	}
	for _, p := range o.Processes {
		all = append(all, p.Env)
		if p.Pull != nil {
			all = append(all, p.Pull)
		}
		all = append(all, p.Deployment)
		all = append(all, p.Budget)
		if p.Autoscaler != nil {
			all = append(all, p.Autoscaler)
		}
	}
	return writeYAML(t, append(all, edgeList(o.Edge)...))
}

func writeYAML(t *testing.T, all []any) string {
	t.Helper()
	var b strings.Builder
	for _, obj := range all {
		body, err := manifest(obj)
		require.NoError(t, err)
		out, err := yaml.Marshal(body)
		require.NoError(t, err)
		b.WriteString("---\n")
		b.Write(out)
	}
	return b.String()
}

func TestRenderRefusesWhatHasNoMeaning(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*control.Process)
		field  string
	}{
		"unknown probe":     {func(p *control.Process) { p.Healthcheck = map[string]any{"aliveProbe": map[string]any{}} }, "healthcheck"},
		"probe of a string": {func(p *control.Process) { p.Healthcheck = map[string]any{"livenessProbe": "yes"} }, "healthcheck"},
		"port of a list": {func(p *control.Process) {
			p.Healthcheck = map[string]any{"livenessProbe": map[string]any{"tcpSocket": map[string]any{"port": []any{1}}}}
		}, "healthcheck"},
		"unknown hook":     {func(p *control.Process) { p.Lifecycle = map[string]any{"preStart": map[string]any{}} }, "lifecycle"},
		"hook of a number": {func(p *control.Process) { p.Lifecycle = map[string]any{"preStop": 5} }, "lifecycle"},
	} {
		t.Run(name, func(t *testing.T) {
			d := webDeployment(1)
			c.change(&d.Processes[0])
			_, err := Render(d, oneNode())
			require.Error(t, err)
			assert.Equal(t, platform.Invalid, platform.CodeOf(err))
			var e *platform.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.field, e.Field)
		})
	}
}

func TestRenderKeepsNullProbesOut(t *testing.T) {
	d := webDeployment(1)
	d.Processes[0].Healthcheck = map[string]any{"livenessProbe": nil}
	o, err := Render(d, oneNode())
	require.NoError(t, err)
	c := o.Processes[0].Deployment.Spec.Template.Spec.Containers[0]
	assert.Nil(t, c.LivenessProbe)
	assert.NotNil(t, c.ReadinessProbe, "the default stays")
}

func TestDefaultStopSignalNeedsNothing(t *testing.T) {
	d := webDeployment(1)
	d.Processes[0].Lifecycle = map[string]any{"stopSignal": "SIGTERM"}
	o, err := Render(d, oneNode())
	require.NoError(t, err)
	spec := o.Processes[0].Deployment.Spec.Template.Spec
	assert.Nil(t, spec.OS)
	assert.Nil(t, spec.Containers[0].Lifecycle.StopSignal)
	assert.EqualValues(t, drainSeconds, spec.Containers[0].Lifecycle.PreStop.Sleep.Seconds)
	assert.EqualValues(t, 30+drainSeconds, *spec.TerminationGracePeriodSeconds)
}

// No value of the environment may stand anywhere but in the Secret.
func TestValuesStayInTheSecret(t *testing.T) {
	d := webDeployment(1)
	d.Processes[0].Env["TOKEN"] = "a-very-secret-value"
	d.Processes[0].PullSecret = &control.PullSecret{Username: "u", Password: "a-very-secret-password"}
	o, err := Render(d, oneNode())
	require.NoError(t, err)
	o.Processes[0].Env, o.Processes[0].Pull = nil, nil
	raw, err := json.Marshal(o)
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "a-very-secret")
}

func TestSecretKeys(t *testing.T) {
	long := strings.Repeat("A", 300)
	keys := secretKeys(map[string]string{
		"FOO_BAR": "", "foo-bar": "", "Foo_Bar": "", "A.B": "", "..": "", "x^y": "", long: "",
	})
	assert.Equal(t, "foo-bar", keys["FOO_BAR"])
	assert.Equal(t, "a.b", keys["A.B"])
	assert.Equal(t, "x-y", keys["x^y"])
	seen := map[string]bool{}
	for name, key := range keys {
		assert.Regexp(t, `^[-._a-zA-Z0-9]{1,253}$`, key, name)
		assert.NotEqual(t, byte('.'), key[0], name)
		assert.False(t, seen[key], "%s shares its key", name)
		seen[key] = true
	}
}

func TestLongNamesFit(t *testing.T) {
	app, ptype := strings.Repeat("a", 63), strings.Repeat("b", 63)
	name := containerName(app, ptype)
	assert.LessOrEqual(t, len(name), maxLabel)
	assert.NotEqual(t, name, containerName(app, strings.Repeat("b", 62)+"c"))
	assert.Equal(t, "hello-web", containerName("hello", "web"))
}

func TestDockerHubNeedsNoHostname(t *testing.T) {
	assert.JSONEq(t, `{"auths":{"https://index.docker.io/v1/":{"username":"u","password":"p","auth":"dTpw"}}}`,
		string(dockerConfig(control.PullSecret{Username: "u", Password: "p"})))
}
