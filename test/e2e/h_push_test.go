//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
)

// pushLimit is how long one push may take, with its build and its rollout.
const pushLimit = 5 * time.Minute

// tree is what a developer has in a folder: file → content.
type tree map[string]string

func (t tree) with(name, content string) tree {
	c := maps.Clone(t)
	c[name] = content
	return c
}

// dockerfileApp is an app of a Dockerfile that serves one line.
func dockerfileApp(line string) tree {
	return tree{
		"Dockerfile": "FROM busybox\nCOPY index.html /www/\nRUN test -s /www/index.html\nCMD [\"sh\", \"-c\", \"exec httpd -f -p $PORT -h /www\"]\n",
		"index.html": line + "\n",
	}
}

// developer has a folder with a repository, a key, and an app to push to.
type developer struct {
	s   *story
	app string
	dir string
	env []string
}

// newDeveloper makes app and key, the key in the platform too.
func (s *story) newDeveloper(t *testing.T, app string) *developer {
	t.Helper()
	home := t.TempDir()
	d := &developer{s: s, app: app, dir: filepath.Join(home, app)}
	key := filepath.Join(home, "key")
	_, err := s.m.Output(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", app, "-f", key)
	require.NoError(t, err)
	public, err := os.ReadFile(key + ".pub")
	require.NoError(t, err)
	_, err = s.client.Call(t.Context(), "POST", "/keys/", map[string]string{"id": app, "public": strings.TrimSpace(string(public))}, nil)
	require.NoError(t, err)
	_, err = s.client.CreateApp(t.Context(), app, "")
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		assert.NoError(t, s.client.DeleteApp(ctx, app))
		_, err := s.client.Call(ctx, "DELETE", "/keys/"+app, nil, nil)
		assert.NoError(t, err)
	})
	// Not every resolver knows that names below localhost are this machine.
	ssh := "ssh -i " + key + " -o IdentitiesOnly=yes -o BatchMode=yes -o HostName=127.0.0.1 -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=" + filepath.Join(home, "known")
	d.env = []string{
		"GIT_SSH_COMMAND=" + ssh, "HOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=dev", "GIT_AUTHOR_EMAIL=dev@example.com", "GIT_COMMITTER_NAME=dev", "GIT_COMMITTER_EMAIL=dev@example.com",
	}
	require.NoError(t, os.MkdirAll(d.dir, 0o755))
	d.git(t, "init", "-q", "-b", "main")
	d.git(t, "remote", "add", "drycc", "ssh://git@drycc-builder."+domain+":2222/"+app+".git")
	return d
}

func (d *developer) git(t *testing.T, args ...string) string {
	t.Helper()
	r, err := d.s.m.RunEnv(t.Context(), d.env, "git", append([]string{"-C", d.dir}, args...)...)
	require.NoError(t, err)
	require.Equal(t, 0, r.Code, "git %s\n%s%s", strings.Join(args, " "), r.Stdout, r.Stderr)
	return r.Stdout
}

// commit makes the folder hold the tree and nothing else, and commits it.
func (d *developer) commit(t *testing.T, files tree) {
	t.Helper()
	d.git(t, "rm", "-rqf", "--ignore-unmatch", ".")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(d.dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(files[name]), 0o644))
	}
	d.git(t, "add", "-A")
	d.git(t, "commit", "-qm", "a step")
}

// push pushes and returns what the developer reads.
func (d *developer) push(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	if len(args) == 0 {
		args = []string{"main"}
	}
	ctx, cancel := context.WithTimeout(t.Context(), pushLimit)
	defer cancel()
	r, err := d.s.m.RunEnv(ctx, d.env, "git", append([]string{"-C", d.dir, "push", "drycc"}, args...)...)
	require.NoError(t, err)
	t.Logf("git push drycc %s: %.1fs, code %d\n%s", strings.Join(args, " "), r.Took.Seconds(), r.Code, r.Stderr)
	return r.Stderr, r.Code == 0
}

// pushed commits, pushes, and waits until the app answers with the line.
func (d *developer) pushed(t *testing.T, files tree, line string) string {
	t.Helper()
	d.commit(t, files)
	out, ok := d.push(t)
	require.True(t, ok, out)
	d.serves(t, line)
	return out
}

