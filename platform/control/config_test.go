package control_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// change is a step of a config story: what is sent, and what comes of it.
type change struct {
	send    control.ConfigChange
	replace bool
	code    platform.Code
	message string // of the error, or the summary without its prefix
	values  string // "group/ptype name=value", joined by spaces; "-" does not look
}

func vals(list ...string) []control.ValueChange {
	var out []control.ValueChange
	for _, s := range list { // "ptype name=value", "/group name=value", without = to unset
		where, rest, _ := strings.Cut(s, " ")
		name, value, set := strings.Cut(rest, "=")
		v := control.ValueChange{Name: name}
		if set {
			v.Value = &value
		}
		if group, ok := strings.CutPrefix(where, "/"); ok {
			v.Group = group
		} else {
			v.Ptype = where
		}
		out = append(out, v)
	}
	return out
}

func values(list ...string) control.ConfigChange { return control.ConfigChange{Values: vals(list...)} }

func play(t *testing.T, story []change) {
	t.Helper()
	k := newKit(t)
	k.create(app)
	for i, c := range story {
		before := k.release(0).Version
		cfg, err := k.ChangeConfig(t.Context(), k.alice, app, c.send, !c.replace)
		name := fmt.Sprintf("step %d", i+1)
		if c.code != "" {
			fails(t, err, c.code, c.message)
			require.Equal(t, before, k.release(0).Version, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, "alice "+c.message, k.release(0).Summary, name)
		if c.values == "-" {
			continue
		}
		var got []string
		for _, v := range cfg.Values {
			where := v.Ptype
			if v.Group != "" {
				where = "/" + v.Group
			}
			got = append(got, where+" "+v.Name+"="+v.Value)
		}
		require.Equal(t, c.values, strings.Join(got, " "), name)
		found, err := k.FindConfig(t.Context(), k.alice, app, 0)
		require.NoError(t, err)
		require.Equal(t, cfg.UUID, found.UUID)
	}
}

func TestConfigValues(t *testing.T) {
	t.Parallel()
	const nothing = "alice changed nothing - release stopped"
	play(t, []change{
		{send: values("/global A=1", "web B=2"), message: "added values A, B", values: "web B=2 /global A=1"},
		{send: values("/global A=1"), code: platform.Conflict, message: nothing},
		{send: values("/global A=3", "/db C=4"), message: "added values C, changed values A", values: "web B=2 /db C=4 /global A=3"},
		{send: values("/global NOTHERE"), code: platform.Conflict, message: nothing},
		{send: values("/global NOTHERE", "web B"), message: "deleted values B", values: "/db C=4 /global A=3"},
		{send: values("/global A="), message: "deleted values A", values: "/db C=4"},
		{send: values("/global E="), message: "added values E", values: "/db C=4 /global E="},
		{send: values("/global X=1", "/global X=2"), message: "added values X", values: "/db C=4 /global E= /global X=2"},
		{send: values("/global Y=1"), replace: true, message: "added values Y, deleted values E, X", values: "/db C=4 /global Y=1"},
		{send: values("/db C=4"), replace: true, code: platform.Conflict, message: nothing},
		{send: values("/db NOTHERE"), replace: true, message: "deleted values C", values: "/global Y=1"},
		{send: values(), replace: true, code: platform.Conflict, message: nothing},
		{send: control.ConfigChange{}, code: platform.Conflict, message: nothing},
		{send: values("web A=1", "worker A=1"), message: "added values A", values: "web A=1 worker A=1 /global Y=1"},
	})
}

func TestConfigValuesRefused(t *testing.T) {
	t.Parallel()
	bad := func(message string, list ...string) change {
		return change{send: values(list...), code: platform.Invalid, message: message}
	}
	both := control.ConfigChange{Values: []control.ValueChange{{Name: "A", Value: ptr("1"), Group: "g", Ptype: "web"}}}
	none := control.ConfigChange{Values: []control.ValueChange{{Name: "A", Value: ptr("1")}}}
	var many []string
	for i := range 10 {
		many = append(many, fmt.Sprintf("/global K%d=%s", i, strings.Repeat("x", 100<<10)))
	}
	play(t, []change{
		bad("Config key can only supports", "/global A B"[:9]+"!=1"),
		bad("Config key can only supports", "/glo!bal A=1"),
		bad("Process types can only supports", "Web A=1"),
		bad("The length of ptype must be between 3 and 63", "we A=1"),
		bad("PORT can only be a numeric value", "web PORT=http"),
		bad("PORT needs to be between 1 and 65535", "web PORT=0"),
		bad("holds a NUL byte", "web A=a\x00b"),
		bad("longer than", "web A="+strings.Repeat("x", 200<<10)),
		bad("All values together are longer than", many...),
		{send: both, code: platform.Invalid, message: "either a group or a ptype"},
		{send: none, code: platform.Invalid, message: "either a group or a ptype"},
	})
}

func TestConfigFields(t *testing.T) {
	t.Parallel()
	str := func(ptype string, v *string) map[string]*string { return map[string]*string{ptype: v} }
	nest := func(ptype, key string, v *string) map[string]map[string]*string {
		return map[string]map[string]*string{ptype: {key: v}}
	}
	probe := func(text string) map[string]map[string]any {
		var out map[string]map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &out))
		return out
	}
	ok := func(send control.ConfigChange, summary string) change {
		return change{send: send, message: summary, values: "-"}
	}
	no := func(send control.ConfigChange, code platform.Code, message string) change {
		return change{send: send, code: code, message: message}
	}
	liveness := `{"web":{"livenessProbe":{"httpGet":{"port":80,"path":"/"},"periodSeconds":5}}}`
	play(t, []change{
		ok(control.ConfigChange{Limits: str("worker", ptr("std1.large.c1m2"))}, "added limits worker"),
		ok(control.ConfigChange{Limits: str("web", ptr("std1.large.c1m2"))}, "changed limits web"),
		no(control.ConfigChange{Limits: str("web", ptr("std1.large.c1m2"))}, platform.Conflict, "changed nothing"),
		no(control.ConfigChange{Limits: str("web", ptr("huge"))}, platform.Invalid, "The limit plan huge does not exist"),
		no(control.ConfigChange{Limits: str("no-exists", nil)}, platform.Unprocessable, "no-exists does not exist under limits"),
		no(control.ConfigChange{Limits: str("default", ptr("std1.large.c1m2"))}, platform.Invalid, "default is a reserved name."),
		ok(control.ConfigChange{Limits: str("worker", nil)}, "deleted limits worker"),
		ok(control.ConfigChange{TerminationGrace: str("web", ptr("60"))}, "added termination_grace_period web"),
		no(control.ConfigChange{TerminationGrace: str("web", ptr("x"))}, platform.Invalid, "numeric"),
		no(control.ConfigChange{TerminationGrace: str("worker", nil)}, platform.Unprocessable, "worker does not exist under termination_grace_period"),
		ok(control.ConfigChange{Tags: nest("web", "disk", ptr("ssd"))}, "added tags web"),
		ok(control.ConfigChange{Tags: nest("web", "zone", ptr("a"))}, "changed tags web"),
		no(control.ConfigChange{Tags: nest("web", "zone", ptr("a"))}, platform.Conflict, "changed nothing"),
		no(control.ConfigChange{Tags: nest("web", "nothere", nil)}, platform.Unprocessable, "nothere does not exist under tags"),
		no(control.ConfigChange{Tags: nest("web", "a/b/c", ptr("x"))}, platform.Invalid, "Tag keys"),
		ok(control.ConfigChange{Tags: nest("web", "disk", nil)}, "changed tags web"),
		ok(control.ConfigChange{Tags: nest("web", "zone", nil)}, "deleted tags web"),
		no(control.ConfigChange{Tags: map[string]map[string]*string{"web": nil}}, platform.Unprocessable, "web does not exist under tags"),
		ok(control.ConfigChange{Registry: nest("web", "username", ptr("u"))}, "added registry web"),
		no(control.ConfigChange{Registry: nest("web", "colour", ptr("u"))}, platform.Invalid, "Registry can only hold"),
		ok(control.ConfigChange{Registry: map[string]map[string]*string{"web": nil}}, "deleted registry web"),
		ok(control.ConfigChange{Healthcheck: probe(liveness)}, "added healthcheck web"),
		no(control.ConfigChange{Healthcheck: probe(liveness)}, platform.Conflict, "changed nothing"),
		no(control.ConfigChange{Healthcheck: map[string]map[string]any{"web": {"livenessProbe": map[string]any{
			"httpGet": map[string]any{"port": 80, "path": "/"}, "periodSeconds": json.Number("5"),
		}}}}, platform.Conflict, "changed nothing"),
		no(control.ConfigChange{Healthcheck: probe(`{"web":{"livenessProbe":{}}}`)}, platform.Invalid, "exactly one of"),
		no(control.ConfigChange{Healthcheck: probe(`{"web":{"livenessProbe":5}}`)}, platform.Invalid, "has to be an object"),
		no(control.ConfigChange{Healthcheck: probe(`{"readinessProbe":{"livenessProbe":null}}`)}, platform.Invalid, "Process types can only"),
		no(control.ConfigChange{Healthcheck: probe(`{"readinessProbe":{"readinessProbe":null}}`)}, platform.Unprocessable, "readinessProbe does not exist under healthcheck"),
		ok(control.ConfigChange{Healthcheck: probe(`{"livenessProbe":{"livenessProbe":null}}`)}, "deleted healthcheck web"),
		ok(control.ConfigChange{Healthcheck: probe(strings.ReplaceAll(liveness, "web", "worker"))}, "added healthcheck worker"),
		ok(control.ConfigChange{Healthcheck: probe(`{"livenessProbe":{"livenessProbe":null}}`)}, "deleted healthcheck worker"),
		ok(control.ConfigChange{Healthcheck: probe(strings.ReplaceAll(liveness, "web", "one"))}, "added healthcheck one"),
		ok(control.ConfigChange{Healthcheck: probe(strings.ReplaceAll(liveness, "web", "two"))}, "added healthcheck two"),
		no(control.ConfigChange{Healthcheck: probe(`{"livenessProbe":{"livenessProbe":null}}`)}, platform.Unprocessable, "livenessProbe is set for one, two: name the process type"),
		ok(control.ConfigChange{Healthcheck: map[string]map[string]any{"one": nil, "two": nil}}, "deleted healthcheck one, two"),
		ok(control.ConfigChange{Healthcheck: probe(liveness)}, "added healthcheck web"),
		no(control.ConfigChange{Healthcheck: probe(`{"web":{"readinessProbe":null}}`)}, platform.Unprocessable, "readinessProbe does not exist under healthcheck"),
		ok(control.ConfigChange{Healthcheck: probe(`{"web":{"livenessProbe":null}}`)}, "deleted healthcheck web"),
		ok(control.ConfigChange{Lifecycle: probe(`{"web":{"preStop":{"sleep":{"seconds":2}},"stopSignal":"SIGTERM"}}`)}, "added lifecycle web"),
		no(control.ConfigChange{Lifecycle: probe(`{"web":{"midway":{}}}`)}, platform.Invalid, "Lifecycle can only"),
		ok(control.ConfigChange{Lifecycle: map[string]map[string]any{"web": nil}}, "deleted lifecycle web"),
		ok(control.ConfigChange{Values: vals("/global A=1"), Limits: str("web", ptr("std1.large.c1m4"))}, "added values A, changed limits web"),
		// Bounds as older clients give them choose the smallest plan that holds them.
		ok(control.ConfigChange{Memory: str("worker", ptr("900M"))}, "added limits worker"),
		no(control.ConfigChange{Memory: str("worker", ptr("1Gi"))}, platform.Conflict, "changed nothing"),
		ok(control.ConfigChange{Memory: str("worker", ptr("1G/3G")), CPU: str("worker", ptr("1500m"))}, "changed limits worker"),
		no(control.ConfigChange{CPU: str("worker", ptr("2"))}, platform.Conflict, "changed nothing"),
		ok(control.ConfigChange{CPU: str("worker", nil)}, "changed limits worker"),
		no(control.ConfigChange{CPU: str("worker", ptr("lots"))}, platform.Invalid, `"lots" is no amount`),
		no(control.ConfigChange{Memory: str("worker", ptr("9000Gi"))}, platform.Invalid, "No limit plan for worker has that much"),
		no(control.ConfigChange{Limits: str("web", ptr("std1.large.c1m4")), Memory: str("web", ptr("64Gi"))}, platform.Conflict, "changed nothing"),
	})
}

