package control_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func TestGarbageIsCleaned(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web", "worker")
	k.settle()
	k.settings(control.SettingsChange{Autodeploy: ptr(false)})
	require.NoError(t, k.Scale(t.Context(), k.alice, app, map[string]int{"worker": 2}))
	k.deploy("registry.test/hello:2", "web")
	require.NoError(t, k.DeployRelease(t.Context(), k.alice, app, nil, false))
	k.settle()
	garbage := func() map[string]bool {
		list, err := k.Ptypes(t.Context(), k.alice, app)
		require.NoError(t, err)
		out := map[string]bool{}
		for _, p := range list {
			out[p.Name] = p.Garbage
		}
		return out
	}
	require.Equal(t, map[string]bool{"web": false, "worker": true}, garbage())

	clean := func(ptypes ...string) error { return k.CleanPtypes(t.Context(), k.alice, app, ptypes) }
	fails(t, clean(), platform.Invalid, "ptypes is a required field")
	fails(t, clean("web"), platform.Invalid, "ptype web should not garbage.")
	fails(t, clean("worker"), platform.Invalid, "ptype worker should not garbage. Scale it to 0 first.")
	fails(t, clean("absent"), platform.Invalid, "process type absent is not included in procfile")
	require.Empty(t, k.cluster.Calls("Remove"))
	require.NoError(t, k.Scale(t.Context(), k.alice, app, map[string]int{"worker": 0}))
	require.NoError(t, clean("worker"))
	require.Equal(t, map[string]bool{"web": false}, garbage())
	a, err := k.FindApp(t.Context(), k.alice, app)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"web": 1}, a.Structure)
}

func TestRestartPods(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web", "worker")
	require.NoError(t, k.Scale(t.Context(), k.alice, app, map[string]int{"web": 2, "worker": 1}))
	k.settle()
	restart := func(ptype, name string) []string {
		pods, err := k.RestartPods(t.Context(), k.alice, app, ptype, name)
		require.NoError(t, err)
		var names []string
		for _, p := range pods {
			names = append(names, p.Name)
		}
		return names
	}
	require.Equal(t, []string{"hello-web-0", "hello-web-1", "hello-worker-0"}, restart("", ""))
	require.Equal(t, []string{"hello-worker-0"}, restart("", "worker"))
	require.Equal(t, []string{"hello-web-0", "hello-web-1"}, restart("", "hello-web-1"))
	require.Equal(t, []string{"hello-worker-0"}, restart("worker", "hello-worker-0"))
	_, err := k.RestartPods(t.Context(), k.alice, app, "web", "hello-worker-0")
	fails(t, err, platform.Invalid, "this process not found")
	require.Equal(t, 2, k.cluster.Running(app)["worker"].Restarts)
}

func TestStrangersSeeNothing(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web")
	k.settle()
	ctx := t.Context()
	for name, call := range map[string]func(control.Actor) error{
		"ptypes":   func(a control.Actor) error { _, err := k.Ptypes(ctx, a, app); return err },
		"ptype":    func(a control.Actor) error { _, err := k.DescribePtype(ctx, a, app, "web"); return err },
		"pod":      func(a control.Actor) error { _, err := k.DescribePod(ctx, a, app, "hello-web-0"); return err },
		"absent":   func(a control.Actor) error { _, err := k.DescribePod(ctx, a, app, "absent"); return err },
		"events":   func(a control.Actor) error { _, err := k.Events(ctx, a, app, "hello-web-0", ""); return err },
		"delete":   func(a control.Actor) error { return k.DeletePods(ctx, a, app, []string{"hello-web-0"}) },
		"clean":    func(a control.Actor) error { return k.CleanPtypes(ctx, a, app, []string{"web"}) },
		"restart":  func(a control.Actor) error { _, err := k.RestartPods(ctx, a, app, "", ""); return err },
		"may read": func(a control.Actor) error { return k.MayRead(ctx, a, app, "hello-web-0") },
		"enter":    func(a control.Actor) error { return k.MayEnter(ctx, a, app, "hello-web-0") },
		"log":      func(a control.Actor) error { return k.PodLog(ctx, a, app, "hello-web-0", control.LogOptions{}, nil) },
		"app log":  func(a control.Actor) error { return k.AppLog(ctx, a, app, 1, false, nil) },
		"metrics":  func(a control.Actor) error { _, err := k.AppMetrics(ctx, a, app); return err },
		"exec": func(a control.Actor) error {
			_, err := k.Exec(ctx, a, app, "hello-web-0", []string{"ls"}, control.Terminal{})
			return err
		},
		"attach": func(a control.Actor) error {
			_, err := k.Attach(ctx, a, app, "hello-web-0", control.Terminal{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, call(k.bobby), platform.Forbidden, "permission")
		})
	}
}

