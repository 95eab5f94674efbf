//go:build e2e

package kube

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// TestRealVolumes walks a volume through its life on the cluster of
// KUBECONFIG. SLIPWAY_FILER_IMAGE and SLIPWAY_BUSYBOX_IMAGE are references of
// images on its nodes. The steps build on each other.
func TestRealVolumes(t *testing.T) {
	t.Parallel()
	r := newRealVolume(t)
	for _, step := range []struct {
		name string
		run  func(*realVolume, *testing.T)
	}{
		{"create", (*realVolume).create},
		{"mount", (*realVolume).mount},
		{"files", (*realVolume).files},
		{"redeploy", (*realVolume).redeploy},
		{"expand", (*realVolume).expand},
		{"filer ends", (*realVolume).filerEnds},
		{"in use", (*realVolume).inUse},
		{"nfs", (*realVolume).nfs},
		{"delete", (*realVolume).delete},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.run(r, t) }) {
			t.FailNow()
		}
	}
}

type realVolume struct {
	c       *Cluster
	app     platform.App
	v       platform.Volume
	spare   platform.Volume // mounted from the second release on
	version int
	filer   control.Filer
}

func newRealVolume(t *testing.T) *realVolume {
	for _, name := range []string{"KUBECONFIG", "SLIPWAY_FILER_IMAGE", "SLIPWAY_BUSYBOX_IMAGE"} {
		require.NotEmpty(t, os.Getenv(name), "%s has to be set", name)
	}
	c, err := New(Options{Kubeconfig: os.Getenv("KUBECONFIG"), FilerImage: os.Getenv("SLIPWAY_FILER_IMAGE")})
	require.NoError(t, err)
	app := platform.App{ID: fmt.Sprintf("kubetest-volumes-%d", os.Getpid()), Workspace: "volumetest"}
	r := &realVolume{c: c, app: app, v: platform.Volume{
		UUID: fmt.Sprintf("00000000-0000-4000-8000-%012d", os.Getpid()), App: app.ID, Name: "data",
		Type: platform.VolumeCSI, Size: "200M", Path: map[string]string{},
	}}
	r.spare = r.v
	r.spare.Name, r.spare.UUID = "spare", "00000000-0000-4000-8000-000000000001"
	t.Cleanup(func() { assert.NoError(t, c.DeleteApp(context.Background(), app.ID)) })
	require.NoError(t, c.EnsureApp(t.Context(), app))
	return r
}

func (r *realVolume) claim(t *testing.T, name string) *corev1.PersistentVolumeClaim {
	t.Helper()
	claim, err := r.c.core.CoreV1().PersistentVolumeClaims(r.app.ID).Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	return claim
}

func (r *realVolume) create(t *testing.T) {
	require.NoError(t, r.c.EnsureVolume(t.Context(), r.app, r.v))
	require.NoError(t, r.c.EnsureVolume(t.Context(), r.app, r.v), "again changes nothing")
	claim := r.claim(t, "data")
	assert.Equal(t, "200Mi", claim.Spec.Resources.Requests.Storage().String())
}

// release runs two pods of one process type, which become ready when all
// that ready names is in the volume, and each leave a file of their own.
func (r *realVolume) release(t *testing.T, mounts []platform.Mount, ready string) error {
	t.Helper()
	r.version++
	d := control.Deployment{
		App: r.app, Release: platform.Release{App: r.app.ID, Version: r.version, Summary: "volumetest"},
		Processes: []control.Process{{
			Ptype: "worker", Replicas: 2, Image: os.Getenv("SLIPWAY_BUSYBOX_IMAGE"), Mounts: mounts,
			Command: []string{"sh", "-c", fmt.Sprintf("touch /data/v%d-$HOSTNAME; exec sleep 3600", r.version)},
			Env:     map[string]string{"VERSION": versionName(r.version)}, Grace: time.Second, Timeout: time.Minute,
			Plan: control.Plan{ID: "test", CPULimit: 200, CPURequest: 5, MemoryLimit: 32 << 20, MemoryRequest: 4 << 20},
			Healthcheck: map[string]any{"readinessProbe": map[string]any{
				"exec": map[string]any{"command": []any{"sh", "-c", ready}}, "periodSeconds": 1,
			}},
		}},
	}
	if len(mounts) > 0 {
		d.Volumes = []platform.Volume{r.v}
	}
	begin := time.Now()
	err := r.c.Apply(t.Context(), d)
	t.Logf("v%d after %s: %v", r.version, time.Since(begin).Round(time.Millisecond), err)
	return err
}