func TestConfigInUseCannotGo(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1")
	k.settle()
	_, err := k.ChangeConfig(t.Context(), k.alice, app, control.ConfigChange{Limits: map[string]*string{"web": nil}}, true)
	fails(t, err, platform.Unprocessable, "the web has already been used and cannot be deleted")
}

func TestConfigGroups(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.create(app)
	attach := func(ptype string, groups ...string) error {
		_, err := k.ChangeConfig(t.Context(), k.alice, app, control.ConfigChange{ValuesRefs: map[string][]string{ptype: groups}}, true)
		return err
	}
	detach := func(ptype string, groups ...string) error {
		return k.DetachConfig(t.Context(), k.alice, app, map[string][]string{ptype: groups})
	}
	refs := func() map[string][]string {
		c, err := k.FindConfig(t.Context(), k.alice, app, 0)
		require.NoError(t, err)
		return c.ValuesRefs
	}
	require.NoError(t, attach("web", "one", "two", "one"))
	require.Equal(t, "alice added values_refs web", k.release(0).Summary)
	fails(t, attach("web", "two"), platform.Conflict, "changed nothing")
	fails(t, attach("Web", "two"), platform.Invalid, "Process types")
	fails(t, attach("web", "t w o"), platform.Invalid, "Config key")
	require.NoError(t, attach("web", "three"))
	require.Equal(t, "alice changed values_refs web", k.release(0).Summary)
	require.Equal(t, map[string][]string{"web": {"one", "two", "three"}}, refs())
	fails(t, k.DetachConfig(t.Context(), k.alice, app, nil), platform.Invalid, "ptype or groups is required")
	fails(t, detach("web"), platform.Invalid, "ptype or groups is required")
	fails(t, detach("web", "four"), platform.Unprocessable, "four does not exist under values_refs")
	require.NoError(t, detach("web", "two"))
	require.Equal(t, map[string][]string{"web": {"one", "three"}}, refs())
	require.NoError(t, detach("web", "one", "three"))
	require.Equal(t, "alice deleted values_refs web", k.release(0).Summary)
	require.Empty(t, refs())
	c, err := k.FindConfig(t.Context(), k.alice, app, 2)
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"web": {"one", "two"}}, c.ValuesRefs, "old versions stay as they were")
	_, err = k.FindConfig(t.Context(), k.alice, app, 99)
	fails(t, err, platform.NotFound, "No Release matches the given query.")
}
