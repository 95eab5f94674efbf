package helm

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	helmrelease "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/slipway-paas/slipway/charts"
)

// lab is an Installer over a fake cluster.
type lab struct {
	*Installer
	kube    *fakeKube
	client  *fake.Clientset
	dynamic *dynamicfake.FakeDynamicClient
	stores  map[string]*storage.Storage // of release records, by namespace
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{
		kube:    newFakeKube(),
		client:  fake.NewClientset(),
		dynamic: dynamicfake.NewSimpleDynamicClient(runtime.NewScheme()),
		stores:  map[string]*storage.Storage{},
	}
	for _, namespace := range []string{charts.SystemNamespace, charts.PlatformNamespace} {
		memory := driver.NewMemory()
		memory.SetNamespace(namespace)
		l.stores[namespace] = storage.Init(memory)
		l.stores[namespace].MaxHistory = maxHistory
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = chartutil.KubeVersion{Version: kubeVersion, Major: "1", Minor: "35"}
	// The fake has no server-side apply for kinds it does not know.
	l.dynamic.PrependReactor("patch", "customresourcedefinitions", servedCRD)
	l.dynamic.PrependReactor("get", "customresourcedefinitions", servedCRD)
	l.Installer = &Installer{AppVersion: "v1.2.3", Timeout: time.Minute}
	l.connect = func(_ context.Context, namespace string) (*cluster, error) {
		return &cluster{
			helm: &action.Configuration{
				KubeClient:   l.kube,
				Releases:     l.stores[namespace],
				Capabilities: capabilities.Copy(),
				Log:          func(string, ...any) {},
			},
			kube:    l.client,
			dynamic: l.dynamic,
			refresh: func() {},
		}, nil
	}
	return l
}

func servedCRD(action clienttesting.Action) (bool, runtime.Object, error) {
	name := ""
	switch a := action.(type) {
	case clienttesting.PatchAction:
		name = a.GetName()
	case clienttesting.GetAction:
		name = a.GetName()
	}
	return true, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": name},
		"status": map[string]any{"conditions": []any{map[string]any{
			"type": "Established", "status": "True",
		}}},
	}}, nil
}

// settled makes every workload of the charts exist and be ready.
func (l *lab) settled(t *testing.T, list ...charts.Chart) {
	t.Helper()
	for _, c := range list {
		manifest, err := Render(c, settings())
		require.NoError(t, err)
		items, err := workloads(manifest, c.Namespace)
		require.NoError(t, err)
		require.NotEmpty(t, items)
		for _, w := range items {
			require.NoError(t, l.client.Tracker().Add(readyWorkload(w)))
		}
	}
}

func readyWorkload(w workload) runtime.Object {
	meta := metav1.ObjectMeta{Namespace: w.namespace, Name: w.name, UID: "workload-uid"}
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": w.name}}
	if w.kind == "DaemonSet" {
		return &appsv1.DaemonSet{ObjectMeta: meta, Spec: appsv1.DaemonSetSpec{Selector: selector},
			Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 1, UpdatedNumberScheduled: 1, NumberReady: 1}}
	}
	return &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Selector: selector},
		Status: appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1}}
}

func settings() charts.Settings {
	s := charts.Defaults()
	s.NodeIP = "192.0.2.10"
	s.ControllerAddress = "192.0.2.10"
	return s
}

func chartNamed(t *testing.T, name string) charts.Chart {
	t.Helper()
	for _, c := range charts.List() {
		if c.Name == name {
			return c
		}
	}
	require.FailNow(t, "no chart "+name)
	return charts.Chart{}
}

func (l *lab) last(t *testing.T, c charts.Chart) *helmrelease.Release {
	t.Helper()
	rel, err := l.stores[c.Namespace].Last(c.Release)
	require.NoError(t, err)
	return rel
}

func phases(events *[]Event) Progress { return func(e Event) { *events = append(*events, e) } }

func phaseList(events []Event) []Phase {
	var list []Phase
	for _, e := range events {
		list = append(list, e.Phase)
	}
	return list
}

func TestApplyInstalls(t *testing.T) {
	l, c := newLab(t), chartNamed(t, "gateway")
	l.settled(t, c)
	var events []Event
	require.NoError(t, l.Apply(t.Context(), c, settings(), phases(&events)))

	require.Equal(t, []Phase{Applying, Applied, Ready}, phaseList(events))
	rel := l.last(t, c)
	require.Equal(t, helmrelease.StatusDeployed, rel.Info.Status)
	require.Equal(t, "Installed by slipway v1.2.3", rel.Info.Description)
	require.Equal(t, "v1.2.3", rel.Chart.AppVersion())
	require.Equal(t, 1, rel.Version)
	require.Len(t, rel.Labels[digestLabel], 40)
	_, err := l.client.CoreV1().Namespaces().Get(t.Context(), c.Namespace, metav1.GetOptions{})
	require.NoError(t, err)
	patched := 0
	for _, a := range l.dynamic.Actions() {
		if a.GetVerb() == "patch" {
			patched++
		}
	}
	require.Equal(t, 8, patched, "every CRD is applied")
}

