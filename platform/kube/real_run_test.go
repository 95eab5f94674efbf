//go:build e2e

package kube

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// TestRealRun reads logs and runs commands on the cluster of KUBECONFIG.
// SLIPWAY_BUSYBOX_IMAGE is the reference of an image on its nodes. The steps
// build on each other.
func TestRealRun(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"KUBECONFIG", "SLIPWAY_BUSYBOX_IMAGE"} {
		require.NotEmpty(t, os.Getenv(name), "%s has to be set", name)
	}
	c, err := New(Options{Kubeconfig: os.Getenv("KUBECONFIG")})
	require.NoError(t, err)
	r := &realRun{c: c, app: platform.App{ID: fmt.Sprintf("kubetest-run-%d", os.Getpid()), Workspace: "kubetest"}}
	t.Cleanup(func() { assert.NoError(t, c.DeleteApp(context.Background(), r.app.ID)) })
	require.NoError(t, c.EnsureApp(t.Context(), r.app))
	for _, step := range []struct {
		name string
		run  func(*realRun, *testing.T)
	}{
		{"deploy", (*realRun).deploy},
		{"inspect", (*realRun).inspect},
		{"log", (*realRun).log},
		{"follow", (*realRun).follow},
		{"exec", (*realRun).exec},
		{"exec with a terminal", (*realRun).execTerminal},
		{"exec that ends with its client", (*realRun).execGone},
		{"run", (*realRun).once},
		{"run that fails", (*realRun).onceFails},
		{"run with input", (*realRun).onceInput},
		{"run with a terminal", (*realRun).onceTerminal},
		{"run out of time", (*realRun).onceLate},
		{"run without image", (*realRun).onceNoImage},
		{"step", (*realRun).step},
		{"step that fails", (*realRun).stepFails},
		{"step out of time", (*realRun).stepLate},
		{"usage", (*realRun).usage},
		{"delete pods", (*realRun).deletePods},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(r, t) })
	}
}

type realRun struct {
	c   *Cluster
	app platform.App
}

func (r *realRun) process(ptype, script string) control.Process {
	return control.Process{
		Ptype: ptype, Replicas: 1, Image: os.Getenv("SLIPWAY_BUSYBOX_IMAGE"),
		Command: []string{"busybox", "sh", "-c", script}, Grace: time.Second, Timeout: time.Minute,
		Env:  map[string]string{"PORT": "5000", "GREETING": "hi there"},
		Plan: control.Plan{ID: "test", CPULimit: 500, CPURequest: 10, MemoryLimit: 64 << 20, MemoryRequest: 16 << 20},
	}
}

func (r *realRun) deployment(version int) control.Deployment {
	return control.Deployment{App: r.app, Release: platform.Release{App: r.app.ID, Version: version, Summary: "kubetest"}}
}

func (r *realRun) job(name, script string) control.Job {
	return control.Job{
		Name: r.app.ID + "-run-" + name, For: "run", Process: r.process("run", script),
		Timeout: time.Minute, Expires: time.Hour,
	}
}

const chatter = `n=0; while true; do echo line $n; n=$((n+1)); busybox sleep 0.2; done`

func (r *realRun) deploy(t *testing.T) {
	d := r.deployment(2)
	d.Processes = []control.Process{r.process("web", chatter), r.process("worker", chatter)}
	require.NoError(t, r.c.Apply(t.Context(), d))
}

// pod is the name of the one pod of a process type.
func (r *realRun) pod(t *testing.T, ptype string) string {
	t.Helper()
	pods, err := r.c.Pods(t.Context(), r.app.ID)
	require.NoError(t, err)
	for _, p := range pods {
		if p.Type == ptype && p.State == stateUp {
			return p.Name
		}
	}
	require.Fail(t, "no pod runs", "%v", pods)
	return ""
}

func (r *realRun) inspect(t *testing.T) {
	list, err := r.c.Ptypes(t.Context(), r.app.ID)
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, "v2", list[0].Release)
	assert.Equal(t, 1, list[0].Ready)
	containers, err := r.c.DescribePod(t.Context(), r.app.ID, r.pod(t, "web"))
	require.NoError(t, err)
	assert.Contains(t, containers[0].State, "running")
	events, err := r.c.PodEvents(t.Context(), r.app.ID, r.pod(t, "web"))
	require.NoError(t, err)
	require.NotEmpty(t, events)
	events, err = r.c.PtypeEvents(t.Context(), r.app.ID, "web")
	require.NoError(t, err)
	require.NotEmpty(t, events)
	for _, e := range events {
		t.Log(e.Created, e.Reason, e.Message)
	}
}

func (r *realRun) log(t *testing.T) {
	require.EventuallyWithT(t, func(ct *assert.CollectT) {
		var out bytes.Buffer
		require.NoError(ct, r.c.PodLog(t.Context(), r.app.ID, r.pod(t, "web"), control.LogOptions{Lines: 3}, &out))
		assert.Equal(ct, 3, strings.Count(out.String(), "\n"))
	}, time.Minute, 200*time.Millisecond)
	lines, err := r.c.Logs(t.Context(), r.app.ID, 6)
	require.NoError(t, err)
	require.Len(t, lines, 6)
	for i, l := range lines {
		assert.Regexp(t, `^line \d+$`, l.Text)
		assert.True(t, i == 0 || !l.Time.Before(lines[i-1].Time))
	}
}

