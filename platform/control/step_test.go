package control_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// migrating is a build whose web and worker have run steps and cron has none.
func migrating(image string) control.NewBuild {
	return control.NewBuild{Image: image, Stack: "container", Dryccfile: []byte(`{"pipeline": {
		"web.yaml": {"kind": "pipeline", "ptype": "web", "env": {"ROLE": "web"},
			"run": {"command": ["bin/migrate"], "args": ["--all"], "timeout": 90}, "deploy": {"args": ["serve"]}},
		"worker.yaml": {"kind": "pipeline", "ptype": "worker", "build": {"docker": "Dockerfile.worker"},
			"run": {"args": ["prepare"]}, "deploy": {"args": ["work"]}},
		"cron.yaml": {"kind": "pipeline", "ptype": "cron", "deploy": {"args": ["tick"]}}}}`)}
}

func (k *kit) migrate(image string) {
	k.t.Helper()
	_, err := k.Deploy(k.t.Context(), k.alice, app, migrating(image))
	require.NoError(k.t, err)
}

func (k *kit) names() (names []string) {
	for _, c := range k.cluster.Calls("") {
		if c.Name == "RunStep" || c.Name == "Apply" || c.Name == "EndSteps" {
			names = append(names, fmt.Sprintf("%s v%d %v", c.Name, c.Version, c.Ptypes))
		}
	}
	return names
}

func TestStepsRunBeforeRollout(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.migrate("registry.test/hello:1")
	k.settle()
	require.Equal(t, []string{"RunStep v2 [web]", "RunStep v2 [worker]", "Apply v2 [cron web worker]", "EndSteps v0 []"}, k.names())
	require.Equal(t, succeeded, k.release(2).State)
	jobs := k.cluster.Started(app)
	require.Len(t, jobs, 2)
	web, worker := jobs[0], jobs[1]
	require.Equal(t, "hello-run-v2-1-web", web.Name)
	require.Equal(t, "web", web.For)
	require.Equal(t, "run", web.Process.Ptype, "requests for web must not come to it")
	require.Equal(t, []string{"bin/migrate"}, web.Process.Command)
	require.Equal(t, []string{"--all"}, web.Process.Args)
	require.Equal(t, "web", web.Process.Env["ROLE"], "it has the config of its process type")
	require.Equal(t, 90*time.Second, web.Timeout)
	require.Equal(t, "registry.test/hello:1-worker", worker.Process.Image)
	require.Equal(t, time.Hour, worker.Timeout)
	require.True(t, web.Ended && worker.Ended)

	k.set("A", "1")
	k.settle()
	require.Len(t, k.cluster.Started(app), 4, "every release has its own")
}

func TestFailedStepKeepsTheOldRelease(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web")
	k.settle()
	k.cluster.RefuseStep(func(_ control.Deployment, j control.Job) error {
		return &control.RolloutError{Ptype: j.For, Pod: j.Name + "-0", Kind: "RunFailed", Restored: true,
			Reason: "the run step ended with code 1; its last output:\nno such table"}
	})
	k.migrate("registry.test/hello:2")
	k.settle()
	r := k.release(3)
	require.Equal(t, crashed, r.State)
	require.Contains(t, r.Exception, "RunFailed: There was a problem deploying v3. Rolling back to release v2.")
	require.Contains(t, r.Exception, "no such table")
	require.Equal(t, 2, k.cluster.Running(app)["web"].Version)
	require.Len(t, k.cluster.Calls("Apply"), 1, "nothing was touched, so nothing is put back")
	require.Len(t, k.cluster.Started(app), 1, "the worker's step was not run any more")
	require.True(t, k.cluster.Started(app)[0].Ended)

	// Asked to deploy again it gets another try, under another name.
	k.cluster.RefuseStep(nil)
	require.NoError(t, k.DeployRelease(t.Context(), k.alice, app, nil, true))
	k.settle()
	k.migrate("registry.test/hello:3")
	k.settle()
	require.Equal(t, succeeded, k.release(4).State)
	require.NoError(t, k.DeployRelease(t.Context(), k.alice, app, []string{"web"}, true))
	k.settle()
	jobs := k.cluster.Started(app)
	require.Equal(t, "hello-run-v4-2-web", jobs[len(jobs)-1].Name)
}

// The cluster that is away while a step runs is waited for; the step is one
// and the same.
func TestStepWaitsForTheCluster(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.cluster.FailNext("RunStep", platform.Errorf(platform.Unavailable, "away"), platform.Errorf(platform.Unavailable, "away"))
	k.migrate("registry.test/hello:1")
	k.settle()
	require.Equal(t, succeeded, k.release(2).State)
	require.Len(t, k.cluster.Started(app), 2)
}

// Deleting an app ends a step under way.
func TestDeleteDuringStep(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	gate := k.cluster.HoldBefore("RunStep")
	k.migrate("registry.test/hello:1")
	<-gate.Reached
	require.NoError(t, k.DeleteApp(t.Context(), k.alice, app))
	k.settle()
	require.Nil(t, k.cluster.Running(app))
}
