package helm_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/bootstrap/helm"
	"github.com/slipway-paas/slipway/charts"
)

var update = flag.Bool("update", false, "write golden files anew")

// typical is an installation as most have it.
func typical() charts.Settings {
	s := charts.Defaults()
	s.NodeIP = "192.0.2.10"
	s.ControllerAddress = "192.0.2.10"
	return s
}

// full uses every setting.
func full() charts.Settings {
	s := typical()
	s.Domain, s.FormerDomains = "apps.example.com", []string{"old.example.com", "slipway.localhost"}
	s.DNSUpstreams = []string{"192.0.2.53"}
	s.ControllerMetrics = "/metrics"
	s.AccessLog = true
	s.HTTP3 = true
	s.GatewayPorts = []charts.GatewayPort{{Port: 8080, Protocol: "HTTP"}, {Port: 8443, Protocol: "HTTPS"}, {Port: 5432, Protocol: "TCP"}, {Port: 6443, Protocol: "TLS"}}
	s.FastProxy = true
	s.StorageClass, s.RegistryClass, s.MetricsClass = "fast", "fast", "fast"
	s.SidecarMetadata = true
	s.SharedRoot = true
	s.RegistryS3 = &charts.S3{Endpoint: "https://s3.example.com", Region: "eu-1", Bucket: "images"}
	return s
}

func each(t *testing.T, test func(t *testing.T, c charts.Chart, s charts.Settings)) {
	for name, s := range map[string]charts.Settings{"typical": typical(), "full": full()} {
		for _, c := range charts.List() {
			t.Run(name+"/"+c.Name, func(t *testing.T) { test(t, c, s) })
		}
	}
}

func TestChartsLint(t *testing.T) {
	each(t, func(t *testing.T, c charts.Chart, s charts.Settings) {
		result := lint.All(filepath.Join("..", "..", "charts", c.Name), c.Values(s), c.Namespace, true)
		for _, m := range result.Messages {
			if m.Severity == support.InfoSev && strings.Contains(m.Error(), "icon is recommended") {
				continue
			}
			t.Error(m)
		}
	})
}

func objectsOf(t *testing.T, c charts.Chart, s charts.Settings) []map[string]any {
	t.Helper()
	manifest, err := helm.Render(c, s)
	require.NoError(t, err)
	var objects []map[string]any
	for _, doc := range strings.Split(manifest, "\n---\n") {
		var o map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(doc), &o), doc)
		if len(o) > 0 {
			objects = append(objects, o)
		}
	}
	return objects
}

func TestChartsSummary(t *testing.T) {
	for name, s := range map[string]charts.Settings{"typical": typical(), "full": full()} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			for _, c := range charts.List() {
				fmt.Fprintf(&out, "# %s: release %s in %s\n", c.Name, c.Release, c.Namespace)
				for _, o := range objectsOf(t, c, s) {
					meta := o["metadata"].(map[string]any)
					where, _ := meta["namespace"].(string)
					fmt.Fprintf(&out, "%s %s/%s\n", o["kind"], where, meta["name"])
					if spec, _ := podSpec(t, o); spec != nil {
						for _, ctr := range spec.Containers {
							fmt.Fprintf(&out, "    %s\n        %s\n", ctr.Image, strings.Join(ctr.Args, "\n        "))
						}
					}
				}
			}
			golden(t, "summary-"+name+".txt", out.String())
		})
	}
}

