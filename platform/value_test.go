package platform_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

func TestValidateConfigKey(t *testing.T) {
	t.Parallel()
	const form = `Config key can only supports: ^[A-z0-9_\-\.]+$`
	for key, want := range map[string]string{
		"FOO": "", "foo_bar-1.x": "", "1": "", strings.Repeat("A", 253): "",
		"": form, "A B": form, "A=B": form, "Ä": form, "A\n": form, "[x]": form, "a/b": form,
		strings.Repeat("A", 254): "Ensure this field has no more than 253 characters.",
	} {
		requireInvalid(t, platform.ValidateConfigKey(key), "values", want)
	}
}

func FuzzValidateConfigKey(f *testing.F) {
	for _, s := range []string{"FOO", "a.b", "", "=", "\x00", "é"} {
		f.Add(s)
	}
	secret := regexp.MustCompile(`\A[-._a-zA-Z0-9]{1,253}\z`) // what a Secret takes as a key
	f.Fuzz(func(t *testing.T, s string) {
		require.Equal(t, secret.MatchString(s), platform.ValidateConfigKey(s) == nil)
	})
}

func TestValidateConfigValue(t *testing.T) {
	t.Parallel()
	const numeric, between = "PORT can only be a numeric value", "PORT needs to be between 1 and 65535"
	for value, want := range map[string]string{
		"1": "", "5000": "", "65535": "", "": numeric, "http": numeric, "-1": numeric, " 80": numeric, "8.0": numeric,
		"0": between, "65536": between, "99999999999999999999": between,
	} {
		requireInvalid(t, platform.ValidateConfigValue("PORT", value), "values", want)
	}
	require.NoError(t, platform.ValidateConfigValue("FOO", "any\nthing ü"))
	requireInvalid(t, platform.ValidateConfigValue("FOO", "a\x00b"), "values", "The value of FOO holds a NUL byte, which no environment variable can.")
	require.NoError(t, platform.ValidateConfigValue("FOO", strings.Repeat("x", 127<<10-3)))
	requireInvalid(t, platform.ValidateConfigValue("FOO", strings.Repeat("x", 127<<10)), "values", "The value of FOO is longer than 130048 bytes.")
}

func TestPlans(t *testing.T) {
	t.Parallel()
	catalog := platform.DefaultCatalog()
	plans := catalog.Plans(platform.PlanFilter{})
	require.Len(t, plans, 28)
	ids := map[string]bool{}
	for _, p := range plans {
		ids[p.ID] = true
		require.NoError(t, catalog.ValidateLimit(p.ID))
		require.Equal(t, "std1", p.Spec.ID)
		require.NotEmpty(t, p.Spec.GPU.Name)
		require.NotEmpty(t, p.Spec.GPU.MemorySize)
	}
	require.Len(t, ids, 28)
	require.True(t, ids["std1.large.c64m512"])
	require.Equal(t, platform.DefaultPlanID, plans[0].ID)
	requireInvalid(t, catalog.ValidateLimit("std1.huge"), "limits", "The limit plan std1.huge does not exist")
	requireInvalid(t, catalog.ValidateLimit(""), "limits", "The limit plan  does not exist")
	require.Equal(t, platform.DefaultPlanID, catalog.Default().ID)
	p, err := catalog.FindPlan(platform.DefaultPlanID)
	require.NoError(t, err)
	limit, request := p.CPUMillis()
	require.Equal(t, []int64{1000, 250}, []int64{limit, request})
	limit, request = p.MemoryBytes()
	require.Equal(t, []int64{1 << 30, 1 << 29}, []int64{limit, request})
	limit, request = p.EphemeralBytes()
	require.Equal(t, []int64{4 << 30, 2 << 30}, []int64{limit, request})
}

func TestValidateGrace(t *testing.T) {
	t.Parallel()
	for value, ok := range map[string]bool{"0": true, "30": true, "86400": true, "86401": false, "": false, "-1": false, "1.5": false, "x": false, "99999999999999999999": false} {
		require.Equal(t, ok, platform.ValidateGrace(value) == nil, value)
	}
}

func TestValidateTag(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		key, value string
		ok         bool
	}{
		{"disk", "ssd", true}, {"example.com/disk", "ssd", true}, {"disk", "", true}, {"a", "b", true}, {"A_b.c-d", "X", true},
		{"", "x", false}, {"-a", "x", false}, {"a-", "x", false}, {"a/b/c", "x", false}, {"/a", "x", false}, {"x/", "y", false},
		{"disk", "-x", false}, {"disk", "x y", false}, {strings.Repeat("a", 64), "x", false}, {"a", strings.Repeat("b", 64), false},
		{"a..b/c", "x", false},
	} {
		require.Equal(t, tc.ok, platform.ValidateTag(tc.key, tc.value) == nil, "%+v", tc)
		require.Equal(t, tc.ok, platform.ValidateLabel(tc.key, tc.value) == nil, "%+v", tc)
	}
}

func TestValidateRegistry(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		key, value string
		ok         bool
	}{
		{"username", "bob", true}, {"password", "x", true}, {"hostname", "r.test:5000", true}, {"hostname", "", true},
		{"username", "", false}, {"password", "", false}, {"hostname", "http://r", false}, {"email", "x", false},
	} {
		require.Equal(t, tc.ok, platform.ValidateRegistry(tc.key, tc.value) == nil, "%+v", tc)
	}
}

