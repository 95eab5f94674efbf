//go:build e2e

package builder

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/embedded"
	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/build"
	"github.com/slipway-paas/slipway/platform/control"
)

// payloadDir is where `make payload` puts what the program carries.
const payloadDir = "../../embedded/payload"

// newPacksKit is a kit with the carried buildpacks.
func newPacksKit(t *testing.T) *kit {
	require.FileExists(t, payloadDir+"/"+embedded.PayloadFile, "run make payload first")
	return newKit(t, func(o *build.Options) {
		o.Packer = build.NewPacks(build.PacksOptions{
			Pod: o.Pod, Registry: o.Registry, Aliases: []string{"registry." + o.Domain}, Free: o.Free,
			Layout: func() (fs.FS, error) { return embedded.PacksFS(os.DirFS(payloadDir)) },
		})
	})
}

// serves runs a process of a build until the test ends, and gives the address
// at which it answers.
func (k *kit) serves(n control.NewBuild, ptype string) string {
	ctx := k.Context()
	b := platform.Build{Image: n.Image, Stack: n.Stack, SHA: n.SHA, Dockerfile: n.Dockerfile, Procfile: n.Procfile, Dryccfile: n.Dryccfile}
	launch, err := b.Launch(ptype)
	require.NoError(k, err)
	namespace := "slipway-packs-" + uuid.NewString()[:8]
	_, err = k.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	require.NoError(k, err)
	k.Cleanup(func() {
		assert.NoError(k, k.client.CoreV1().Namespaces().Delete(context.Background(), namespace, metav1.DeleteOptions{GracePeriodSeconds: new(int64)}))
	})
	pod, err := k.client.CoreV1().Pods(namespace).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: new(bool), TerminationGracePeriodSeconds: new(int64),
			Containers: []corev1.Container{{Name: "main", Image: launch.Image, Command: launch.Command, Args: launch.Args,
				Env: []corev1.EnvVar{{Name: "PORT", Value: "5000"}, {Name: "WORKFLOW_RELEASE", Value: "v2"}}}},
		},
	}, metav1.CreateOptions{})
	require.NoError(k, err)
	address := ""
	require.Eventually(k, func() bool {
		p, err := k.client.CoreV1().Pods(namespace).Get(ctx, pod.Name, metav1.GetOptions{})
		if err != nil || p.Status.PodIP == "" {
			return false
		}
		address = "http://" + p.Status.PodIP + ":5000"
		answer, err := http.Get(address + "/")
		if err != nil {
			return false
		}
		return answer.Body.Close() == nil
	}, patience, 50*time.Millisecond, "the app never answered")
	return address
}

func get(t *testing.T, address string) (int, string) {
	answer, err := http.Get(address)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(body)
}

const goServer = `package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Powered by", word, os.Getenv("WORKFLOW_RELEASE"))
	})
	panic(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}

`

func TestRealPacksGo(t *testing.T) {
	k := newPacksKit(t)
	a := k.app()
	files := map[string]string{
		"Procfile": "web: hello\nworker: hello worker\n", "go.mod": "module example.com/hello\n\ngo 1.22\n",
		"main.go": goServer + "const word = \"one\"\n",
	}
	config := map[string]string{"DRYCC_STACK": "buildpack"}
	n, log, err := k.build(t.Context(), a, files, config)
	require.NoError(t, err)
	assert.Equal(t, "buildpack", n.Stack)
	assert.Empty(t, n.Dockerfile)
	assert.Equal(t, map[string]string{"web": "hello", "worker": "hello worker"}, n.Procfile)
	assert.Contains(t, log, "---> Go buildpack")
	_, said := get(t, k.serves(n, "web"))
	assert.Equal(t, "Powered by one v2\n", said)
	_, said = get(t, k.serves(n, "worker"))
	assert.Equal(t, "Powered by one v2\n", said)

	start := time.Now()
	files["main.go"] = goServer + "const word = \"two\"\n"
	n, log, err = k.build(t.Context(), a, files, config)
	require.NoError(t, err)
	t.Logf("the second build took %s", time.Since(start))
	assert.Contains(t, log, `Restoring data for "slipway/go:cache" from cache`)
	_, said = get(t, k.serves(n, "web"))
	assert.Equal(t, "Powered by two v2\n", said)
}

