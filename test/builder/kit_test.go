//go:build e2e

package builder

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/build"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/kube"
)

const patience = 3 * time.Minute

// kit is the appliance under test.
type kit struct {
	*testing.T
	engine   *build.Engine
	pod      *kube.Program
	client   *kubernetes.Clientset
	registry build.Registry
}

func newKit(t *testing.T, change ...func(*build.Options)) *kit {
	kubeconfig := os.Getenv("KUBECONFIG")
	require.NotEmpty(t, kubeconfig, "KUBECONFIG has to name a cluster")
	cluster, err := kube.New(kube.Options{Kubeconfig: kubeconfig})
	require.NoError(t, err)
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	require.NoError(t, err)
	client, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	k := &kit{T: t, client: client, registry: nodeRegistry(t), pod: cluster.Program("builder", 30*time.Second)}
	opts := build.Options{Pod: k.pod, Registry: k.registry, Domain: "slipway.localhost", Free: 1 << 30}
	for _, c := range change {
		c(&opts)
	}
	k.engine = build.New(opts)
	return k
}

// nodeRegistry reads how the node reaches the platform's registry.
func nodeRegistry(t *testing.T) build.Registry {
	raw, err := os.ReadFile("/etc/rancher/k3s/registries.yaml")
	require.NoError(t, err)
	var file struct {
		Configs map[string]struct {
			Auth struct{ Username, Password string }
		}
	}
	require.NoError(t, yaml.Unmarshal(raw, &file))
	for address, c := range file.Configs {
		return build.Registry{Address: address, Username: c.Auth.Username, Password: c.Auth.Password}
	}
	t.Fatal("registries.yaml names no registry")
	return build.Registry{}
}

// app is a new one, whose images go when the test ends.
func (k *kit) app() platform.App {
	id := uuid.NewString()
	a := platform.App{ID: "buildtest-" + id[:8], UUID: id}
	k.Cleanup(func() { k.forget(a.ID + "/" + a.ID) })
	return a
}

// forget removes all tags of a repository, with what they name.
func (k *kit) forget(repository string) {
	repo, err := name.NewRepository(k.registry.Address+"/"+repository, name.Insecure)
	require.NoError(k, err)
	auth := remote.WithAuth(&authn.Basic{Username: k.registry.Username, Password: k.registry.Password})
	tags, err := remote.List(repo, auth)
	if err != nil {
		return // nothing was pushed
	}
	for _, tag := range tags {
		if d, err := remote.Head(repo.Tag(tag), auth); err == nil {
			_ = remote.Delete(repo.Digest(d.Digest.String()), auth)
		}
	}
}

// source is a tree as a tar file.
func source(t *testing.T, files map[string]string) string {
	name := filepath.Join(t.TempDir(), "source.tar")
	f, err := os.Create(name)
	require.NoError(t, err)
	w := tar.NewWriter(f)
	for file, content := range files {
		mode := int64(0o644)
		if strings.HasSuffix(file, ".sh") {
			mode = 0o755
		}
		require.NoError(t, w.WriteHeader(&tar.Header{
			Name: file, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(content)), ModTime: time.Unix(1700000000, 0),
		}))
		_, err := io.WriteString(w, content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
	return name
}

// log collects a build's lines and can be waited on.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func newLog() *log { return &log{more: make(chan struct{}, 1)} }

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// has waits until the log has a text.
func (l *log) has(t *testing.T, text string) {
	deadline := time.After(patience)
	for !strings.Contains(l.String(), text) {
		select {
		case <-l.more:
		case <-deadline:
			t.Fatalf("the log never had %q:\n%s", text, l)
		}
	}
}

// build builds files for an app.
func (k *kit) build(ctx context.Context, a platform.App, files, config map[string]string) (control.NewBuild, string, error) {
	out := newLog()
	n, err := k.engine.Build(ctx, control.BuildOrder{
		ID: uuid.NewString(), App: a, SHA: "0123456789abcdef0123456789abcdef01234567", Tar: source(k.T, files), Config: config, Release: 2,
	}, out)
	k.Logf("log:\n%serror: %v", out, err)
	return n, out.String(), err
}

// run runs an image until its process ends and returns what it said.
func (k *kit) run(image string, args ...string) string {
	ctx, cancel := context.WithTimeout(k.Context(), patience)
	defer cancel()
	namespace := "slipway-" + k.app().ID
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	_, err := k.client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})
	require.NoError(k, err)
	defer func() {
		_ = k.client.CoreV1().Namespaces().Delete(context.WithoutCancel(ctx), namespace, metav1.DeleteOptions{})
	}()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "run-", Namespace: namespace},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: new(bool),
			Containers: []corev1.Container{{Name: "main", Image: image, Args: args}},
		},
	}
	pod, err = k.client.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{})
	require.NoError(k, err)
	k.ended(ctx, namespace, pod.Name)
	said, err := k.client.CoreV1().Pods(namespace).GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
	require.NoError(k, err)
	return string(said)
}

// ended waits until a pod has ended well.
func (k *kit) ended(ctx context.Context, namespace, pod string) {
	w, err := k.client.CoreV1().Pods(namespace).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + pod})
	require.NoError(k, err)
	defer w.Stop()
	for e := range w.ResultChan() {
		p, ok := e.Object.(*corev1.Pod)
		if !ok {
			continue
		}
		switch p.Status.Phase {
		case corev1.PodSucceeded:
			return
		case corev1.PodFailed:
			k.Fatalf("the image failed: %+v", p.Status.ContainerStatuses)
		}
	}
	k.Fatal("the pod never ended")
}

// order is one for a new app.
func order(k *kit, files map[string]string) control.BuildOrder {
	return control.BuildOrder{ID: uuid.NewString(), App: k.app(), SHA: "0123456789abcdef", Tar: source(k.T, files), Release: 2}
}

// running lists the processes of this machine with marker in their arguments.
func running(t *testing.T, marker string) []string {
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var out []string
	for _, name := range found {
		if raw, err := os.ReadFile(name); err == nil && bytes.Contains(raw, []byte(marker)) {
			out = append(out, strings.ReplaceAll(string(raw), "\x00", " "))
		}
	}
	return out
}

// gone waits until no such process is left.
func gone(t *testing.T, marker string) {
	require.Eventually(t, func() bool { return len(running(t, marker)) == 0 }, time.Minute, 50*time.Millisecond, "it runs on")
}

// builder identifies the builder's pod and how often it was restarted.
func (k *kit) builder() string {
	list, err := k.client.CoreV1().Pods("drycc").List(k.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=builder"})
	require.NoError(k, err)
	require.Len(k, list.Items, 1)
	status := list.Items[0].Status.ContainerStatuses[0]
	return status.ContainerID
}
