package kube

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func TestEnsureAppIsIdempotent(t *testing.T) {
	s, c := newSimulation(t)
	app := webDeployment(1).App
	require.NoError(t, c.EnsureApp(t.Context(), app))
	before := s.revision
	require.NoError(t, c.EnsureApp(t.Context(), app))
	assert.Equal(t, before, s.revision, "nothing was written")

	exists, err := c.NamespaceExists(t.Context(), "hello")
	require.NoError(t, err)
	assert.True(t, exists)
	exists, err = c.NamespaceExists(t.Context(), "other")
	require.NoError(t, err)
	assert.False(t, exists)
}

func TestDeleteApp(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.DeleteApp(t.Context(), "hello"), "absent is deleted")
	require.NoError(t, c.Apply(t.Context(), webDeployment(1)))
	require.NoError(t, c.DeleteApp(t.Context(), "hello"))
	_, there := s.find("/api/v1/namespaces/hello")
	assert.False(t, there)

	s.put("/api/v1/namespaces/kube-system", &corev1.Namespace{})
	assert.Equal(t, platform.Conflict, platform.CodeOf(c.DeleteApp(t.Context(), "kube-system")))
	_, there = s.find("/api/v1/namespaces/kube-system")
	assert.True(t, there)
}

func TestDeleteAppThatTakesLong(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.EnsureApp(t.Context(), webDeployment(1).App))
	deleted := make(chan struct{})
	s.after = func(string, object) { close(deleted) } // and the namespace stays

	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- c.DeleteApp(ctx, "hello") }()
	<-deleted
	cancel()
	assert.ErrorIs(t, <-result, context.Canceled)

	s.after = func(string, object) {}
	c.patience.deletion = 50 * time.Millisecond
	assert.NoError(t, c.DeleteApp(t.Context(), "hello"), "the cluster goes on with it")
	assert.Equal(t, platform.Conflict, platform.CodeOf(c.EnsureApp(t.Context(), webDeployment(1).App)))
}

func TestScale(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	err := c.Scale(t.Context(), "hello", map[string]int{"absent": 2, "web": 3})
	assert.Equal(t, platform.NotFound, platform.CodeOf(err))
	assert.Contains(t, err.Error(), "absent is not deployed")
	assert.EqualValues(t, 3, *s.deployment(helloWeb).Spec.Replicas)
	assert.Contains(t, s.requests, "PATCH "+helloWeb+"/scale")

	s.set(func(s *apiServer) {
		s.fail = func(r *http.Request) int {
			if r.URL.Path == helloWeb+"/scale" {
				return http.StatusServiceUnavailable
			}
			return 0
		}
	})
	err = c.Scale(t.Context(), "hello", map[string]int{"absent": 2, "web": 4})
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err), "what is still to be done wins")
	s.set(func(s *apiServer) { s.fail = nil })

	next := webDeployment(3)
	next.Processes[0].Replicas = 2
	require.NoError(t, c.Apply(t.Context(), next))
	assert.EqualValues(t, 2, *s.deployment(helloWeb).Spec.Replicas)
}

func TestRestart(t *testing.T) {
	s, c := newSimulation(t)
	d := webDeployment(2)
	d.Processes = append(d.Processes, workerProcess())
	require.NoError(t, c.Apply(t.Context(), d))
	require.NoError(t, c.Restart(t.Context(), "hello", []string{"worker"}))
	restarted := func(name string) string {
		return s.deployment(helloDeployments + "/" + name).Spec.Template.Annotations[annotationRestarted]
	}
	assert.Empty(t, restarted("hello-web"))
	first := restarted("hello-worker")
	assert.NotEmpty(t, first)
	require.NoError(t, c.Restart(t.Context(), "hello", nil))
	assert.NotEmpty(t, restarted("hello-web"))
	assert.NotEqual(t, first, restarted("hello-worker"))
	require.NoError(t, c.Restart(t.Context(), "hello", []string{"absent"}))
}

