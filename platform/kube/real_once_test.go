//go:build e2e

package kube

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// attach starts a job and attaches to it.
func (r *realRun) attach(t *testing.T, j control.Job, term control.Terminal) (int, error) {
	t.Helper()
	require.NoError(t, r.c.StartJob(t.Context(), r.deployment(2), j))
	begin := time.Now()
	code, err := r.c.Attach(t.Context(), r.app.ID, j.Name, term)
	t.Logf("attached for %s", time.Since(begin).Round(time.Millisecond))
	return code, err
}

func (r *realRun) once(t *testing.T) {
	var out buffer
	j := r.job("aaaaa", `echo "$GREETING"; echo to stderr >&2`)
	code, err := r.attach(t, j, control.Terminal{Stdout: &out, Stderr: &out})
	require.NoError(t, err)
	assert.Zero(t, code)
	// Two streams: which of them is read first, nobody promises.
	assert.ElementsMatch(t, []string{"hi there", "to stderr", ""}, strings.Split(out.String(), "\n"))
	job, err := r.c.core.BatchV1().Jobs(r.app.ID).Get(t.Context(), j.Name, metav1.GetOptions{})
	require.NoError(t, err)
	assert.EqualValues(t, 3600, *job.Spec.TTLSecondsAfterFinished)
	secret, err := r.c.core.CoreV1().Secrets(r.app.ID).Get(t.Context(), j.Name+"-env", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, job.UID, secret.OwnerReferences[0].UID)
	again := buffer{}
	require.NoError(t, r.c.PodLog(t.Context(), r.app.ID, j.Name, control.LogOptions{Follow: true}, &again), "by the name of the run")
	assert.Equal(t, out.String(), again.String())
	code, err = r.c.Attach(t.Context(), r.app.ID, j.Name, control.Terminal{Stdout: &again})
	require.NoError(t, err, "also when it is over")
	assert.Zero(t, code)
}

func (r *realRun) onceFails(t *testing.T) {
	var out buffer
	code, err := r.attach(t, r.job("bbbbb", "echo before; busybox sleep 1; echo after; exit 4"), control.Terminal{Stdout: &out})
	require.NoError(t, err)
	assert.Equal(t, 4, code)
	assert.Equal(t, "before\nafter\n", out.String())
}

func (r *realRun) onceInput(t *testing.T) {
	var out buffer
	j := r.job("ccccc", "echo ready; busybox cat; echo end; exit 2")
	j.Stdin = true
	code, err := r.attach(t, j, control.Terminal{Stdin: strings.NewReader("one\ntwo\n"), Stdout: &out})
	require.NoError(t, err)
	assert.Equal(t, 2, code)
	assert.Equal(t, "ready\none\ntwo\nend\n", out.String())
}

func (r *realRun) onceTerminal(t *testing.T) {
	stdin, typed := io.Pipe()
	defer stdin.Close()
	var out buffer
	resize := make(chan control.Size, 1)
	resize <- control.Size{Width: 91, Height: 33}
	j := r.job("ddddd", "echo welcome; exec busybox sh -i")
	j.Stdin, j.TTY = true, true
	require.NoError(t, r.c.StartJob(t.Context(), r.deployment(2), j))
	done := make(chan int, 1)
	go func() {
		code, err := r.c.Attach(t.Context(), r.app.ID, j.Name, control.Terminal{Stdin: stdin, Stdout: &out, TTY: true, Resize: resize})
		assert.NoError(t, err)
		done <- code
	}()
	out.awaits(t, "welcome")
	out.awaits(t, "# ") // also when it was written before
	_, err := io.WriteString(typed, "busybox stty size\n")
	require.NoError(t, err)
	out.awaits(t, "33 91")
	_, err = io.WriteString(typed, "exit 6\n")
	require.NoError(t, err)
	assert.Equal(t, 6, <-done)
	t.Logf("%q", out.String())
	assert.NotRegexp(t, `[^\r]\n`, out.String())
	assert.Equal(t, 1, strings.Count(out.String(), "welcome"))

	short := r.job("eeeee", "echo quick; exit 3")
	short.TTY = true
	out = buffer{}
	code, err := r.attach(t, short, control.Terminal{Stdout: &out, TTY: true})
	require.NoError(t, err)
	assert.Equal(t, 3, code)
	assert.Equal(t, "quick\r\n", out.String())
}

func (r *realRun) onceLate(t *testing.T) {
	j := r.job("fffff", "echo waiting; exec busybox sleep 600")
	j.Timeout = 3 * time.Second
	var out buffer
	_, err := r.attach(t, j, control.Terminal{Stdout: &out})
	t.Log(err)
	assert.Equal(t, platform.Unprocessable, platform.CodeOf(err))
	assert.Contains(t, out.String(), "waiting")
}

