package platform_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

const pipelines = `{
  "config": {"global": {"A": "1"}, "db": {"URL": "x"}},
  "pipeline": {
    "b.yaml": {"kind": "pipeline", "ptype": "worker", "build": {"docker": "Dockerfile.worker"}, "env": {"Q": "fast"},
      "config": ["db"], "deploy": {"command": ["work"], "args": ["-v"]}},
    "a.yaml": {"kind": "pipeline", "ptype": "web", "build": {}, "deploy": {"args": ["serve"]}},
    "c.yaml": {"kind": "pipeline", "ptype": "cron", "deploy": {"image": "worker"}},
    "d.yaml": {"kind": "pipeline", "ptype": "proxy", "deploy": {"image": "nginx:1"}}
  }
}`

func TestPtypesAndLaunch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		build  platform.Build
		ptypes []string
		launch map[string]platform.Launch
	}{
		{"bare image", platform.Build{Image: "img"}, []string{"web"}, map[string]platform.Launch{"web": {Image: "img"}}},
		{"image with procfile", platform.Build{Image: "img", Procfile: map[string]string{"web": "serve  --port 1", "worker": "work"}},
			[]string{"web", "worker"}, map[string]platform.Launch{
				"web": {Image: "img", Args: []string{"serve", "--port", "1"}}, "worker": {Image: "img", Args: []string{"work"}},
			}},
		{"dockerfile build", platform.Build{Image: "img", SHA: "abc", Dockerfile: "FROM x", Procfile: map[string]string{"web": "serve"}},
			[]string{"web"}, map[string]platform.Launch{"web": {Image: "img", Args: []string{"serve"}}}},
		{"buildpack", platform.Build{Image: "img", SHA: "abc", Procfile: map[string]string{"web": "serve"}},
			[]string{"web"}, map[string]platform.Launch{"web": {Image: "img"}}},
		{"pipelines win", platform.Build{Image: "img", Dryccfile: []byte(pipelines), Procfile: map[string]string{"other": "x"}},
			[]string{"cron", "proxy", "web", "worker"}, map[string]platform.Launch{
				"web":    {Image: "img", Args: []string{"serve"}},
				"worker": {Image: "img-worker", Command: []string{"work"}, Args: []string{"-v"}},
				"cron":   {Image: "img-worker"}, "proxy": {Image: "nginx:1"},
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ptypes, err := tc.build.Ptypes()
			require.NoError(t, err)
			require.Equal(t, tc.ptypes, ptypes)
			for ptype, want := range tc.launch {
				got, err := tc.build.Launch(ptype)
				require.NoError(t, err)
				require.Equal(t, want, got, ptype)
			}
		})
	}
	_, err := platform.Build{Dryccfile: []byte(pipelines)}.Launch("none")
	require.ErrorContains(t, err, "process type none is not exists")
	_, err = platform.Build{Dryccfile: []byte("[]")}.Ptypes()
	require.Error(t, err)
}

func TestParseDryccfile(t *testing.T) {
	t.Parallel()
	for _, empty := range []string{"", " ", "{}", "null"} {
		d, err := platform.ParseDryccfile([]byte(empty))
		require.NoError(t, err)
		require.Nil(t, d)
	}
	one := func(rest string) string { return `{"pipeline":{"x.yaml":{"kind":"pipeline",` + rest + `}}}` }
	for text, want := range map[string]string{
		`{"config":{}}`:                        "pipeline is required",
		`{"pipeline":{},"extra":1}`:            `unknown field "extra"`,
		`[1]`:                                  "not a valid .drycc description",
		`{"pipeline":{"x.yaml":{"kind":"x"}}}`: `x.yaml: kind has to be "pipeline"`,
		one(`"ptype":"Web","deploy":{}`):       "Process types can only supports",
		one(`"ptype":"web"`):                   "x.yaml: deploy is required",
		one(`"ptype":"web","deploy":{},"env":{"A B":"x"}`):  "Config key can only supports",
		one(`"ptype":"web","deploy":{},"env":{"PORT":"x"}`): "PORT can only be a numeric value",
		one(`"ptype":"web","deploy":{},"config":["a b"]`):   "Config key can only supports",
		`{"config":{"a b":{}},"pipeline":{}}`:               "Config key can only supports",
		`{"config":{"g":{"A":1}},"pipeline":{}}`:            "not a valid .drycc description",
		`{"pipeline":{"a":{"kind":"pipeline","ptype":"web","deploy":{}},"b":{"kind":"pipeline","ptype":"web","deploy":{}}}}`: "Pipeline's ptype must be unique",
	} {
		_, err := platform.ParseDryccfile([]byte(text))
		require.ErrorContains(t, err, want, text)
		require.Equal(t, platform.Invalid, platform.CodeOf(err), text)
	}
	d, err := platform.ParseDryccfile([]byte(pipelines))
	require.NoError(t, err)
	c := d.Settle(platform.Config{
		Values: []platform.ConfigValue{{Name: "OLD", Value: "x", Group: "global"}}, ValuesRefs: map[string][]string{"web": {"old"}},
		Limits: map[string]string{"web": "plan"},
	})
	require.Equal(t, []platform.ConfigValue{
		{Name: "URL", Value: "x", Group: "db"}, {Name: "A", Value: "1", Group: "global"}, {Name: "Q", Value: "fast", Ptype: "worker"},
	}, c.Values)
	require.Equal(t, map[string][]string{"worker": {"db"}}, c.ValuesRefs)
	require.Equal(t, map[string]string{"web": "plan"}, c.Limits)
}

