package kube

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func TestAttachWithoutTerminal(t *testing.T) {
	s, c := newSimulation(t)
	k := newKubelet(s)
	s.playJobs(nil)
	require.NoError(t, c.EnsureApp(t.Context(), webDeployment(2).App))
	j := oneOff("hello-run-aaaaa")
	j.Stdin = true
	require.NoError(t, c.StartJob(t.Context(), webDeployment(2), j))
	k.say("hello-run-aaaaa-0", at(1), "said before anybody came")
	k.command = func(w *wire) int {
		assert.Empty(t, w.query["stdout"], "that comes from the log")
		for text := range w.input {
			k.say("hello-run-aaaaa-0", at(2), strings.ToUpper(text))
		}
		k.end("hello-run-aaaaa-0")
		s.endJob("hello-run-aaaaa", exits(3))
		return 0
	}
	var out bytes.Buffer
	code, err := c.Attach(t.Context(), "hello", "hello-run-aaaaa", control.Terminal{Stdin: strings.NewReader("typed"), Stdout: &out})
	require.NoError(t, err)
	assert.Equal(t, 3, code)
	assert.Equal(t, "said before anybody came\nTYPED\n", out.String())

	out.Reset()
	code, err = c.Attach(t.Context(), "hello", "hello-run-aaaaa", control.Terminal{Stdout: &out})
	require.NoError(t, err, "when it is over there is still its log and its end")
	assert.Equal(t, 3, code)
	assert.Equal(t, "said before anybody came\nTYPED\n", out.String())
}

func TestAttachTerminal(t *testing.T) {
	s, c := newSimulation(t)
	k := newKubelet(s)
	s.playJobs(nil)
	require.NoError(t, c.EnsureApp(t.Context(), webDeployment(2).App))
	j := oneOff("hello-run-aaaaa")
	j.Stdin, j.TTY = true, true
	require.NoError(t, c.StartJob(t.Context(), webDeployment(2), j))
	k.say("hello-run-aaaaa-0", at(1), "welcome")
	k.say("hello-run-aaaaa-0", at(2), "twice told")
	k.command = func(w *wire) int {
		w.say(1, "twice told\r\n$ ")
		w.say(1, <-w.input)
		k.end("hello-run-aaaaa-0")
		s.endJob("hello-run-aaaaa", exits(6))
		return 0
	}
	var out bytes.Buffer
	code, err := c.Attach(t.Context(), "hello", "hello-run-aaaaa", control.Terminal{Stdin: strings.NewReader("exit 6"), Stdout: &out, TTY: true})
	require.NoError(t, err)
	assert.Equal(t, 6, code)
	assert.Equal(t, "welcome\r\ntwice told\r\n$ exit 6", out.String())
}

// A program that waits at a prompt nobody saw is made to write it again.
func TestAttachToSilence(t *testing.T) {
	s, c := newSimulation(t)
	k := newKubelet(s)
	s.playJobs(nil)
	require.NoError(t, c.EnsureApp(t.Context(), webDeployment(2).App))
	j := oneOff("hello-run-aaaaa")
	j.Stdin, j.TTY = true, true
	require.NoError(t, c.StartJob(t.Context(), webDeployment(2), j))
	k.command = func(w *wire) int {
		first := <-w.sizes
		assert.NotEqual(t, first, <-w.sizes)
		assert.Equal(t, first, <-w.sizes)
		w.say(1, "$ ")
		k.end("hello-run-aaaaa-0")
		s.endJob("hello-run-aaaaa", exits(0))
		return 0
	}
	resize := make(chan control.Size, 1)
	resize <- control.Size{Width: 80, Height: 24}
	var out bytes.Buffer
	_, err := c.Attach(t.Context(), "hello", "hello-run-aaaaa", control.Terminal{Stdout: &out, TTY: true, Resize: resize})
	require.NoError(t, err)
	assert.Equal(t, "$ ", out.String())
}

func TestAttachThatCannotBegin(t *testing.T) {
	s, c := newSimulation(t)
	newKubelet(s)
	s.playJobs(waiting("InvalidImageName", "bad"))
	require.NoError(t, c.EnsureApp(t.Context(), webDeployment(2).App))
	require.NoError(t, c.StartJob(t.Context(), webDeployment(2), oneOff("hello-run-aaaaa")))
	_, err := c.Attach(t.Context(), "hello", "hello-run-aaaaa", control.Terminal{Stdout: io.Discard})
	assert.Equal(t, platform.Unprocessable, platform.CodeOf(err))
	assert.ErrorContains(t, err, "no valid name")
	_, err = c.Attach(t.Context(), "hello", "absent", control.Terminal{Stdout: io.Discard})
	assert.Equal(t, platform.NotFound, platform.CodeOf(err))
}

// What went in the moment between being found and being followed is not
// waited for.
func TestBegunAfterRemoval(t *testing.T) {
	_, c := newSimulation(t)
	w, err := c.watchJob(t.Context(), "hello", "hello-run-aaaaa")
	require.NoError(t, err)
	defer w.stop()
	_, err = c.begun(t.Context(), w)
	assert.Equal(t, platform.NotFound, platform.CodeOf(err))
	assert.ErrorContains(t, err, "was removed")
}

func TestOverlap(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{{"", "x", 0}, {"abc", "", 0}, {"abc", "cd", 1}, {"abab", "abx", 2}, {"abc", "abc", 3}, {"abc", "xabc", 0}} {
		assert.Equal(t, tc.want, overlap([]byte(tc.a), []byte(tc.b)), tc)
	}
}