func (r *realRun) onceNoImage(t *testing.T) {
	j := r.job("ggggg", "true")
	j.Process.Image = "absent.invalid/nothing:v0"
	_, err := r.attach(t, j, control.Terminal{Stdout: io.Discard})
	t.Log(err)
	assert.Equal(t, platform.Unprocessable, platform.CodeOf(err))
	assert.ErrorContains(t, err, "cannot be pulled")
	require.NoError(t, r.c.DeletePods(t.Context(), r.app.ID, []string{j.Name}))
}

func (r *realRun) step(t *testing.T) {
	j := r.job("v3-1-web", "echo $(busybox date +%s%N)")
	j.For = "web"
	d := r.deployment(3)
	begin := time.Now()
	require.NoError(t, r.c.RunStep(t.Context(), d, j))
	t.Logf("took %s", time.Since(begin).Round(time.Millisecond))
	var first, second buffer
	require.NoError(t, r.c.PodLog(t.Context(), r.app.ID, j.Name, control.LogOptions{}, &first))
	require.NoError(t, r.c.RunStep(t.Context(), d, j), "again, as after a kill")
	require.NoError(t, r.c.PodLog(t.Context(), r.app.ID, j.Name, control.LogOptions{}, &second))
	assert.Equal(t, first.String(), second.String(), "it was not run twice")
	require.NoError(t, r.c.EndSteps(t.Context(), r.app.ID))
	job, err := r.c.core.BatchV1().Jobs(r.app.ID).Get(t.Context(), j.Name, metav1.GetOptions{})
	require.NoError(t, err)
	assert.EqualValues(t, platform.MaxRunExpires, *job.Spec.TTLSecondsAfterFinished)
}

func (r *realRun) stepFails(t *testing.T) {
	j := r.job("v4-1-web", "echo no such table; exit 1")
	j.For = "web"
	var failed *control.RolloutError
	require.ErrorAs(t, r.c.RunStep(t.Context(), r.deployment(4), j), &failed)
	t.Log(failed)
	assert.Equal(t, kindRun, failed.Kind)
	assert.Contains(t, failed.Reason, "ended with code 1; its last output:\nno such table")
	_, err := r.c.core.BatchV1().Jobs(r.app.ID).Get(t.Context(), r.app.ID+"-run-v3-1-web", metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err), "the steps of other releases are gone")
	require.ErrorAs(t, r.c.RunStep(t.Context(), r.deployment(4), j), &failed, "it stays failed")
	j.Name, j.Process.Image = r.app.ID+"-run-v4-1-worker", "absent.invalid/nothing:v0"
	require.ErrorAs(t, r.c.RunStep(t.Context(), r.deployment(4), j), &failed)
	t.Log(failed)
	assert.Contains(t, failed.Reason, "cannot be pulled")
}

func (r *realRun) stepLate(t *testing.T) {
	j := r.job("v5-1-web", "echo waiting for a lock; exec busybox sleep 600")
	j.For, j.Timeout = "web", 3*time.Second
	var failed *control.RolloutError
	require.ErrorAs(t, r.c.RunStep(t.Context(), r.deployment(5), j), &failed)
	t.Log(failed)
	assert.Equal(t, kindRunTimeout, failed.Kind)
	assert.Contains(t, failed.Reason, "did not end within 3s")
	assert.Contains(t, failed.Reason, "waiting for a lock")
}

func (r *realRun) usage(t *testing.T) {
	web := r.pod(t, "web")
	require.EventuallyWithT(t, func(ct *assert.CollectT) {
		list, err := r.c.Usage(t.Context(), r.app.ID)
		require.NoError(ct, err)
		for _, u := range list {
			if u.Pod == web {
				assert.Positive(ct, u.CPUSeconds)
				assert.Positive(ct, u.Memory)
				assert.GreaterOrEqual(ct, u.Disk, int64(0))
				assert.GreaterOrEqual(ct, u.Received, int64(0))
				t.Logf("%+v", u)
				return
			}
		}
		assert.Fail(ct, "the pod is not told of")
	}, time.Minute, time.Second)
}

func (r *realRun) deletePods(t *testing.T) {
	web := r.pod(t, "web")
	assert.Equal(t, platform.NotFound, platform.CodeOf(r.c.DeletePods(t.Context(), r.app.ID, []string{web, "absent"})))
	assert.Equal(t, web, r.pod(t, "web"), "none is ended when one is not there")
	require.NoError(t, r.c.DeletePods(t.Context(), r.app.ID, []string{web}))
	require.Eventually(t, func() bool {
		pods, err := r.c.Pods(t.Context(), r.app.ID)
		if err != nil {
			return false
		}
		for _, p := range pods {
			if p.Type == "web" && p.State == stateUp && p.Name != web {
				return true
			}
		}
		return false
	}, time.Minute, 100*time.Millisecond)
}