func FuzzDryccfile(f *testing.F) {
	for _, s := range []string{pipelines, "{}", "[]", `{"pipeline":{"a":null}}`, `{"pipeline":{"a":{"kind":"pipeline","ptype":"web","deploy":{"image":"web"}}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := platform.Build{Image: "img", Dryccfile: data}
		ptypes, err := b.Ptypes()
		if err != nil {
			require.Equal(t, platform.Invalid, platform.CodeOf(err))
			return
		}
		for _, p := range ptypes {
			_, err := b.Launch(p)
			require.NoError(t, err)
		}
	})
}

func TestValidateProcfile(t *testing.T) {
	t.Parallel()
	require.NoError(t, platform.ValidateProcfile(nil))
	require.NoError(t, platform.ValidateProcfile(map[string]string{"web": "serve", "worker": "w"}))
	requireInvalid(t, platform.ValidateProcfile(map[string]string{"web": " "}), "procfile", "Command can't be empty for process type")
	requireInvalid(t, platform.ValidateProcfile(map[string]string{"web": "a\x00"}), "procfile", "The command of web holds a NUL byte.")
	require.Error(t, platform.ValidateProcfile(map[string]string{"We": "x"}))
}

func FuzzProcfile(f *testing.F) {
	f.Add([]byte(`{"web":"serve --port 1","worker":" "}`))
	f.Add([]byte(`{"":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var procfile map[string]string
		if json.Unmarshal(data, &procfile) != nil || platform.ValidateProcfile(procfile) != nil {
			return
		}
		b := platform.Build{Image: "img", Procfile: procfile}
		ptypes, err := b.Ptypes()
		require.NoError(t, err)
		for _, p := range ptypes {
			l, err := b.Launch(p)
			require.NoError(t, err)
			require.Equal(t, len(procfile) > 0, len(l.Args) > 0)
		}
	})
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	c := platform.Config{
		Values: []platform.ConfigValue{
			{Name: "A", Value: "global", Group: "global"}, {Name: "B", Value: "global", Group: "global"}, {Name: "C", Value: "global", Group: "global"},
			{Name: "C", Value: "own", Ptype: "web"}, {Name: "B", Value: "group", Group: "db"}, {Name: "C", Value: "group", Group: "db"},
			{Name: "D", Value: "unused", Group: "other"}, {Name: "E", Value: "other", Ptype: "worker"},
			{Name: "PORT", Value: "8000", Ptype: "web"}, {Name: "DRYCC_APP", Value: "mine", Ptype: "web"},
		},
		ValuesRefs: map[string][]string{"web": {"db"}},
	}
	a := platform.App{ID: "hello", Workspace: "team1"}
	r := platform.Release{Version: 7, Summary: "team1 deployed img", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("x", 3600))}
	require.Equal(t, map[string]string{
		"DRYCC_APP": "mine", "DRYCC_WORKSPACE": "team1", "WORKFLOW_RELEASE": "v7", "WORKFLOW_RELEASE_SUMMARY": "team1 deployed img",
		"WORKFLOW_RELEASE_CREATED_AT": "2026-01-02T02:04:05Z", "SOURCE_VERSION": "abc",
		"A": "global", "B": "group", "C": "own", "PORT": "8000",
	}, platform.Environment(a, r, platform.Build{SHA: "abc"}, c, "web"))
	require.Equal(t, "5000", platform.Environment(a, r, platform.Build{}, c, "worker")["PORT"])
}

func TestGrace(t *testing.T) {
	t.Parallel()
	c := platform.Config{
		Values:           []platform.ConfigValue{{Name: "KUBERNETES_POD_TERMINATION_GRACE_PERIOD_SECONDS", Value: "40", Group: "global"}},
		TerminationGrace: map[string]string{"web": "10", "bad": "x"},
	}
	require.Equal(t, 10*time.Second, c.GraceOf("web"))
	require.Equal(t, 40*time.Second, c.GraceOf("worker"))
	require.Equal(t, 40*time.Second, c.GraceOf("bad"))
	require.Equal(t, 30*time.Second, platform.Config{}.GraceOf("web"))
}

func TestSeen(t *testing.T) {
	t.Parallel()
	before := map[string]int{"web": 4}
	got, changed := platform.Seen(before, []string{"web", "worker"})
	require.True(t, changed)
	require.Equal(t, map[string]int{"web": 4, "worker": 0}, got)
	require.Equal(t, map[string]int{"web": 4}, before)
	got, changed = platform.Seen(nil, []string{"web"})
	require.True(t, changed)
	require.Equal(t, map[string]int{"web": 1}, got)
	_, changed = platform.Seen(got, []string{"web"})
	require.False(t, changed)
}

func TestSummaries(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ws created initial release", platform.SummaryInitial("ws"))
	require.Equal(t, "ws deployed nginx:1", platform.SummaryBuild("ws", platform.Build{Image: "nginx:1"}))
	require.Equal(t, "ws deployed 0123456", platform.SummaryBuild("ws", platform.Build{Image: "x", SHA: sum[:40]}))
	require.Equal(t, "ws deployed abc", platform.SummaryBuild("ws", platform.Build{SHA: "abc"}))
	require.Equal(t, "bobby rolled back to v2", platform.SummaryRollback("bobby", 2))
	require.Equal(t, "ws added values A, B, changed values C, deleted limits web", platform.SummaryConfig("ws", []platform.FieldChange{
		{Field: "values", Added: []string{"B", "A", "B"}, Changed: []string{"C"}}, {Field: "tags"}, {Field: "limits", Deleted: []string{"web"}},
	}))
}