func (r *realVolume) data() []platform.Mount {
	return []platform.Mount{{Volume: "data", Path: "/data"}}
}

func (r *realVolume) mount(t *testing.T) {
	require.NoError(t, r.release(t, r.data(), "true"))
	claim := r.claim(t, "data")
	assert.Equal(t, corev1.ClaimBound, claim.Status.Phase)
	assert.Equal(t, []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, claim.Spec.AccessModes, "all that the carried class knows")
}

// dav asks the filer and returns the status and the body.
func (r *realVolume) dav(t *testing.T, user, password, method, path, body string, headers map[string]string) (int, string) {
	t.Helper()
	address, err := r.c.FindFiler(t.Context(), r.app.ID, "data")
	require.NoError(t, err)
	require.NotEmpty(t, address)
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+r.filer.Prefix+path, strings.NewReader(body))
	require.NoError(t, err)
	req.SetBasicAuth(user, password)
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	res, err := r.c.direct.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(raw)
}

func (r *realVolume) write(t *testing.T, method, path, body string, headers map[string]string) (int, string) {
	t.Helper()
	return r.dav(t, control.FilerWriter, r.filer.Writer, method, path, body, headers)
}

func (r *realVolume) files(t *testing.T) {
	assert.Equal(t, platform.NotFound, platform.CodeOf(r.c.PingFiler(t.Context(), r.app.ID, "data")))
	begin := time.Now()
	var err error
	r.filer, err = r.c.StartFiler(t.Context(), r.app, control.Filer{
		Volume: r.v, Prefix: "/v2/apps/" + r.app.ID + "/volumes/data/filer/webdav", Writer: "w-secret", Reader: "r-secret",
	})
	require.NoError(t, err)
	t.Logf("the filer serves after %s", time.Since(begin).Round(time.Millisecond))
	again, err := r.c.StartFiler(t.Context(), r.app, control.Filer{Volume: r.v, Writer: "x", Reader: "y"})
	require.NoError(t, err)
	assert.Equal(t, "w-secret", again.Writer, "the one that runs")
	require.NoError(t, r.c.PingFiler(t.Context(), r.app.ID, "data"))

	status, body := r.write(t, "PROPFIND", "/", "", map[string]string{"Depth": "1"})
	assert.Equal(t, http.StatusMultiStatus, status)
	assert.Equal(t, 2, strings.Count(body, "/v1-"+r.app.ID+"-worker-"), "a file of each pod: %s", body)
	status, _ = r.write(t, "MKCOL", "/a", "", nil)
	assert.Equal(t, http.StatusCreated, status)
	status, _ = r.write(t, "PUT", "/a/draft.txt", "testtext", nil)
	assert.Equal(t, http.StatusCreated, status)
	status, _ = r.write(t, "MOVE", "/a/draft.txt", "", map[string]string{"Destination": r.filer.Prefix + "/a/testfile"})
	assert.Equal(t, http.StatusCreated, status)
	status, body = r.dav(t, control.FilerReader, r.filer.Reader, "GET", "/a/testfile", "", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "testtext", body)
	status, _ = r.dav(t, control.FilerReader, r.filer.Reader, "DELETE", "/a/testfile", "", nil)
	assert.Equal(t, http.StatusForbidden, status)
	status, _ = r.dav(t, control.FilerWriter, "guess", "GET", "/a/testfile", "", nil)
	assert.Equal(t, http.StatusUnauthorized, status)

	pods, err := r.c.Pods(t.Context(), r.app.ID)
	require.NoError(t, err)
	for _, p := range pods {
		assert.Equal(t, "worker", p.Type, "a filer is no process of the app")
	}
}