func TestFormerDomainsKeepTheirNames(t *testing.T) {
	text := map[string]string{}
	for _, c := range charts.List() {
		manifest, err := helm.Render(c, full())
		require.NoError(t, err)
		text[c.Name] = manifest
	}
	assert.Contains(t, text["cluster"], "template IN A apps.example.com old.example.com slipway.localhost {")
	assert.Contains(t, text["cluster"], "template IN ANY slipway.localhost {")
	assert.NotContains(t, text["cluster"], "template IN ANY old.example.com {")
	assert.Contains(t, text["gateway"], "    - drycc.apps.example.com\n    - drycc.old.example.com\n    - drycc.slipway.localhost\n")
	assert.Contains(t, text["gateway"], "    - \"*.old.example.com\"\n    - \"*.slipway.localhost\"\n")
	assert.NotContains(t, text["gateway"], "*.apps.example.com")
	assert.Contains(t, text["registry"], "    - registry.apps.example.com\n    - registry.old.example.com\n    - registry.slipway.localhost\n")
	assert.Contains(t, text["builder"], "[registry.\"registry.old.example.com\"]\n      mirrors = [\"10.43.0.20:5000\"]")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// podSpec is that of a workload, or of the volume helper's pod, which is text
// in a ConfigMap; nil for anything else.
func podSpec(t *testing.T, o map[string]any) (*corev1.PodSpec, string) {
	t.Helper()
	name := fmt.Sprint(o["kind"], " ", o["metadata"].(map[string]any)["name"])
	convert := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation
	switch o["kind"] {
	case "Deployment":
		var d appsv1.Deployment
		require.NoError(t, convert(o, &d, true), name)
		require.NotNil(t, d.Spec.RevisionHistoryLimit, name)
		require.LessOrEqual(t, *d.Spec.RevisionHistoryLimit, int32(2), name)
		return &d.Spec.Template.Spec, name
	case "DaemonSet":
		var d appsv1.DaemonSet
		require.NoError(t, convert(o, &d, true), name)
		require.NotNil(t, d.Spec.RevisionHistoryLimit, name)
		require.LessOrEqual(t, *d.Spec.RevisionHistoryLimit, int32(2), name)
		return &d.Spec.Template.Spec, name
	case "ConfigMap":
		data, _ := o["data"].(map[string]any)
		text, ok := data["helperPod.yaml"].(string)
		if !ok {
			return nil, ""
		}
		var pod corev1.Pod
		require.NoError(t, yaml.UnmarshalStrict([]byte(text), &pod))
		return &pod.Spec, "volume helper"
	default:
		return nil, ""
	}
}

// Exceptions from the rules below, each with its reason.
func exempt(rule, pod string) bool {
	reasons := map[string]string{
		"probes/Deployment local-path-provisioner": "opens no port and runs no command",
		"probes/volume helper":                     "ends after a second",
		"nonroot/volume helper":                    "makes directories on the node",
		"capabilities/volume helper":               "removes files of other users",
		"memlimit/volume helper":                   "is a shell",
		"cpu/Deployment coredns":                   "in the path of requests",
		"cpu/DaemonSet traefik":                    "in the path of requests",
		"cpu/Deployment storage":                   "in the path of requests",
		"cpu/Deployment registry":                  "in the path of requests",
		"escalation/DaemonSet traefik":             "file capability, see the chart",
		"capabilities/DaemonSet traefik":           "opens ports below 1024",
		"probes/Deployment builder":                "opens no port; who wants a build asks its socket",
		"nonroot/Deployment builder":               "makes containers, in a user namespace where the machine is able to",
		"seccomp/Deployment builder":               "makes containers; each step has the default profile",
		"escalation/Deployment builder":            "makes containers",
		"capabilities/Deployment builder":          "makes containers",
		"memlimit/Deployment builder":              "its limit is for what builds run",
	}
	_, ok := reasons[rule+"/"+pod]
	return ok
}

func TestPodRules(t *testing.T) {
	pods := 0
	each(t, func(t *testing.T, c charts.Chart, s charts.Settings) {
		for _, o := range objectsOf(t, c, s) {
			spec, name := podSpec(t, o)
			if spec == nil {
				continue
			}
			pods++
			checkPod(t, spec, name)
			for _, container := range append(spec.InitContainers, spec.Containers...) {
				checkContainer(t, spec, container, name)
			}
		}
	})
	require.Equal(t, 2*11, pods)
}

func checkPod(t *testing.T, spec *corev1.PodSpec, name string) {
	require.NotEmpty(t, spec.PriorityClassName, name)
	if !exempt("seccomp", name) {
		require.NotNil(t, spec.SecurityContext, name)
		require.NotNil(t, spec.SecurityContext.SeccompProfile, name)
		require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, spec.SecurityContext.SeccompProfile.Type, name)
	}
	require.NotNil(t, spec.AutomountServiceAccountToken, "%s: say whether it needs a token", name)
	require.NotNil(t, spec.EnableServiceLinks, "%s: service links are dead weight", name)
	require.False(t, *spec.EnableServiceLinks, name)
	require.False(t, spec.HostPID || spec.HostIPC, name)
	if !exempt("nonroot", name) {
		require.True(t, *spec.SecurityContext.RunAsNonRoot, name)
		require.Positive(t, *spec.SecurityContext.RunAsUser, name)
	}
}

