package platform_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

func TestQuantities(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"2": 2000, "0.5": 500, "500m": 500, "1.25": 1250, "1m": 1} {
		got, err := platform.ParseMillis(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]int64{
		"1073741824": 1 << 30, "512M": 512e6, "1Gi": 1 << 30, "1G": 1e9, "0.5Gi": 1 << 29, "64Ki": 1 << 16,
		"1k": 1000, "1K": 1000, "2Ti": 2 << 40, "512MB": 512e6, "1GiB": 1 << 30,
	} {
		got, err := platform.ParseBytes(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "m", "x", "-1", "0", "0.0001m", "1e9", "1.2.3", "999999999999999999999", "1GG", "1iM", "Gi", ".", "1 G", "99999999999999T"} {
		_, err := platform.ParseMillis(text)
		if text != "1GG" {
			require.Error(t, err, text)
		}
		_, err = platform.ParseBytes(text)
		require.Error(t, err, text)
	}
}

func TestCatalogSearch(t *testing.T) {
	t.Parallel()
	c := platform.DefaultCatalog()
	require.Len(t, c.Specs(nil), 1)
	require.Len(t, c.Specs(platform.Keywords("std1,ddr4 universal")), 1)
	require.Empty(t, c.Specs(platform.Keywords("std1,arm")))
	require.Equal(t, []string{"a_b", "c", "d"}, platform.Keywords("a_b,,c-d;"))
	require.Len(t, c.Plans(platform.PlanFilter{CPU: 2}), 4)
	require.Len(t, c.Plans(platform.PlanFilter{Memory: 8}), 4)
	require.Len(t, c.Plans(platform.PlanFilter{CPU: 2, Memory: 8, Spec: "std1"}), 1)
	require.Empty(t, c.Plans(platform.PlanFilter{Spec: "none"}))
	_, err := c.FindSpec("none")
	require.Equal(t, platform.NotFound, platform.CodeOf(err))
	_, err = c.FindPlan("none")
	require.Equal(t, platform.NotFound, platform.CodeOf(err))
	for _, tc := range []struct {
		cpu, memory int64
		want        string
	}{
		{1, 1, "std1.large.c1m1"}, {1000, 1 << 30, "std1.large.c1m1"}, {1001, 1, "std1.large.c2m2"},
		{1000, 1<<30 + 1, "std1.large.c1m2"}, {100, 9 << 30, "std1.large.c2m16"},
	} {
		p, ok := c.Fitting(tc.cpu, tc.memory)
		require.True(t, ok)
		require.Equal(t, tc.want, p.ID)
	}
	_, ok := c.Fitting(65000, 1)
	require.False(t, ok)
}

func TestParseCatalog(t *testing.T) {
	t.Parallel()
	c, err := platform.ParseCatalog([]byte(`{
		"specs": [
			{"id": "arm1", "cpu": {"name": "Arm", "cores": 8, "clock": "2GHz", "boost": "3GHz", "threads": 8},
			 "memory": {"size": "32GB", "type": "DDR5"}, "keywords": ["cheap"],
			 "features": {"gpu": {"name": "none", "memory": {"size": "0", "type": "-"}}, "network": "1G"}},
			{"id": "old1", "disabled": true}],
		"plans": [
			{"id": "arm1.m", "spec": "arm1", "cpu": 2, "memory": 4, "features": {"gpu": 0, "network": 1}, "priority": 5},
			{"id": "arm1.s", "spec": "arm1", "cpu": 1, "memory": 1, "priority": 1,
			 "limits": {"cpu": "500m", "memory": "256Mi", "ephemeral-storage": "1Gi"}, "requests": {"cpu": "50m", "ephemeral-storage": "512Mi"}},
			{"id": "arm1.off", "spec": "arm1", "cpu": 1, "memory": 1, "priority": 0, "disabled": true},
			{"id": "old1.s", "spec": "old1", "cpu": 1, "memory": 1}]}`))
	require.NoError(t, err)
	require.Equal(t, "arm1.s", c.Default().ID)
	require.Len(t, c.Specs([]string{"CHEAP"}), 1)
	require.Len(t, c.Plans(platform.PlanFilter{}), 2)
	require.Error(t, c.ValidateLimit("arm1.off"))
	require.Error(t, c.ValidateLimit("old1.s"))
	_, err = c.FindPlan("arm1.off")
	require.NoError(t, err, "who has it keeps it")
	limit, request := c.Default().CPUMillis()
	require.Equal(t, []int64{500, 50}, []int64{limit, request})
	limit, request = c.Default().EphemeralBytes()
	require.Equal(t, []int64{1 << 30, 1 << 29}, []int64{limit, request})
	for text, says := range map[string]string{
		`{`:                                     "EOF",
		`{"planes": []}`:                        "planes",
		`{}`:                                    "an enabled plan",
		`{"specs": [{"id": "a"}, {"id": "a"}]}`: "an id of its own",
		`{"plans": [{"id": "x", "spec": "a"}]}`: `no spec "a"`,
		`{"specs": [{"id": "a"}], "plans": [{"id": "x", "spec": "a"}]}`:                                                                                    "at least 1",
		`{"specs": [{"id": "a"}], "plans": [{"spec": "a", "cpu": 1, "memory": 1}]}`:                                                                        "needs an id",
		`{"specs": [{"id": "a"}], "plans": [{"id": "x", "spec": "a", "cpu": 1, "memory": 1, "limits": {"disk": "1"}}]}`:                                    "cpu, memory and ephemeral-storage",
		`{"specs": [{"id": "a"}], "plans": [{"id": "x", "spec": "a", "cpu": 1, "memory": 1, "limits": {"memory": "lots"}}]}`:                               "memory:",
		`{"specs": [{"id": "a"}], "plans": [{"id": "x", "spec": "a", "cpu": 1, "memory": 1, "limits": {"memory": "1Mi"}, "requests": {"memory": "2Mi"}}]}`: "requests more than its limit",
		`{"specs": [{"id": "a"}], "plans": [{"id": "x", "spec": "a", "cpu": 1, "memory": 1, "node_selector": {"-": "x"}}]}`:                                "Tag keys",
	} {
		_, err := platform.ParseCatalog([]byte(text))
		require.ErrorContains(t, err, says, text)
	}
}

func TestLabelsOfThePlatform(t *testing.T) {
	t.Parallel()
	require.NoError(t, platform.ValidateLabel("team", "shop"))
	require.NoError(t, platform.ValidateLabel("example.com/team", "shop"))
	for key, own := range map[string]string{
		"drycc.cc/app": "drycc.cc", "pod-security.kubernetes.io/enforce": "kubernetes.io",
		"kubernetes.io/x": "kubernetes.io", "gateway.networking.k8s.io/x": "k8s.io",
	} {
		requireInvalid(t, platform.ValidateLabel(key, "x"), "label", "Labels of "+own+" are the platform's own: "+key)
	}
}