func TestEventsTakeBothForms(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web")
	k.settle()
	for ask, want := range map[[2]string]int{
		{"", ""}: 0, {"", "web"}: 1, {"", "hello-web"}: 1, {"", "absent"}: 0, {"hello-web-0", ""}: 1, {"absent", ""}: 0,
	} {
		list, err := k.Events(t.Context(), k.alice, app, ask[0], ask[1])
		require.NoError(t, err)
		require.Len(t, list, want, ask)
	}
	for _, name := range []string{"web", "hello-web"} {
		list, err := k.DescribePtype(t.Context(), k.alice, app, name)
		require.NoError(t, err)
		require.Equal(t, "registry.test/hello:1", list[0].Image)
	}
	_, err := k.DescribePtype(t.Context(), k.alice, app, "absent")
	fails(t, err, platform.Invalid, "this procfile type not found")
}

func said(at time.Time, text string) platform.LogLine {
	return platform.LogLine{Time: at, Ptype: "web", Pod: "hello-web-0", Text: text}
}

func TestAppLog(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.clock.pass(time.Minute)
	k.deploy("registry.test/hello:1", "web")
	k.settle()
	k.clock.pass(time.Minute)
	k.cluster.Say(app, said(k.clock.Now(), "one"))
	k.clock.pass(time.Minute)
	k.set("A", "hunter2")
	k.settle()

	var lines []string
	collect := func(l platform.LogLine) error { lines = append(lines, l.Text); return nil }
	require.NoError(t, k.AppLog(t.Context(), k.alice, app, 0, false, collect))
	require.Equal(t, []string{
		"alice created initial release", "app created",
		"alice deployed registry.test/hello:1", "scaled web=1", "deploying v2 (web)", "v2 deployed (web)",
		"one",
		"alice added values A", "deploying v3 (web)", "v3 deployed (web)",
	}, lines)
	lines = nil
	require.NoError(t, k.AppLog(t.Context(), k.alice, app, 4, false, collect))
	require.Equal(t, []string{"one", "alice added values A", "deploying v3 (web)", "v3 deployed (web)"}, lines)
}

func TestAppLogFollows(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web")
	k.settle()
	k.clock.pass(time.Second)
	k.cluster.Say(app, said(k.clock.Now(), "old"))
	ctx, cancel := context.WithCancel(t.Context())
	lines := make(chan string)
	done := make(chan error, 1)
	go func() {
		done <- k.AppLog(ctx, k.alice, app, 1, true, func(l platform.LogLine) error { lines <- l.Text; return nil })
	}()
	require.Equal(t, "old", <-lines)
	k.clock.pass(time.Second)
	k.cluster.Say(app, said(k.clock.Now(), "new"))
	require.Equal(t, "new", <-lines)
	go func() { _ = k.Scale(t.Context(), k.alice, app, map[string]int{"web": 2}) }()
	require.Equal(t, "scaled web=2", <-lines)
	k.cluster.Say(app, platform.LogLine{Time: k.clock.Now(), Ptype: "web", Pod: "hello-web-1", Text: "another pod"})
	require.Equal(t, "another pod", <-lines)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)

	gone := errors.New("the client has left")
	err := k.AppLog(t.Context(), k.alice, app, 1, true, func(platform.LogLine) error { return gone })
	require.ErrorIs(t, err, gone)
}

func TestAppMetrics(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web")
	k.settle()
	k.cluster.Use(app, platform.PodUsage{Pod: "hello-web-0", Memory: 1 << 20})
	m, err := k.AppMetrics(t.Context(), k.alice, app)
	require.NoError(t, err)
	require.Equal(t, 2, m.Version)
	require.Len(t, m.Pods, 1)
	require.Len(t, m.Usage, 1)
	k.cluster.Fail("Usage", platform.Errorf(platform.Unavailable, "away"))
	m, err = k.AppMetrics(t.Context(), k.alice, app)
	require.NoError(t, err, "the rest is worth having")
	require.Empty(t, m.Usage)
}