func checkContainer(t *testing.T, spec *corev1.PodSpec, c corev1.Container, name string) {
	require.Equal(t, corev1.PullIfNotPresent, c.ImagePullPolicy, name)
	for _, kind := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		require.False(t, c.Resources.Requests.Name(kind, "").IsZero(), "%s: no request of %s", name, kind)
		if kind == corev1.ResourceMemory || !exempt("cpu", name) {
			require.False(t, c.Resources.Limits.Name(kind, "").IsZero(), "%s: no limit of %s", name, kind)
		}
	}
	sc := c.SecurityContext
	require.NotNil(t, sc, name)
	require.True(t, *sc.ReadOnlyRootFilesystem, name)
	require.Equal(t, exempt("escalation", name), sc.AllowPrivilegeEscalation == nil || *sc.AllowPrivilegeEscalation, name)
	if sc.Privileged == nil || !*sc.Privileged {
		require.Equal(t, []corev1.Capability{"ALL"}, sc.Capabilities.Drop, name)
	}
	if !exempt("capabilities", name) {
		require.Nil(t, sc.Privileged, name)
		require.Empty(t, sc.Capabilities.Add, name)
	}
	if !exempt("probes", name) {
		require.NotNil(t, c.ReadinessProbe, name)
		require.NotNil(t, c.LivenessProbe, name)
	}
	if !exempt("memlimit", name) {
		require.True(t, slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == "GOMEMLIMIT" }), name)
	}
}

// TestRequestsAreModest keeps the platform fit for a machine with 2 GB: what it
// asks the scheduler for is not available to apps.
func TestRequestsAreModest(t *testing.T) {
	var cpu, memory int64
	for _, c := range charts.List() {
		for _, o := range objectsOf(t, c, typical()) {
			spec, name := podSpec(t, o)
			if spec == nil || name == "volume helper" {
				continue
			}
			for _, ctr := range spec.Containers {
				cpu += ctr.Resources.Requests.Cpu().MilliValue()
				memory += ctr.Resources.Requests.Memory().Value()
			}
		}
	}
	require.LessOrEqual(t, cpu, int64(250))
	require.LessOrEqual(t, memory, int64(400<<20))
}

func TestImages(t *testing.T) {
	images, err := helm.Images(charts.List(), typical())
	require.NoError(t, err)
	require.Len(t, images, 11)
	for _, ref := range images {
		require.True(t, strings.HasPrefix(ref, "slipway.internal/"), "%s is not carried in the binary", ref)
	}
	require.True(t, slices.IsSorted(images))
	require.Contains(t, strings.Join(images, " "), "/busybox:")
}

func TestSchemaNamesTheField(t *testing.T) {
	tests := []struct {
		chart  string
		change func(*charts.Settings)
		want   string
	}{
		{"cluster", func(s *charts.Settings) { s.DNSIP = "10.43.0" }, "clusterIP"},
		{"cluster", func(s *charts.Settings) { s.GatewayIP = "node" }, "gatewayIPs"},
		{"gateway", func(s *charts.Settings) { s.Domain = "Not A Domain" }, "domain"},
		{"gateway", func(s *charts.Settings) { s.HTTPSPort = 70000 }, "httpsPort"},
		{"gateway", func(s *charts.Settings) { s.ControllerAddress = "somewhere" }, "controller/address"},
		{"storage", func(s *charts.Settings) { s.StorageSize = "much" }, "persistence/size"},
		{"registry", func(s *charts.Settings) { s.Secrets.Registry = "Bad_Name" }, "secret"},
		{"registry", func(s *charts.Settings) { s.RegistryIP = "x" }, "clusterIP"},
		{"monitoring", func(s *charts.Settings) { s.MetricsRetention = "forever" }, "retention"},
	}
	for _, tt := range tests {
		t.Run(tt.chart+"/"+tt.want, func(t *testing.T) {
			s := typical()
			tt.change(&s)
			for _, c := range charts.List() {
				if c.Name == tt.chart {
					_, err := helm.Render(c, s)
					require.ErrorContains(t, err, tt.want)
					require.ErrorContains(t, err, "chart "+c.Name)
				}
			}
		})
	}
}