func (d *developer) serves(t *testing.T, line string) {
	t.Helper()
	d.s.answers(t, d.app, time.Minute, func(body string) error {
		if !strings.Contains(body, line) {
			return fmt.Errorf("it answers %q, not %q", body, line)
		}
		return nil
	})
}

// release is the version of the newest release.
func (d *developer) release(t *testing.T) int {
	t.Helper()
	r, err := d.s.client.Latest(t.Context(), d.app)
	require.NoError(t, err)
	return r.Version
}

// pushDockerfile: the gesture itself, and what goes wrong with it.
func (s *story) pushDockerfile(t *testing.T) {
	d := s.newDeveloper(t, "pushed")
	out := d.pushed(t, dockerfileApp("first"), "first")
	assert.Contains(t, out, "---> ", "the log is the guide's")
	assert.Contains(t, out, "http://pushed."+domain, "and ends with the address")
	version := d.release(t)

	d.commit(t, dockerfileApp("broken").with("Dockerfile", "FROM busybox\nRUN echo this step fails && exit 3\n"))
	out, ok := d.push(t)
	assert.False(t, ok, "a failed build refuses the push")
	assert.Contains(t, out, "this step fails", "and shows the step")
	assert.Equal(t, version, d.release(t), "without a release")
	d.serves(t, "first")

	d.git(t, "reset", "-q", "--hard", "HEAD~1")
	d.pushed(t, dockerfileApp("second"), "second")
	d.git(t, "commit", "-q", "--amend", "-m", "told otherwise", "--allow-empty")
	out, ok = d.push(t, "--force", "main")
	require.True(t, ok, out)
	d.serves(t, "second")
}

// pushLanguages: each language that the carried builder knows.
func (s *story) pushLanguages(t *testing.T) {
	for name, files := range map[string]tree{
		"golang": {
			"go.mod":  "module example.com/hello\n\ngo 1.21\n",
			"main.go": "package main\n\nimport (\n\t\"fmt\"\n\t\"net/http\"\n\t\"os\"\n)\n\nfunc main() {\n\thttp.HandleFunc(\"/\", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, \"hello from golang\") })\n\tif err := http.ListenAndServe(\":\"+os.Getenv(\"PORT\"), nil); err != nil {\n\t\tpanic(err)\n\t}\n}\n",
		},
		"nodejs": {
			"package.json": "{\"name\": \"hello\", \"version\": \"1.0.0\", \"scripts\": {\"start\": \"node server.js\"}}\n",
			"server.js":    "require('http').createServer((_, res) => res.end('hello from nodejs\\n')).listen(process.env.PORT)\n",
		},
		"static": {"public/index.html": "hello from static\n"},
	} {
		t.Run(name, func(t *testing.T) {
			d := s.newDeveloper(t, "push-"+name)
			d.pushed(t, files, "hello from "+name)
		})
	}
}

// pushPipelines: two process types, each with an image of its own.
func (s *story) pushPipelines(t *testing.T) {
	d := s.newDeveloper(t, "pipelines")
	web := "kind: pipeline\nptype: web\nbuild:\n  docker: Dockerfile\ndeploy:\n  command: [sh, -c]\n  args: [\"exec httpd -f -p $PORT -h /www\"]\n"
	worker := "kind: pipeline\nptype: worker\nbuild:\n  docker: worker.Dockerfile\nrun:\n  command: [sh, -c]\n  args: [\"echo prepared\"]\ndeploy:\n  command: [sh, -c]\n  args: [\"while true; do date; sleep 5; done\"]\n"
	d.pushed(t, dockerfileApp("in a pipeline").
		with(".drycc/web.yaml", web).with(".drycc/worker.yaml", worker).
		with("worker.Dockerfile", "FROM busybox\nRUN true\n"), "in a pipeline")
	_, err := s.client.Call(t.Context(), "POST", "/apps/"+d.app+"/ptypes/scale/", map[string]int{"worker": 1}, nil)
	require.NoError(t, err)
	require.NoError(t, appliance.Eventually(t.Context(), time.Minute, func(ctx context.Context) error {
		pods, err := s.client.Pods(ctx, d.app)
		if err == nil && !slices.ContainsFunc(pods, func(p appliance.Pod) bool { return p.Type == "worker" && p.State == "up" }) {
			return fmt.Errorf("no worker among %+v", pods)
		}
		return err
	}))
}
