package kube

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const (
	helloClaims = "/api/v1/namespaces/hello/persistentvolumeclaims"
	helloJobs   = "/apis/batch/v1/namespaces/hello/jobs"
	allPVs      = "/api/v1/persistentvolumes"
	allClasses  = "/apis/storage.k8s.io/v1/storageclasses"
	filerUUID   = "3b0f7c1e-1111-4222-8333-444455556666"
)

func hello() platform.App { return platform.App{ID: "hello", Workspace: "acme1"} }

func dataVolume() platform.Volume {
	return platform.Volume{UUID: filerUUID, App: "hello", Name: "data", Type: platform.VolumeCSI, Size: "2G"}
}

func nfsVolume() platform.Volume {
	return platform.Volume{
		UUID: "5", App: "hello", Name: "shared", Type: platform.VolumeNFS, Size: "200M",
		Parameters: map[string]string{"server": "nfs.example.test", "path": "/exports"},
	}
}

func dataFiler() control.Filer {
	return control.Filer{Volume: dataVolume(), Prefix: "/v2/apps/hello/volumes/data/filer/webdav", Writer: "w-secret", Reader: "r-secret"}
}

func TestRenderVolumesGolden(t *testing.T) {
	local := Storage{Class: "local-path"}
	for name, objects := range map[string]func() []any{
		"volume-local": func() []any { return []any{RenderVolume(hello(), dataVolume(), local, nil).Claim} },
		"volume-shared": func() []any {
			return []any{RenderVolume(hello(), dataVolume(), Storage{Class: "ceph", Shared: true, Grows: true}, nil).Claim}
		},
		"volume-nfs": func() []any {
			o := RenderVolume(hello(), nfsVolume(), Storage{}, nil)
			return []any{o.PV, o.Claim}
		},
		"volume-mounted": func() []any {
			d := webDeployment(2)
			d.Processes[0].Mounts = []platform.Mount{{Volume: "data", Path: "/a"}, {Volume: "data", Path: "/b"}, {Volume: "shared", Path: "/c"}}
			o, err := Render(d, oneNode())
			require.NoError(t, err)
			return []any{o.Processes[0].Deployment}
		},
		"filer": func() []any {
			return []any{renderFilerSecret(hello(), dataFiler()), renderFiler(hello(), dataFiler(), "slipway.internal/filer:v1.0.0")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, obj := range objects() {
				body, err := manifest(obj)
				require.NoError(t, err)
				out, err := yaml.Marshal(body)
				require.NoError(t, err)
				b.WriteString("---\n" + string(out))
			}
			path := filepath.Join("testdata", name+".golden.yaml")
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), b.String())
		})
	}
}

// The passwords stand in the Secret only.
func TestFilerPasswordsStayInTheSecret(t *testing.T) {
	raw, err := json.Marshal(renderFiler(hello(), dataFiler(), "image"))
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "w-secret")
	assert.NotContains(t, string(raw), "r-secret")
}

// A claim that is there keeps what can't be changed, and its size unless its
// class lets it grow.
func TestRenderVolumeAgain(t *testing.T) {
	had := RenderVolume(hello(), dataVolume(), Storage{Class: "old"}, nil).Claim
	larger := dataVolume()
	larger.Size = "4G"
	for _, tc := range []struct {
		grows bool
		size  string
		want  string
	}{{false, "4G", "2Gi"}, {true, "4G", "4Gi"}, {true, "1G", "2Gi"}} {
		larger.Size = tc.size
		claim := RenderVolume(hello(), larger, Storage{Class: "new", Shared: true, Grows: tc.grows}, had).Claim
		assert.Equal(t, tc.want, claim.Spec.Resources.Requests.Storage().String())
		assert.Equal(t, "old", *claim.Spec.StorageClassName)
		assert.Equal(t, had.Spec.AccessModes, claim.Spec.AccessModes)
		assert.Equal(t, tc.size, claim.Annotations[annotationSize], "what users see")
	}
}

func (s *simulation) class(name, provisioner string, grows, first bool) {
	c := &storagev1.StorageClass{Provisioner: provisioner, AllowVolumeExpansion: &grows}
	if first {
		c.Annotations = map[string]string{defaultClassAnnotation: "true"}
	}
	s.put(allClasses+"/"+name, c)
}

func (s *simulation) claim(name string) *corev1.PersistentVolumeClaim {
	obj, ok := s.find(helloClaims + "/" + name)
	if !ok {
		return nil
	}
	return decode[corev1.PersistentVolumeClaim](s.t, obj)
}

