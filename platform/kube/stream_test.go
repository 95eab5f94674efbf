package kube

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func at(n int) time.Time { return time.Date(2026, 3, 1, 12, 0, n, 0, time.UTC) }

func TestLogs(t *testing.T) {
	s, c := newSimulation(t)
	k := newKubelet(s)
	s.podRunning("hello-web-1", "web", nil)
	s.podRunning("hello-worker-1", "worker", nil)
	k.say("hello-web-1", at(1), "one")
	k.say("hello-worker-1", at(2), "two")
	k.say("hello-web-1", at(3), "three \xff")
	lines, err := c.Logs(t.Context(), "hello", 100)
	require.NoError(t, err)
	assert.Equal(t, []platform.LogLine{
		{Time: at(1), Ptype: "web", Pod: "hello-web-1", Text: "one"},
		{Time: at(2), Ptype: "worker", Pod: "hello-worker-1", Text: "two"},
		{Time: at(3), Ptype: "web", Pod: "hello-web-1", Text: "three \uFFFD"},
	}, lines)
	lines, err = c.Logs(t.Context(), "hello", 1)
	require.NoError(t, err)
	assert.Len(t, lines, 1, "of all, not of each")

	var out bytes.Buffer
	require.NoError(t, c.PodLog(t.Context(), "hello", "hello-web-1", control.LogOptions{Lines: 1}, &out))
	assert.Equal(t, "three \xff\n", out.String(), "as it is")
	err = c.PodLog(t.Context(), "hello", "hello-web-1", control.LogOptions{Container: "other"}, &out)
	assert.ErrorContains(t, err, "the pod has no container other")
	err = c.PodLog(t.Context(), "hello", "absent", control.LogOptions{}, &out)
	assert.Equal(t, platform.NotFound, platform.CodeOf(err))
}

func TestPodLogFollows(t *testing.T) {
	s, c := newSimulation(t)
	k := newKubelet(s)
	s.podRunning("hello-web-1", "web", func(p *corev1.Pod) { p.Status = corev1.PodStatus{Phase: corev1.PodPending} })
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- c.PodLog(t.Context(), "hello", "hello-web-1", control.LogOptions{Follow: true}, w)
		_ = w.Close()
	}()
	s.podRunning("hello-web-1", "web", nil) // waited for
	k.say("hello-web-1", at(1), "one")
	line := make([]byte, 4)
	_, err := io.ReadFull(r, line)
	require.NoError(t, err)
	assert.Equal(t, "one\n", string(line))
	k.say("hello-web-1", at(2), "two")
	_, err = io.ReadFull(r, line)
	require.NoError(t, err)
	k.end("hello-web-1")
	require.NoError(t, <-done)
}

func TestFollowLogs(t *testing.T) {
	s, c := newSimulation(t)
	k := newKubelet(s)
	s.podRunning("hello-web-1", "web", nil)
	k.say("hello-web-1", at(1), "known")
	k.say("hello-web-1", at(2), "one")
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan string)
	done := make(chan error, 1)
	go func() {
		done <- c.FollowLogs(ctx, "hello", at(0), map[string]time.Time{"hello-web-1": at(1)}, func(l platform.LogLine) error {
			heard <- l.Pod + " " + l.Text
			return nil
		})
	}()
	assert.Equal(t, "hello-web-1 one", <-heard)
	k.say("hello-web-1", at(3), "two")
	assert.Equal(t, "hello-web-1 two", <-heard)

	k.say("hello-web-2", at(4), "another")
	s.podRunning("hello-web-2", "web", nil)
	assert.Equal(t, "hello-web-2 another", <-heard, "a pod that is made meanwhile")

	// The container ends and begins again.
	ending := func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1}}
	}
	s.podRunning("hello-web-2", "web", ending)
	k.restart("hello-web-2")
	k.say("hello-web-2", at(6), "again")
	s.podRunning("hello-web-2", "web", func(p *corev1.Pod) { p.Status.ContainerStatuses[0].RestartCount = 1 })
	assert.Equal(t, "hello-web-2 again", <-heard)

	s.cut(true) // the watch breaks and its revision is forgotten
	k.say("hello-web-1", at(8), "still")
	assert.Equal(t, "hello-web-1 still", <-heard)
	cancel()
	assert.ErrorIs(t, <-done, context.Canceled)
}

func TestFollowLogsEndsWithItsListener(t *testing.T) {
	s, c := newSimulation(t)
	k := newKubelet(s)
	gone := errors.New("the client has left")
	for _, pod := range []string{"hello-web-1", "hello-web-2", "hello-web-3"} {
		s.podRunning(pod, "web", nil)
		k.say(pod, at(1), "one")
	}
	calls := 0
	err := c.FollowLogs(t.Context(), "hello", at(0), nil, func(platform.LogLine) error { calls++; return gone })
	assert.ErrorIs(t, err, gone)
	assert.Equal(t, 1, calls, "nothing is told after that")
}