func TestRemove(t *testing.T) {
	s, c := newSimulation(t)
	d := webDeployment(2)
	d.Processes = append(d.Processes, workerProcess())
	require.NoError(t, c.Apply(t.Context(), d))
	require.NoError(t, c.Remove(t.Context(), "hello", []string{"worker", "absent"}))
	assert.Equal(t, []string{"hello-web"}, s.names(helloDeployments))
	assert.Equal(t, []string{"hello-web-v2-env"}, s.names(helloSecrets))
	assert.Equal(t, []string{"hello"}, s.names(helloServices))
	require.NoError(t, c.Remove(t.Context(), "hello", []string{"web"}))
	assert.Empty(t, s.names(helloDeployments))
	assert.Empty(t, s.names(helloSecrets))
	assert.Empty(t, s.names(helloServices))
	assert.Empty(t, s.names(helloRoutes))
}

func TestPods(t *testing.T) {
	s, c := newSimulation(t)
	started := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	s.put(helloPods+"/b", &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Labels: with(selectorLabels("hello", "worker"), labelVersion, "v7")},
		Spec:       corev1.PodSpec{NodeName: "one", Containers: []corev1.Container{{Name: "c"}}},
	})
	s.put(helloPods+"/a", &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Labels: with(selectorLabels("hello", "web"), labelVersion, "v7")},
		Spec:       corev1.PodSpec{NodeName: "one", Containers: []corev1.Container{{Name: "c"}}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, StartTime: &started,
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "c", Ready: true, RestartCount: 2}},
		},
	})
	s.put(helloPods+"/foreign", &corev1.Pod{})
	pods, err := c.Pods(t.Context(), "hello")
	require.NoError(t, err)
	require.Len(t, pods, 2)
	assert.Equal(t, platform.Pod{Name: "a", Release: "v7", Type: "web", State: "up", Ready: "1/1", Restarts: 2, Started: pods[0].Started}, pods[0])
	assert.True(t, pods[0].Started.Equal(started.Time))
	assert.Equal(t, "creating", pods[1].State)
}

func TestPodState(t *testing.T) {
	now := metav1.Now()
	status := func(phase corev1.PodPhase, state corev1.ContainerState, ready corev1.ConditionStatus) corev1.PodStatus {
		return corev1.PodStatus{Phase: phase, ContainerStatuses: []corev1.ContainerStatus{{State: state}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}}
	}
	waiting := func(reason string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
	}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	for want, p := range map[string]*corev1.Pod{
		"initializing":     {Status: corev1.PodStatus{Phase: corev1.PodPending}},
		"creating":         {Spec: corev1.PodSpec{NodeName: "one"}, Status: status(corev1.PodPending, waiting("ContainerCreating"), "False")},
		"starting":         {Status: status(corev1.PodRunning, running, "False")},
		"up":               {Status: status(corev1.PodRunning, running, "True")},
		"terminating":      {ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &now}, Status: status(corev1.PodRunning, running, "True")},
		"down":             {Status: corev1.PodStatus{Phase: corev1.PodSucceeded}},
		"crashed":          {Status: status(corev1.PodRunning, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}, "False")},
		"error":            {Status: corev1.PodStatus{Phase: corev1.PodUnknown}},
		"ImagePullBackOff": {Status: status(corev1.PodPending, waiting("ImagePullBackOff"), "False")},
		"NodeAway": {Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
			{Type: corev1.PodReady, Status: "False"}, {Type: corev1.ContainersReady, Status: "True"}}}},
		"VolumeAway": {Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: "False", Reason: "Unschedulable", Message: "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }."}}}},
	} {
		assert.Equal(t, want, podState(p))
	}
	assert.Equal(t, "initializing", podState(&corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: "False", Message: "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match PersistentVolume's node affinity."}}}}),
		"its node is there and has no room")
	assert.Equal(t, "crashed", podState(&corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodFailed}}))
}