func TestApplySkipsWhatIsUnchanged(t *testing.T) {
	l, c := newLab(t), chartNamed(t, "storage")
	l.settled(t, c)
	require.NoError(t, l.Apply(t.Context(), c, settings(), nil))
	var events []Event
	require.NoError(t, l.Apply(t.Context(), c, settings(), phases(&events)))
	require.Equal(t, []Phase{Applying, Unchanged, Ready}, phaseList(events))
	require.Equal(t, 1, l.last(t, c).Version)
	require.Equal(t, 0, l.kube.updates)
}

func TestApplyUpgradesWhatChanged(t *testing.T) {
	tests := []struct {
		name   string
		change func(*lab, *charts.Settings)
	}{
		{"values", func(_ *lab, s *charts.Settings) { s.StorageSize = "11Gi" }},
		{"program", func(l *lab, _ *charts.Settings) { l.AppVersion = "v1.3.0" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, c, s := newLab(t), chartNamed(t, "storage"), settings()
			l.settled(t, c)
			require.NoError(t, l.Apply(t.Context(), c, s, nil))
			tt.change(l, &s)
			require.NoError(t, l.Apply(t.Context(), c, s, nil))
			rel := l.last(t, c)
			require.Equal(t, 2, rel.Version)
			require.Equal(t, helmrelease.StatusDeployed, rel.Info.Status)
			require.Contains(t, rel.Info.Description, "Upgraded by slipway")
			first, err := l.stores[c.Namespace].Get(c.Release, 1)
			require.NoError(t, err)
			require.Equal(t, helmrelease.StatusSuperseded, first.Info.Status)
		})
	}
}

func TestHistoryIsBounded(t *testing.T) {
	l, c, s := newLab(t), chartNamed(t, "storage"), settings()
	l.settled(t, c)
	for _, size := range []string{"1Gi", "2Gi", "3Gi", "4Gi", "5Gi", "6Gi"} {
		s.StorageSize = size
		require.NoError(t, l.Apply(t.Context(), c, s, nil))
	}
	history, err := l.stores[c.Namespace].History(c.Release)
	require.NoError(t, err)
	require.Len(t, history, maxHistory)
	require.Equal(t, 6, l.last(t, c).Version)
}

func TestApplyAfterFailure(t *testing.T) {
	l, c, s := newLab(t), chartNamed(t, "registry"), settings()
	l.settled(t, c)
	l.kube.CreateError = errors.New("quota exceeded")
	err := l.Apply(t.Context(), c, s, nil)
	require.ErrorContains(t, err, "chart registry: release slipway-registry: installing")
	require.ErrorContains(t, err, "quota exceeded")
	require.Equal(t, helmrelease.StatusFailed, l.last(t, c).Info.Status)

	l.kube.CreateError = nil
	require.NoError(t, l.Apply(t.Context(), c, s, nil))
	require.Equal(t, helmrelease.StatusDeployed, l.last(t, c).Info.Status)

	s.RegistrySize = "30Gi"
	l.kube.UpdateError = errors.New("field is immutable")
	require.ErrorContains(t, l.Apply(t.Context(), c, s, nil), "upgrading revision 2")
	require.Equal(t, helmrelease.StatusFailed, l.last(t, c).Info.Status)

	l.kube.UpdateError = nil
	require.NoError(t, l.Apply(t.Context(), c, s, nil))
	require.Equal(t, helmrelease.StatusDeployed, l.last(t, c).Info.Status)
}

// TestApplyAfterKill finds the record as a process leaves it that died at each
// point of an install, upgrade or removal.
func TestApplyAfterKill(t *testing.T) {
	for _, status := range []helmrelease.Status{
		helmrelease.StatusPendingInstall, helmrelease.StatusPendingUpgrade,
		helmrelease.StatusPendingRollback, helmrelease.StatusUninstalling,
	} {
		t.Run(string(status), func(t *testing.T) {
			l, c, s := newLab(t), chartNamed(t, "monitoring"), settings()
			l.settled(t, c)
			require.NoError(t, l.Apply(t.Context(), c, s, nil))
			rel := l.last(t, c)
			rel.SetStatus(status, "under way")
			require.NoError(t, l.stores[c.Namespace].Update(rel))

			require.NoError(t, l.Apply(t.Context(), c, s, nil))
			require.Equal(t, 2, l.last(t, c).Version)
			require.Equal(t, helmrelease.StatusDeployed, l.last(t, c).Info.Status)
			old, err := l.stores[c.Namespace].Get(c.Release, 1)
			require.NoError(t, err)
			require.NotEqual(t, status, old.Info.Status)
		})
	}
}