func TestEnsureVolume(t *testing.T) {
	s, c := newSimulation(t)
	err := c.EnsureVolume(t.Context(), hello(), dataVolume())
	assert.Equal(t, platform.Unprocessable, platform.CodeOf(err))
	assert.ErrorContains(t, err, "no default storage class")

	s.class("local-path", localProvisioner, false, true)
	s.class("ceph", "ceph.example.test", true, false)
	require.NoError(t, c.EnsureVolume(t.Context(), hello(), dataVolume()))
	assert.Equal(t, "local-path", *s.claim("data").Spec.StorageClassName)
	assert.Equal(t, []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, s.claim("data").Spec.AccessModes)
	before := s.revision
	require.NoError(t, c.EnsureVolume(t.Context(), hello(), dataVolume()))
	assert.Equal(t, before, s.revision, "nothing was written")

	// Another class for new volumes leaves the old ones alone.
	c.opts.StorageClass = "ceph"
	larger := dataVolume()
	larger.Size = "4G"
	require.NoError(t, c.EnsureVolume(t.Context(), hello(), larger))
	assert.Equal(t, "local-path", *s.claim("data").Spec.StorageClassName)
	assert.Equal(t, "2Gi", s.claim("data").Spec.Resources.Requests.Storage().String())
	assert.Equal(t, "4G", s.claim("data").Annotations[annotationSize])
	spare := dataVolume()
	spare.Name = "spare"
	require.NoError(t, c.EnsureVolume(t.Context(), hello(), spare))
	assert.Equal(t, []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}, s.claim("spare").Spec.AccessModes)
	spare.Size = "3G"
	require.NoError(t, c.EnsureVolume(t.Context(), hello(), spare))
	assert.Equal(t, "3Gi", s.claim("spare").Spec.Resources.Requests.Storage().String(), "its class lets it grow")
	s.drop(allClasses + "/ceph")
	require.NoError(t, c.EnsureVolume(t.Context(), hello(), spare), "the class went, the volume is there")
	spare.Name = "third"
	assert.ErrorContains(t, c.EnsureVolume(t.Context(), hello(), spare), "no storage class ceph")

	require.NoError(t, c.EnsureVolume(t.Context(), hello(), nfsVolume()))
	assert.Equal(t, s.names(allPVs), []string{s.claim("shared").Spec.VolumeName})

	s.put(helloClaims+"/foreign", &corev1.PersistentVolumeClaim{})
	foreign := dataVolume()
	foreign.Name = "foreign"
	assert.Equal(t, platform.Conflict, platform.CodeOf(c.EnsureVolume(t.Context(), hello(), foreign)))
	require.NoError(t, c.RemoveVolume(t.Context(), "hello", foreign))
	assert.NotNil(t, s.claim("foreign"), "it is not ours")

	s.put(helloClaims+"/data", &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &metav1.Time{Time: time.Now()}}})
	assert.Equal(t, platform.Unavailable, platform.CodeOf(c.EnsureVolume(t.Context(), hello(), dataVolume())))
}

func TestRemoveVolume(t *testing.T) {
	s, c := newSimulation(t)
	c.patience.claim = time.Minute
	s.class("local-path", localProvisioner, false, true)
	require.NoError(t, c.RemoveVolume(t.Context(), "hello", dataVolume()), "absent is removed")
	for _, v := range []platform.Volume{dataVolume(), nfsVolume()} {
		require.NoError(t, c.EnsureVolume(t.Context(), hello(), v))
	}
	require.NoError(t, c.RemoveVolume(t.Context(), "hello", nfsVolume()))
	assert.Empty(t, s.names(allPVs))
	assert.Equal(t, []string{"data"}, s.names(helloClaims))
	require.NoError(t, c.RemoveVolume(t.Context(), "hello", dataVolume()))
	assert.Empty(t, s.names(helloClaims))
}

// What an app has outside its namespace goes with it.
func TestDeleteAppWithVolumes(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.EnsureApp(t.Context(), hello()))
	require.NoError(t, c.EnsureVolume(t.Context(), hello(), nfsVolume()))
	s.put(allPVs+"/foreign", &corev1.PersistentVolume{})
	require.NoError(t, c.DeleteApp(t.Context(), "hello"))
	assert.Equal(t, []string{"foreign"}, s.names(allPVs))
}