// Trouble that may pass is given its time, and starts anew after it passed.
func TestPatience(t *testing.T) {
	begin := time.Unix(1000, 0)
	limits := patience{config: 10 * time.Second, unscheduled: 30 * time.Second, creation: 20 * time.Second, registry: 40 * time.Second}
	objects, err := Render(webDeployment(3), oneNode())
	require.NoError(t, err)
	pod := func(shape func(*corev1.Pod)) *corev1.Pod {
		p := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "u", ResourceVersion: "1", Labels: map[string]string{labelType: "web", labelVersion: "v3"}},
			Status: corev1.PodStatus{
				Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "c"}},
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}},
			},
		}
		shape(p)
		return p
	}
	quota := &appsv1.Deployment{Status: appsv1.DeploymentStatus{ObservedGeneration: 1, Conditions: []appsv1.DeploymentCondition{{
		Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: "exceeded quota",
	}}}}
	for name, c := range map[string]struct {
		deployment *appsv1.Deployment
		shape      func(*corev1.Pod)
		limit      time.Duration
		kind       string
	}{
		"config":   {nil, waitingWith("CreateContainerConfigError", "no key"), 10 * time.Second, "CreateContainerConfigError"},
		"schedule": {nil, unschedulable, 30 * time.Second, "Unschedulable"},
		"registry": {nil, waitingWith("ImagePullBackOff", "dial tcp 10.43.0.20:5000: connect: connection refused"), 40 * time.Second, "ImagePullBackOff"},
		"quota":    {quota, func(*corev1.Pod) {}, 20 * time.Second, "FailedCreate"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRollout(objects.Processes[0], webDeployment(3), 2*time.Minute, begin, limits)
			r.generation = 1
			pods := []*corev1.Pod{pod(c.shape)}
			got, again := r.judge(begin, c.deployment, pods)
			assert.Nil(t, got)
			assert.Equal(t, begin.Add(c.limit), again)

			got, again = r.judge(begin.Add(c.limit/2), nil, []*corev1.Pod{pod(func(*corev1.Pod) {})})
			assert.Nil(t, got)
			assert.Equal(t, begin.Add(2*time.Minute), again, "it passed")

			got, _ = r.judge(begin.Add(c.limit), c.deployment, pods)
			assert.Nil(t, got, "and came back")
			got, _ = r.judge(begin.Add(2*c.limit), c.deployment, pods)
			require.NotNil(t, got)
			assert.Equal(t, c.kind, got.kind)
		})
	}
}

func TestRegistryAway(t *testing.T) {
	for message, away := range map[string]bool{
		`failed to do request: Head "http://10.43.0.20:5000/v2/x/manifests/v1": dial tcp 10.43.0.20:5000: connect: connection refused`: true,
		`dial tcp 192.0.2.7:443: i/o timeout`:                                           true,
		`net/http: TLS handshake timeout`:                                               true,
		`unexpected status from HEAD request to https://r/v2/: 503 Service Unavailable`: true,
		`httpReadSeeker: failed open: unexpected EOF`:                                   true,
		`docker.io/library/x:y: not found`:                                              false,
		`pull access denied, repository does not exist or may require authorization`:    false,
		`unexpected status from HEAD request to https://r/v2/: 401 Unauthorized`:        false,
		`dial tcp: lookup absent.invalid: no such host`:                                 false,
		``: false,
	} {
		assert.Equal(t, away, registryAway(message), message)
	}
}

func TestJudgeGivesSecondChances(t *testing.T) {
	begin := time.Unix(1000, 0)
	objects, err := Render(webDeployment(3), oneNode())
	require.NoError(t, err)
	fresh := func() *rollout {
		return newRollout(objects.Processes[0], webDeployment(3), 2*time.Minute, begin, defaultPatience())
	}
	pod := func(revision string, cs corev1.ContainerStatus) []*corev1.Pod {
		return []*corev1.Pod{{
			ObjectMeta: metav1.ObjectMeta{Name: "p", UID: types.UID("u"), ResourceVersion: revision, Labels: map[string]string{labelType: "web", labelVersion: "v3"}},
			Status:     corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{cs}},
		}}
	}
	pull := corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull"}}}

	r := fresh()
	for range 2 {
		got, _ := r.judge(begin, nil, pod("1", pull))
		assert.Nil(t, got, "the same failed pull")
	}
	got, _ := r.judge(begin, nil, pod("2", pull))
	require.NotNil(t, got)
	assert.Equal(t, "ErrImagePull", got.kind)

	r = fresh()
	got, _ = r.judge(begin, nil, pod("1", corev1.ContainerStatus{RestartCount: 1}))
	assert.Nil(t, got, "one crash")
	got, _ = r.judge(begin, nil, pod("2", corev1.ContainerStatus{RestartCount: 2, Ready: true}))
	assert.Nil(t, got, "it is up by now")
	got, _ = r.judge(begin, nil, pod("3", corev1.ContainerStatus{RestartCount: 2}))
	require.NotNil(t, got)
	assert.Equal(t, kindCrash, got.kind)

	r = fresh()
	r.remember(pod("1", corev1.ContainerStatus{RestartCount: 5}))
	got, _ = r.judge(begin, nil, pod("2", corev1.ContainerStatus{RestartCount: 6}))
	assert.Nil(t, got, "five were before this release was applied again")

	other := pod("1", pull)
	other[0].Labels[labelVersion] = "v2"
	got, _ = fresh().judge(begin, nil, other)
	assert.Nil(t, got, "the trouble of another version")
}