func TestRefusedValues(t *testing.T) {
	l, c, s := newLab(t), chartNamed(t, "registry"), settings()
	s.RegistrySize = "big"
	require.ErrorContains(t, l.Apply(t.Context(), c, s, nil), "persistence/size")
	_, err := l.stores[c.Namespace].Last(c.Release)
	require.ErrorIs(t, err, driver.ErrReleaseNotFound)
	require.ErrorContains(t, l.ApplyAll(t.Context(), charts.List(), charts.Settings{}, nil), "Domain is empty")
}

func TestUnreachable(t *testing.T) {
	in := New(t.TempDir()+"/absent.yaml", "v1")
	require.ErrorContains(t, in.Apply(t.Context(), chartNamed(t, "storage"), settings(), nil), "absent.yaml")
}

func TestListAndUninstall(t *testing.T) {
	l, c := newLab(t), chartNamed(t, "storage")
	ctx := t.Context()
	releases, err := l.List(ctx, []charts.Chart{c})
	require.NoError(t, err)
	require.Equal(t, []Release{{Chart: "storage", Name: "slipway-storage", Namespace: "drycc", Status: Absent}}, releases)
	require.False(t, releases[0].OK())
	require.NoError(t, l.Uninstall(ctx, c))

	l.settled(t, c)
	require.NoError(t, l.Apply(ctx, c, settings(), nil))
	releases, err = l.List(ctx, []charts.Chart{c})
	require.NoError(t, err)
	require.True(t, releases[0].OK())
	require.Equal(t, "v1.2.3", releases[0].AppVersion)

	require.NoError(t, l.Uninstall(ctx, c))
	_, err = l.stores[c.Namespace].Last(c.Release)
	require.ErrorIs(t, err, driver.ErrReleaseNotFound)
}

func TestEnsureSecret(t *testing.T) {
	l, ctx := newLab(t), t.Context()
	data, err := l.ReadSecret(ctx, "drycc", "drycc-storage")
	require.NoError(t, err)
	require.Nil(t, data)
	s := Secret{Namespace: "drycc", Name: "drycc-storage", Data: map[string][]byte{"accessKey": []byte("a")}}
	for _, step := range []struct {
		value   string
		changed bool
	}{{"a", true}, {"a", false}, {"b", true}} {
		s.Data = map[string][]byte{"accessKey": []byte(step.value)}
		changed, err := l.EnsureSecret(ctx, s)
		require.NoError(t, err)
		require.Equal(t, step.changed, changed)
	}
	data, err = l.ReadSecret(ctx, "drycc", "drycc-storage")
	require.NoError(t, err)
	require.Equal(t, "b", string(data["accessKey"]))
	stored, err := l.client.CoreV1().Secrets("drycc").Get(ctx, s.Name, metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, corev1.SecretTypeOpaque, stored.Type)
}

// TestLostObjectsComeBack: a release that is unchanged but lost an object is
// applied again.
func TestLostObjectsComeBack(t *testing.T) {
	l, c := newLab(t), chartNamed(t, "storage")
	l.settled(t, c)
	require.NoError(t, l.Apply(t.Context(), c, settings(), nil))
	require.Equal(t, 1, l.kube.remove("/service/s3"))
	var events []Event
	require.NoError(t, l.Apply(t.Context(), c, settings(), phases(&events)))
	require.Equal(t, []Phase{Applying, Applied, Ready}, phaseList(events))
	require.Equal(t, 2, l.last(t, c).Version)
	require.Equal(t, 1, l.kube.remove("/service/s3"), "it is there again")
}

// TestForeignObjectsAreNotTaken: what somebody else made under one of our names
// is not overwritten.
func TestForeignObjectsAreNotTaken(t *testing.T) {
	l, c := newLab(t), chartNamed(t, "storage")
	l.settled(t, c)
	l.kube.objects["/namespaces/drycc/service/s3"] = []byte(`{"apiVersion":"v1","kind":"Service","metadata":{"name":"s3","namespace":"drycc"}}`)
	err := l.Apply(t.Context(), c, settings(), nil)
	require.ErrorContains(t, err, "s3")
	require.ErrorContains(t, err, "exists and cannot be imported")
}