func TestExec(t *testing.T) {
	s, c := newSimulation(t)
	k := newKubelet(s)
	s.podRunning("hello-web-1", "web", nil)
	k.command = func(w *wire) int {
		assert.Equal(t, []string{"cat", "-"}, w.query["command"])
		assert.Equal(t, []string{"main"}, w.query["container"])
		w.say(1, "out ")
		w.say(2, "err")
		for text := range w.input {
			w.say(1, strings.ToUpper(text))
		}
		return 5
	}
	var out, errs bytes.Buffer
	code, err := c.Exec(t.Context(), "hello", "hello-web-1", []string{"cat", "-"},
		control.Terminal{Stdin: strings.NewReader("typed"), Stdout: &out, Stderr: &errs})
	require.NoError(t, err)
	assert.Equal(t, 5, code)
	assert.Equal(t, "out TYPED", out.String())
	assert.Equal(t, "err", errs.String())

	k.command = func(*wire) int { return 0 }
	code, err = c.Exec(t.Context(), "hello", "hello-web-1", []string{"true"}, control.Terminal{Stdout: &out, Stderr: &errs})
	require.NoError(t, err)
	assert.Zero(t, code)

	k.command = func(*wire) int { return -1 }
	_, err = c.Exec(t.Context(), "hello", "hello-web-1", []string{"absent"}, control.Terminal{Stdout: &out, Stderr: &errs})
	assert.Equal(t, platform.Unprocessable, platform.CodeOf(err))
	assert.ErrorContains(t, err, "executable file not found")

	_, err = c.Exec(t.Context(), "hello", "absent", []string{"true"}, control.Terminal{})
	assert.Equal(t, platform.NotFound, platform.CodeOf(err))
	s.podRunning("hello-web-2", "web", func(p *corev1.Pod) { p.Status = corev1.PodStatus{Phase: corev1.PodPending} })
	_, err = c.Exec(t.Context(), "hello", "hello-web-2", []string{"true"}, control.Terminal{})
	assert.Equal(t, platform.Unprocessable, platform.CodeOf(err))
}

func TestExecTerminal(t *testing.T) {
	s, c := newSimulation(t)
	k := newKubelet(s)
	s.podRunning("hello-web-1", "web", nil)
	k.command = func(w *wire) int {
		assert.Equal(t, []string{"true"}, w.query["tty"])
		assert.Empty(t, w.query["stderr"], "a terminal has one output")
		w.say(1, <-w.sizes)
		return 0
	}
	resize := make(chan control.Size, 1)
	resize <- control.Size{Width: 80, Height: 24}
	var out bytes.Buffer
	_, err := c.Exec(t.Context(), "hello", "hello-web-1", []string{"sh"}, control.Terminal{Stdout: &out, TTY: true, Resize: resize})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Width": 80, "Height": 24}`, out.String())
}

func TestExecEndsWithItsClient(t *testing.T) {
	s, c := newSimulation(t)
	k := newKubelet(s)
	s.podRunning("hello-web-1", "web", nil)
	k.command = func(w *wire) int {
		w.say(1, "here")
		for range w.input { // until the connection is gone
			continue
		}
		return 0
	}
	ctx, cancel := context.WithCancel(t.Context())
	stdin, typed := io.Pipe()
	said, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := c.Exec(ctx, "hello", "hello-web-1", []string{"top"}, control.Terminal{Stdin: stdin, Stdout: out, Stderr: io.Discard})
		done <- err
	}()
	_, err := io.ReadFull(said, make([]byte, 4))
	require.NoError(t, err)
	cancel()
	assert.ErrorIs(t, <-done, context.Canceled)
	require.NoError(t, typed.Close())
}

func TestUsage(t *testing.T) {
	s, c := newSimulation(t)
	k := newKubelet(s)
	s.podRunning("hello-web-1", "web", nil)
	s.podRunning("hello-web-2", "web", nil)
	k.summary = `{"pods": [
		{"podRef": {"name": "hello-web-1", "namespace": "hello"}, "cpu": {"usageCoreNanoSeconds": 2500000000},
		 "memory": {"workingSetBytes": 1048576}, "network": {"rxBytes": 1, "txBytes": 2}, "ephemeral-storage": {"usedBytes": 4096}},
		{"podRef": {"name": "hello-web-2", "namespace": "hello"}, "memory": {}},
		{"podRef": {"name": "hello-web-1", "namespace": "other"}, "memory": {"workingSetBytes": 5}}]}`
	list, err := c.Usage(t.Context(), "hello")
	require.NoError(t, err)
	assert.Equal(t, []platform.PodUsage{
		{Pod: "hello-web-1", CPUSeconds: 2.5, Memory: 1 << 20, Disk: 4096, Received: 1, Sent: 2},
		{Pod: "hello-web-2", CPUSeconds: -1, Memory: -1, Disk: -1, Received: -1, Sent: -1},
	}, list)
	s.set(func(a *apiServer) {
		a.fail = func(r *http.Request) int {
			if strings.Contains(r.URL.Path, "/proxy/") {
				return http.StatusServiceUnavailable
			}
			return 0
		}
	})
	_, err = c.Usage(t.Context(), "hello")
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
}
