package charts_test

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/charts"
)

func TestListIsOrdered(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range charts.List() {
		for _, needed := range c.After {
			require.True(t, seen[needed], "%s stands before %s, which it needs", c.Name, needed)
		}
		require.False(t, seen[c.Name], "%s is there twice", c.Name)
		seen[c.Name] = true
	}
	require.Len(t, seen, 6)
}

func TestFiles(t *testing.T) {
	for _, c := range charts.List() {
		t.Run(c.Name, func(t *testing.T) {
			files, err := c.Files()
			require.NoError(t, err)
			data, err := fs.ReadFile(files, "Chart.yaml")
			require.NoError(t, err)
			var meta struct{ Name string }
			require.NoError(t, yaml.Unmarshal(data, &meta))
			require.Equal(t, c.Name, meta.Name)
			for _, name := range []string{"values.yaml", "values.schema.json"} {
				_, err := fs.Stat(files, name)
				require.NoError(t, err)
			}
		})
	}
}

// TestPartials: embedding leaves out names with an underscore unless told, and
// a chart without its partials does not render.
func TestPartials(t *testing.T) {
	for _, c := range charts.List() {
		files, err := c.Files()
		require.NoError(t, err)
		partials, err := fs.Glob(files, "templates/_*.tpl")
		require.NoError(t, err)
		switch c.Name {
		case "registry", "monitoring", "builder":
			require.NotEmpty(t, partials, c.Name)
		}
	}
}

func TestEarlyManifest(t *testing.T) {
	require.Contains(t, string(charts.EarlyManifest()), "k3s-cloud-controller-manager")
}

func TestValidate(t *testing.T) {
	valid := func(change func(*charts.Settings)) charts.Settings {
		s := charts.Defaults()
		s.NodeIP = "192.0.2.10"
		s.ControllerAddress = "192.0.2.10"
		change(&s)
		return s
	}
	tests := []struct {
		name   string
		change func(*charts.Settings)
		want   string // part of the error; empty: none
	}{
		{"defaults", func(*charts.Settings) {}, ""},
		{"no controller", func(s *charts.Settings) { s.ControllerAddress = "" }, ""},
		{"no domain", func(s *charts.Settings) { s.Domain = "" }, "Domain is empty"},
		{"wildcard", func(s *charts.Settings) { s.Domain = "*.example.com" }, "without the wildcard"},
		{"node address", func(s *charts.Settings) { s.NodeIP = "node-1" }, `NodeIP "node-1" is not an IP address`},
		{"loopback", func(s *charts.Settings) { s.ControllerAddress = "127.0.0.1" }, "cannot be reached from the gateway"},
		{"relative path", func(s *charts.Settings) { s.DataDir = "data" }, "not an absolute path"},
		{"no secret", func(s *charts.Settings) { s.Secrets.Storage = "" }, "Secrets.Storage is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := valid(tt.change).Validate()
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestSettingsReachValues(t *testing.T) {
	s := charts.Defaults()
	s.NodeIP = "192.0.2.10"
	s.ControllerAddress = "192.0.2.10"
	s.ControllerMetrics = "/metrics"
	s.RegistryS3 = &charts.S3{Endpoint: "http://s3.example", Region: "r", Bucket: "b"}
	values := map[string]map[string]any{}
	for _, c := range charts.List() {
		values[c.Name] = c.Values(s)
	}
	require.Equal(t, "/var/lib/rancher/k3s/storage", values["cluster"]["volumes"].(map[string]any)["path"])
	require.Equal(t, []any{"10.43.0.21"}, values["cluster"]["platform"].(map[string]any)["gatewayIPs"])
	require.Equal(t, []any{"10.43.0.22"}, values["cluster"]["platform"].(map[string]any)["gitIPs"])
	require.Equal(t, 1, values["cluster"]["dns"].(map[string]any)["replicas"])
	require.Equal(t, "drycc-controller.drycc.svc:80", values["monitoring"]["scrape"].(map[string]any)["controller"])
	s3 := values["registry"]["storage"].(map[string]any)["s3"].(map[string]any)
	require.Equal(t, false, s3["secure"])

	s.ResolveInside = false
	require.Empty(t, charts.List()[0].Values(s)["platform"].(map[string]any)["gatewayIPs"])

	s.Nodes = 5
	require.Equal(t, 2, charts.List()[0].Values(s)["dns"].(map[string]any)["replicas"], "one is enough on one node, two on any others")
}