// A deploy makes the claims that it mounts, also ones that were lost.
func TestApplyMakesClaims(t *testing.T) {
	s, c := newSimulation(t)
	s.class("local-path", localProvisioner, false, true)
	d := webDeployment(2)
	d.Volumes = []platform.Volume{dataVolume()}
	d.Processes[0].Mounts = []platform.Mount{{Volume: "data", Path: "/data"}}
	require.NoError(t, c.Apply(t.Context(), d))
	require.NotNil(t, s.claim("data"))
	assert.Equal(t, "data", s.deployment(helloWeb).Spec.Template.Spec.Volumes[0].PersistentVolumeClaim.ClaimName)
}

// filers plays the Job controller, and the node with a real server.
func (s *simulation) filers(t *testing.T, c *Cluster, up bool) {
	pings := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/ping", r.URL.Path)
	}))
	t.Cleanup(pings.Close)
	host, port, err := net.SplitHostPort(pings.Listener.Addr().String())
	require.NoError(t, err)
	c.filerPingPort, err = strconv.Atoi(port)
	require.NoError(t, err)
	react := s.after
	s.after = func(path string, obj object) {
		react(path, obj)
		if collection, name := split(path); collection == helloJobs {
			job := decode[batchv1.Job](t, obj)
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: job.Spec.Template.Labels}}
			pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: host}
			if up {
				pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
			} else {
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{
					Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull"}}}}
			}
			s.put(helloPods+"/"+name+"-x", pod)
		}
	}
}

func TestFiler(t *testing.T) {
	s, c := newSimulation(t)
	s.class("local-path", localProvisioner, false, true)
	_, err := c.StartFiler(t.Context(), hello(), dataFiler())
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err), "no image is set")
	c.opts.FilerImage, c.patience.filer = "slipway.internal/filer:v1.0.0", time.Minute
	s.filers(t, c, true)
	address, err := c.FindFiler(t.Context(), "hello", "data")
	require.NoError(t, err)
	assert.Empty(t, address)
	assert.Equal(t, platform.NotFound, platform.CodeOf(c.PingFiler(t.Context(), "hello", "data")))

	first, err := c.StartFiler(t.Context(), hello(), dataFiler())
	require.NoError(t, err)
	assert.Equal(t, dataFiler(), first)
	require.NotNil(t, s.claim("data"), "which may have been lost")
	secretPath := helloSecrets + "/drycc-filer-" + filerUUID
	obj, _ := s.find(secretPath)
	assert.Equal(t, "Job", decode[corev1.Secret](t, obj).OwnerReferences[0].Kind, "it goes with the Job")
	address, err = c.FindFiler(t.Context(), "hello", "data")
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:9100", address)
	require.NoError(t, c.PingFiler(t.Context(), "hello", "data"))
	pods, err := c.Pods(t.Context(), "hello")
	require.NoError(t, err)
	assert.Empty(t, pods, "it is no process of the app")

	other := dataFiler()
	other.Writer, other.Reader = "w2", "r2"
	second, err := c.StartFiler(t.Context(), hello(), other)
	require.NoError(t, err)
	assert.Equal(t, first, second, "the one that runs")

	// One that has ended is replaced, with new passwords.
	s.put(helloJobs+"/drycc-filer-"+filerUUID, &batchv1.Job{Status: batchv1.JobStatus{
		Conditions: []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}}})
	third, err := c.StartFiler(t.Context(), hello(), other)
	require.NoError(t, err)
	assert.Equal(t, other, third)

	// One that has lost its passwords as well.
	s.drop(secretPath)
	fourth, err := c.StartFiler(t.Context(), hello(), dataFiler())
	require.NoError(t, err)
	assert.Equal(t, dataFiler(), fourth)

	c.patience.claim = time.Minute
	require.NoError(t, c.RemoveVolume(t.Context(), "hello", dataVolume()))
	assert.Empty(t, s.names(helloJobs))
	assert.Empty(t, s.names(helloSecrets))
}

func TestFilerThatDoesNotStart(t *testing.T) {
	s, c := newSimulation(t)
	s.class("local-path", localProvisioner, false, true)
	s.filers(t, c, false)
	c.opts.FilerImage, c.patience.filer = "absent.invalid/filer:1", 50*time.Millisecond
	_, err := c.StartFiler(t.Context(), hello(), dataFiler())
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
	assert.ErrorContains(t, err, "the file client of volume data did not start: its pod is ErrImagePull")
}

func TestSizesAreKubernetes(t *testing.T) {
	for size, want := range map[string]string{"200M": "200Mi", "2G": "2Gi", "1024M": "1Gi"} {
		assert.Zero(t, resource.NewQuantity(platform.VolumeBytes(size), resource.BinarySI).Cmp(resource.MustParse(want)), size)
	}
}