func TestTranslate(t *testing.T) {
	gr := schema.GroupResource{Resource: "things"}
	terminating := apierrors.NewForbidden(gr, "x", errors.New("unable to create new content"))
	terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: "NamespaceTerminating"}}
	for name, c := range map[string]struct {
		err  error
		code platform.Code
	}{
		"missing":     {apierrors.NewNotFound(gr, "x"), platform.NotFound},
		"conflict":    {apierrors.NewConflict(gr, "x", errors.New("y")), platform.Conflict},
		"exists":      {apierrors.NewAlreadyExists(gr, "x"), platform.Conflict},
		"invalid":     {apierrors.NewInvalid(schema.GroupKind{Kind: "Thing"}, "x", nil), platform.Invalid},
		"bad request": {apierrors.NewBadRequest("x"), platform.Invalid},
		"forbidden":   {apierrors.NewForbidden(gr, "x", errors.New("exceeded quota")), platform.Unprocessable},
		"terminating": {terminating, platform.Conflict},
		"away":        {apierrors.NewServiceUnavailable("x"), platform.Unavailable},
		"busy":        {apierrors.NewTooManyRequests("x", 1), platform.Unavailable},
		"timeout":     {apierrors.NewTimeoutError("x", 1), platform.Unavailable},
		"broken":      {apierrors.NewInternalError(errors.New("etcd")), platform.Unavailable},
		"odd":         {apierrors.NewUnauthorized("x"), platform.Internal},
		"unknown":     {errors.New("x"), platform.Internal},
		"slow":        {context.DeadlineExceeded, platform.Unavailable},
		"ours":        {platform.FieldErrorf("f", "x"), platform.Invalid},
	} {
		assert.Equal(t, c.code, platform.CodeOf(translate(t.Context(), "op", c.err)), name)
	}
	failed := &control.RolloutError{Kind: "x"}
	assert.Same(t, failed, translate(t.Context(), "op", failed))
	require.NoError(t, translate(t.Context(), "op", nil))
}

// A request that a dead API server never answers ends with the caller.
func TestCallsEndWithTheirContext(t *testing.T) {
	s, c := newSimulation(t)
	arrived := make(chan struct{}, 1)
	s.set(func(s *apiServer) {
		s.hang = func(*http.Request) bool {
			arrived <- struct{}{}
			return true
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := c.Pods(ctx, "hello")
		result <- err
	}()
	<-arrived
	cancel()
	assert.ErrorIs(t, <-result, context.Canceled)
}

func TestNew(t *testing.T) {
	_, err := New(Options{})
	require.Error(t, err)
	_, err = New(Options{Kubeconfig: filepath.Join(t.TempDir(), "absent")})
	require.ErrorIs(t, err, os.ErrNotExist)

	path := filepath.Join(t.TempDir(), "k3s.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`
apiVersion: v1
kind: Config
current-context: default
clusters: [{name: default, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: default, context: {cluster: default, user: default}}]
users: [{name: default, user: {}}]
`), 0o600))
	c, err := New(Options{Kubeconfig: path})
	require.NoError(t, err)
	assert.Equal(t, platform.Unavailable, platform.CodeOf(c.Scale(t.Context(), "hello", map[string]int{"web": 1})))
}

func TestClip(t *testing.T) {
	assert.Equal(t, "abc", clip("abc", 3))
	assert.Equal(t, "ab…", clip("abc", 2))
	assert.Equal(t, "…", clip("äb", 1), "runes stay whole")
	assert.Equal(t, maxMessage+len("…"), len(clip(strings.Repeat("x", 5000), maxMessage)))
}