func TestValidateScaleAndAutoscale(t *testing.T) {
	t.Parallel()
	require.NoError(t, platform.ValidateScale("web", 0))
	require.NoError(t, platform.ValidateScale("web", 10000))
	require.Error(t, platform.ValidateScale("web", -1))
	require.Error(t, platform.ValidateScale("web", 10001))
	rule := func(lo, hi, cpu int) map[string]int { return map[string]int{"min": lo, "max": hi, "cpu_percent": cpu} }
	require.NoError(t, platform.ValidateAutoscale("web", rule(1, 1, 50)))
	for _, bad := range []map[string]int{rule(0, 1, 50), rule(2, 1, 50), rule(1, 2, 0), {"min": 1, "max": 2}, {}, {"min": 1, "max": 2, "cpu_percent": 1, "x": 1}} {
		require.Error(t, platform.ValidateAutoscale("web", bad), "%v", bad)
	}
	require.Error(t, platform.ValidateAutoscale("run", rule(1, 2, 50)))
}

func TestValidateProbe(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, probe, want string
	}{
		{"livenessProbe", `{"httpGet":{"port":80,"path":"/","httpHeaders":[{"name":"A","value":"b"}],"scheme":"HTTPS"},"periodSeconds":3}`, ""},
		{"readinessProbe", `{"tcpSocket":{"port":5000},"successThreshold":2,"initialDelaySeconds":0}`, ""},
		{"startupProbe", `{"exec":{"command":["ls","-l"]}}`, ""},
		{"startupProbe", `{"grpc":{"port":80,"service":"x"}}`, ""},
		{"deathProbe", `{}`, "Healthcheck can only be"},
		{"livenessProbe", `{}`, "exactly one of"},
		{"livenessProbe", `{"exec":{"command":["a"]},"grpc":{"port":1}}`, "exactly one of"},
		{"livenessProbe", `{"httpGet":{}}`, "needs port"},
		{"livenessProbe", `{"httpGet":{"port":"http"}}`, "needs port"},
		{"livenessProbe", `{"httpGet":{"port":80.5}}`, "needs port"},
		{"livenessProbe", `{"httpGet":{"port":70000}}`, "needs port"},
		{"livenessProbe", `{"httpGet":{"port":80,"nonsense":1}}`, "nonsense is not a part of httpGet"},
		{"livenessProbe", `{"httpGet":{"port":80,"path":1}}`, "path of httpGet has to be a string"},
		{"livenessProbe", `{"httpGet":{"port":80,"scheme":"FTP"}}`, "scheme"},
		{"livenessProbe", `{"httpGet":{"port":80,"httpHeaders":[{"name":""}]}}`, "httpHeaders"},
		{"livenessProbe", `{"httpGet":{"port":80,"httpHeaders":"x"}}`, "httpHeaders"},
		{"livenessProbe", `{"httpGet":5}`, "has to be an object"},
		{"livenessProbe", `{"exec":{"command":"ls"}}`, "exec needs command"},
		{"livenessProbe", `{"exec":{"command":[]}}`, "exec needs command"},
		{"livenessProbe", `{"exec":{"command":[1]}}`, "exec needs command"},
		{"livenessProbe", `{"tcpSocket":{"port":1},"periodSeconds":"3"}`, "periodSeconds of livenessProbe has to be an integer"},
		{"livenessProbe", `{"tcpSocket":{"port":1},"periodSeconds":0}`, "at least 1"},
		{"livenessProbe", `{"tcpSocket":{"port":1},"successThreshold":2}`, "has to be 1"},
		{"livenessProbe", `{"livenessProbe":null}`, "livenessProbe is not a part of livenessProbe"},
	} {
		var probe map[string]any
		require.NoError(t, json.Unmarshal([]byte(tc.probe), &probe))
		err := platform.ValidateProbe(tc.name, probe)
		if tc.want == "" {
			require.NoError(t, err, tc.probe)
			continue
		}
		require.ErrorContains(t, err, tc.want, tc.probe)
		require.Equal(t, platform.Invalid, platform.CodeOf(err))
	}
	require.NoError(t, platform.ValidateProbe("readinessProbe", map[string]any{"tcpSocket": map[string]any{"port": json.Number("80")}}))
}

func TestValidateLifecycle(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, value string
		ok          bool
	}{
		{"preStop", `{"exec":{"command":["sleep","5"]}}`, true}, {"postStart", `{"httpGet":{"port":80,"path":"/x"}}`, true},
		{"preStop", `{"sleep":{"seconds":3}}`, true}, {"preStop", `{"tcpSocket":{"port":3}}`, true},
		{"stopSignal", `"SIGTERM"`, true}, {"stopSignal", `""`, true},
		{"stopSignal", `"TERM"`, false}, {"stopSignal", `9`, false}, {"preStop", `{}`, false}, {"preStop", `"x"`, false},
		{"preStop", `{"grpc":{"port":3}}`, false}, {"preStop", `{"sleep":{"seconds":-3}}`, false}, {"preStop", `{"what":{}}`, false},
		{"preStop", `{"sleep":{"seconds":3},"exec":{"command":["x"]}}`, false}, {"midway", `{}`, false},
	} {
		var v any
		require.NoError(t, json.Unmarshal([]byte(tc.value), &v))
		require.Equal(t, tc.ok, platform.ValidateLifecycle(tc.name, v) == nil, "%+v", tc)
	}
}
