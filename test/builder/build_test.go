//go:build e2e

package builder

import (
	"context"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

// dockerfile makes an image that says what is in it.
const dockerfile = `# syntax=docker/dockerfile:1
FROM busybox
ARG CODENAME=none
RUN echo "made with $CODENAME" > /made
COPY . /app
CMD ["cat", "/made", "/app/index.html"]
`

func TestRealDockerfile(t *testing.T) {
	k := newKit(t)
	a := k.app()
	n, log, err := k.build(t.Context(), a, map[string]string{"Dockerfile": dockerfile, "index.html": "hello"}, nil)
	require.NoError(t, err)
	assert.Equal(t, "registry.slipway.localhost/"+a.ID+"/"+a.ID+":git-01234567", n.Image)
	assert.Equal(t, dockerfile, n.Dockerfile)
	assert.Contains(t, log, "---> [2/3] RUN echo")
	assert.Equal(t, "made with none\nhello", k.run(n.Image))

	again, log, err := k.build(t.Context(), a, map[string]string{"Dockerfile": dockerfile, "index.html": "hello"}, nil)
	require.NoError(t, err)
	assert.Equal(t, n.Image, again.Image, "the same source is the same image")
	assert.Contains(t, log, "(cached)")

	changed, log, err := k.build(t.Context(), a, map[string]string{"Dockerfile": dockerfile, "index.html": "hello"},
		map[string]string{"DRYCC_DOCKER_BUILD_ARGS_ENABLED": "1", "CODENAME": "bookworm", "DRYCC_DISABLE_CACHE": "1"})
	require.NoError(t, err)
	assert.Equal(t, n.Image+".v2", changed.Image, "a name that a release may pull by stays what it is")
	assert.NotContains(t, log, "(cached)")
	assert.Equal(t, "made with bookworm\nhello", k.run(changed.Image))
}

// TestRealChangedSource: a file of the same size and time is the new one.
func TestRealChangedSource(t *testing.T) {
	k := newKit(t)
	a := k.app()
	for _, word := range []string{"one", "two"} {
		n, _, err := k.build(t.Context(), a, map[string]string{"Dockerfile": dockerfile, "index.html": word}, nil)
		require.NoError(t, err)
		require.Equal(t, "made with none\n"+word, k.run(n.Image))
	}
}

func TestRealPipelines(t *testing.T) {
	k := newKit(t)
	n, _, err := k.build(t.Context(), k.app(), map[string]string{
		"Dockerfile":        "FROM busybox\nCMD [\"echo\", \"web\"]\n",
		"worker/Dockerfile": "FROM busybox\nARG NAME\nRUN echo $NAME > /name\nCMD [\"cat\", \"/name\"]\n",
		".drycc/web.yaml":   "kind: pipeline\nptype: web\nbuild:\n  docker: Dockerfile\ndeploy: {}\n",
		".drycc/worker.yml": "kind: pipeline\nptype: worker\nbuild:\n  docker: worker/Dockerfile\n  arg:\n    NAME: bee\ndeploy: {}\n",
		".drycc/config/jvm": "OPTIONS=-X\n",
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, "web\n", k.run(n.Image))
	assert.Equal(t, "bee\n", k.run(n.Image+"-worker"))
	assert.Contains(t, string(n.Dryccfile), `"OPTIONS":"-X"`)
}

// TestRealBroken: what is wrong with the source is said in words, with the
// step, and nothing of it is named in the registry.
func TestRealBroken(t *testing.T) {
	for _, tt := range []struct {
		name, dockerfile string
		want             []string
	}{
		{"failing step", "FROM busybox\nRUN echo working && exit 3\n", []string{`"[2/2] RUN echo working && exit 3"`, "Dockerfile, line 2", "exit code: 3"}},
		{"unknown instruction", "FROM busybox\nRUNN true\n", []string{"unknown instruction: RUNN", "line 2"}},
		{"missing file", "FROM busybox\nCOPY nothing /\n", []string{"nothing", "not found"}},
		{"no base image", "FROM registry.slipway.localhost:1/none:1\n", []string{"registry.slipway.localhost:1/none:1"}},
		{"empty", " \n", []string{"Dockerfile is empty"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newKit(t)
			a := k.app()
			_, _, err := k.build(t.Context(), a, map[string]string{"Dockerfile": tt.dockerfile}, nil)
			require.Equal(t, platform.Invalid, platform.CodeOf(err), "%v", err)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func TestRealTwoAtOnce(t *testing.T) {
	k := newKit(t)
	var group sync.WaitGroup
	for _, word := range []string{"one", "two"} {
		group.Go(func() {
			n, _, err := k.build(t.Context(), k.app(), map[string]string{
				// Both listen on the same port: they are on different networks.
				"Dockerfile": "FROM busybox\nRUN (echo " + word + " | nc -l -p 5432 > /dev/null) & sleep 2; nc 127.0.0.1 5432 < /dev/null > /word\nCMD [\"cat\", \"/word\"]\n",
			}, nil)
			if assert.NoError(t, err) {
				assert.Equal(t, word+"\n", k.run(n.Image))
			}
		})
	}
	group.Wait()
}

// TestRealCancel: a build whose pusher is gone does not run on.
func TestRealCancel(t *testing.T) {
	k := newKit(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := newLog()
	done := make(chan error, 1)
	marker := "cancel" + k.app().UUID
	go func() {
		_, err := k.engine.Build(ctx, order(k, map[string]string{
			"Dockerfile": "FROM busybox\nRUN echo be''gun; sh -c 'sleep 600; echo " + marker + "'\n",
		}), out)
		done <- err
	}()
	out.has(t, "\nbegun\n")
	require.NotEmpty(t, running(t, marker))
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	gone(t, marker)
}

// TestRealKilled: the build of a platform that is killed does not run on.
func TestRealKilled(t *testing.T) {
	if marker := os.Getenv("SLIPWAY_BUILD_TEST_MARKER"); marker != "" {
		k := newKit(t) // the child, which is killed
		_, _ = k.engine.Build(t.Context(), order(k, map[string]string{
			"Dockerfile": "FROM busybox\nRUN sh -c 'sleep 600; echo " + marker + "'\n",
		}), io.Discard)
		return
	}
	newKit(t)
	marker := "killed" + uuid.NewString()
	child := exec.Command(os.Args[0], "-test.run", "^TestRealKilled$")
	child.Env = append(os.Environ(), "SLIPWAY_BUILD_TEST_MARKER="+marker)
	require.NoError(t, child.Start())
	require.Eventually(t, func() bool { return len(running(t, marker)) > 0 }, patience, 50*time.Millisecond, "it never began")
	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	gone(t, marker)
}