func TestRealPacksNode(t *testing.T) {
	k := newPacksKit(t)
	a := k.app()
	files := map[string]string{
		"package.json": `{"name": "hello", "version": "1.0.0", "engines": {"node": ">=18"}, "dependencies": {"word": "file:./word"}, "scripts": {"start": "node server.js"}}`,
		"package-lock.json": `{"name": "hello", "version": "1.0.0", "lockfileVersion": 3, "packages": {
			"": {"name": "hello", "version": "1.0.0", "dependencies": {"word": "file:./word"}},
			"node_modules/word": {"resolved": "word", "link": true}, "word": {"version": "1.0.0"}}}`,
		"word/package.json": `{"name": "word", "version": "1.0.0", "main": "index.js"}`,
		"word/index.js":     `module.exports = "a word"`,
		"server.js":         `require("http").createServer((q, a) => a.end(require("word") + " " + process.env.NODE_ENV + "\n")).listen(process.env.PORT)`,
	}
	config := map[string]string{"DRYCC_STACK": "buildpack"}
	n, log, err := k.build(t.Context(), a, files, config)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"web": "node server.js"}, n.Procfile)
	assert.Contains(t, log, "npm ci")
	_, said := get(t, k.serves(n, "web"))
	assert.Equal(t, "a word production\n", said)

	start := time.Now()
	_, log, err = k.build(t.Context(), a, files, config)
	require.NoError(t, err)
	t.Logf("the second build took %s", time.Since(start))
	assert.Contains(t, log, "The packages are those of the last build")
	assert.Contains(t, log, "Reusing layer 'slipway/nodejs:node'")
	assert.NotContains(t, log, "npm ci")

	files["package.json"] = strings.Replace(files["package.json"], ">=18", "^12", 1)
	_, _, err = k.build(t.Context(), a, files, config)
	assert.Equal(t, platform.Invalid, platform.CodeOf(err), "%v", err)
}

func TestRealPacksStatic(t *testing.T) {
	k := newPacksKit(t)
	n, log, err := k.build(t.Context(), k.app(), map[string]string{
		"public/index.html": "<h1>hello</h1>\n", "public/404.html": "not here\n", "public/about.html": "about\n", "README.md": "x",
	}, map[string]string{"DRYCC_STACK": "buildpack"})
	require.NoError(t, err)
	assert.Contains(t, log, "serves the folder public")
	address := k.serves(n, "web")
	for path, want := range map[string]string{"/": "200 <h1>hello</h1>\n", "/about": "200 about\n", "/none": "404 not here\n"} {
		status, said := get(t, address+path)
		assert.Equal(t, want, fmt.Sprintf("%d %s", status, said), path)
	}
}

func TestRealPacksProcfile(t *testing.T) {
	k := newPacksKit(t)
	n, _, err := k.build(t.Context(), k.app(), map[string]string{
		"Procfile": "web: ./serve.sh $PORT\nclock: while true; do date; sleep 60; done\n",
		"serve.sh": "#!/bin/sh\nexec busybox httpd -f -p \"$1\" -h www\n", "www/index.html": "by a script\n",
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, "./serve.sh $PORT", n.Procfile["web"])
	_, said := get(t, k.serves(n, "web"))
	assert.Equal(t, "by a script\n", said)
}

// TestRealPacksBroken: what is wrong with the source is said in words.
func TestRealPacksBroken(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"nothing known", map[string]string{"README.md": "x"}, "No buildpack fits"},
		{"does not compile", map[string]string{"go.mod": "module m\n\ngo 1.22\n", "main.go": "package main\n\nfunc main() { nothing() }\n"}, "could not build"},
		{"foreign builder", map[string]string{"Procfile": "web: x", ".pack-builder": "registry.slipway.localhost/other/other:1\n"}, "not this app's"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newPacksKit(t)
			_, _, err := k.build(t.Context(), k.app(), tt.files, map[string]string{"DRYCC_STACK": "buildpack"})
			require.Equal(t, platform.Invalid, platform.CodeOf(err), "%v", err)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

// TestRealPacksHostile: what a source runs while it is built never sees the
// registry's password, nor can it have our own phases show or read what is not
// its app's.
func TestRealPacksHostile(t *testing.T) {
	k := newPacksKit(t)
	_, log, err := k.build(t.Context(), k.app(), map[string]string{
		"package.json": `{"name": "x", "version": "1.0.0", "scripts": {"build": "sh ./attack.sh", "start": "node server.js"}}`,
		"server.js":    "",
		"attack.sh": `env | grep -i auth && echo SEEN-AUTH
grep -a AUTH /proc/*/environ 2>/dev/null && echo SEEN-ENVIRON
ls /run/secrets /cache 2>/dev/null && echo SEEN-SECRETS
echo "[run-image]" > /analyzed/analyzed.toml && echo WROTE-ANALYZED
ln -sf /proc/self/environ /layers/slipway_nodejs/store.toml
echo attacked
`,
	}, map[string]string{"DRYCC_STACK": "buildpack"})
	// It may fail, as long as it is the source's fault.
	assert.True(t, err == nil || platform.CodeOf(err) == platform.Invalid, "%v", err)
	assert.Contains(t, log, "attacked")
	for _, bad := range []string{"SEEN-", "WROTE-", k.registry.Password, "CNB_REGISTRY_AUTH"} {
		assert.NotContains(t, log, bad)
	}
}