// redeploy: pods of the next version see what was written before them, by the
// filer and by the version before.
func (r *realVolume) redeploy(t *testing.T) {
	require.NoError(t, r.c.EnsureVolume(t.Context(), r.app, r.spare))
	require.NoError(t, r.release(t, append(r.data(), platform.Mount{Volume: "spare", Path: "/spare"}), `[ "$(cat /data/a/testfile)" = testtext ] && ls /data/v1-*`))
	status, body := r.write(t, "PROPFIND", "/", "", map[string]string{"Depth": "1"})
	assert.Equal(t, http.StatusMultiStatus, status)
	assert.Equal(t, 2, strings.Count(body, "/v2-"+r.app.ID+"-worker-"), body)
}

// expand: the carried class lets nothing grow, and limits nothing.
func (r *realVolume) expand(t *testing.T) {
	r.v.Size = "2G"
	require.NoError(t, r.c.EnsureVolume(t.Context(), r.app, r.v))
	claim := r.claim(t, "data")
	assert.Equal(t, "2G", claim.Annotations[annotationSize])
	assert.Equal(t, "200Mi", claim.Spec.Resources.Requests.Storage().String())
}

// filerEnds: nothing of it stays when it ends by itself.
func (r *realVolume) filerEnds(t *testing.T) {
	name := filerName(r.v)
	policy := metav1.DeletePropagationBackground
	require.NoError(t, r.c.core.BatchV1().Jobs(r.app.ID).Delete(t.Context(), name, metav1.DeleteOptions{PropagationPolicy: &policy}))
	require.Eventually(t, func() bool {
		address, err := r.c.FindFiler(t.Context(), r.app.ID, "data")
		_, gone := r.c.core.CoreV1().Secrets(r.app.ID).Get(t.Context(), name, metav1.GetOptions{})
		return err == nil && address == "" && apierrors.IsNotFound(gone)
	}, 2*time.Minute, 200*time.Millisecond, "its passwords go with the Job")
}

// inUse: a volume that pods have is there until they end, which delete waits
// for.
func (r *realVolume) inUse(t *testing.T) {
	r.c.patience.claim = time.Second
	assert.Equal(t, platform.Unavailable, platform.CodeOf(r.c.RemoveVolume(t.Context(), r.app.ID, r.spare)))
	assert.Equal(t, platform.Unavailable, platform.CodeOf(r.c.EnsureVolume(t.Context(), r.app, r.spare)))
	r.c.patience.claim = defaultPatience().claim
}

// nfs: bound at once, and nothing of it outlives the app.
func (r *realVolume) nfs(t *testing.T) {
	v := platform.Volume{
		UUID: "00000000-0000-4000-8000-000000000002", App: r.app.ID, Name: "shared", Type: platform.VolumeNFS, Size: "1G",
		Parameters: map[string]string{"server": "nfs.invalid", "path": "/"},
	}
	require.NoError(t, r.c.EnsureVolume(t.Context(), r.app, v))
	require.NoError(t, r.c.EnsureVolume(t.Context(), r.app, v), "again changes nothing")
	require.Eventually(t, func() bool {
		return r.claim(t, "shared").Status.Phase == corev1.ClaimBound
	}, 2*time.Minute, 200*time.Millisecond)
	assert.Equal(t, persistentName(r.app, v), r.claim(t, "shared").Spec.VolumeName)
}

func (r *realVolume) delete(t *testing.T) {
	bound := r.claim(t, "data").Spec.VolumeName
	require.NoError(t, r.release(t, nil, "true"))
	for _, v := range []platform.Volume{r.v, r.spare} {
		require.Eventually(t, func() bool {
			return r.c.RemoveVolume(t.Context(), r.app.ID, v) == nil
		}, 2*time.Minute, 200*time.Millisecond, v.Name)
	}
	require.NoError(t, r.c.DeleteApp(t.Context(), r.app.ID))
	require.Eventually(t, func() bool {
		left, err := r.c.core.CoreV1().PersistentVolumes().List(t.Context(), metav1.ListOptions{LabelSelector: labelOwnerApp + "=" + r.app.ID})
		_, gone := r.c.core.CoreV1().PersistentVolumes().Get(t.Context(), bound, metav1.GetOptions{})
		return err == nil && len(left.Items) == 0 && apierrors.IsNotFound(gone)
	}, 2*time.Minute, 500*time.Millisecond)
}