// follow: every line of both pods and of one that comes later, once.
func (r *realRun) follow(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	heard := map[string][]int{}
	scaled := false
	web := r.pod(t, "web")
	err := r.c.FollowLogs(ctx, r.app.ID, time.Now(), nil, func(l platform.LogLine) error {
		var n int
		_, err := fmt.Sscanf(l.Text, "line %d", &n)
		require.NoError(t, err)
		if before := heard[l.Pod]; len(before) > 0 {
			assert.Equal(t, before[len(before)-1]+1, n, "a line is missing or doubled in %s", l.Pod)
		} else if l.Pod != web && scaled && l.Ptype == "web" {
			assert.Equal(t, 0, n, "from its beginning")
		}
		heard[l.Pod] = append(heard[l.Pod], n)
		if len(heard[web]) == 5 {
			scaled = true
			require.NoError(t, r.c.Scale(ctx, r.app.ID, map[string]int{"web": 2}))
		}
		for pod, lines := range heard {
			if pod != web && strings.Contains(pod, "-web-") && len(lines) > 5 {
				return io.EOF
			}
		}
		return nil
	})
	require.ErrorIs(t, err, io.EOF)
	assert.Len(t, heard, 3)
	require.NoError(t, r.c.Scale(t.Context(), r.app.ID, map[string]int{"web": 1}))
}

// buffer is a bytes.Buffer for several goroutines that tells of news.
type buffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

func (b *buffer) awaits(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(b.String(), text) }, time.Minute, 20*time.Millisecond, "%q in %s", text, b)
}

func (r *realRun) exec(t *testing.T) {
	worker := r.pod(t, "worker")
	var out, errs buffer
	code, err := r.c.Exec(t.Context(), r.app.ID, worker, []string{"busybox", "sh", "-c", "echo $GREETING; echo oops >&2; exit 7"},
		control.Terminal{Stdout: &out, Stderr: &errs})
	require.NoError(t, err)
	assert.Equal(t, 7, code)
	assert.Equal(t, "hi there\n", out.String())
	assert.Equal(t, "oops\n", errs.String())

	out = buffer{}
	code, err = r.c.Exec(t.Context(), r.app.ID, worker, []string{"busybox", "cat"},
		control.Terminal{Stdin: strings.NewReader(strings.Repeat("0123456789", 50000)), Stdout: &out, Stderr: &errs})
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.Len(t, out.String(), 500000)

	_, err = r.c.Exec(t.Context(), r.app.ID, worker, []string{"absent"}, control.Terminal{Stdout: &out, Stderr: &errs})
	t.Log(err)
	assert.Equal(t, platform.Unprocessable, platform.CodeOf(err))
	_, err = r.c.Exec(t.Context(), r.app.ID, "absent", []string{"true"}, control.Terminal{Stdout: &out, Stderr: &errs})
	assert.Equal(t, platform.NotFound, platform.CodeOf(err))
}

func (r *realRun) execTerminal(t *testing.T) {
	stdin, typed := io.Pipe()
	defer stdin.Close()
	var out buffer
	resize := make(chan control.Size, 1)
	resize <- control.Size{Width: 91, Height: 33}
	done := make(chan int, 1)
	go func() {
		code, err := r.c.Exec(t.Context(), r.app.ID, r.pod(t, "worker"), []string{"busybox", "sh", "-i"},
			control.Terminal{Stdin: stdin, Stdout: &out, TTY: true, Resize: resize})
		assert.NoError(t, err)
		done <- code
	}()
	out.awaits(t, "# ")
	_, err := io.WriteString(typed, "busybox stty size; busybox tty\n")
	require.NoError(t, err)
	out.awaits(t, "33 91")
	out.awaits(t, "/dev/pts/")
	resize <- control.Size{Width: 77, Height: 22}
	require.Eventually(t, func() bool {
		_, err := io.WriteString(typed, "busybox stty size\n")
		return err == nil && strings.Contains(out.String(), "22 77")
	}, time.Minute, 100*time.Millisecond)
	_, err = io.WriteString(typed, "exit 5\n")
	require.NoError(t, err)
	assert.Equal(t, 5, <-done)
}

// execGone: when the client leaves, the call ends.
func (r *realRun) execGone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stdin, typed := io.Pipe()
	defer typed.Close()
	var out buffer
	done := make(chan error, 1)
	go func() {
		_, err := r.c.Exec(ctx, r.app.ID, r.pod(t, "worker"), []string{"busybox", "sh", "-c", "echo here; busybox cat"},
			control.Terminal{Stdin: stdin, Stdout: &out, Stderr: &out})
		done <- err
	}()
	out.awaits(t, "here")
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}
