package helm

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func notReady(t *testing.T, l *lab, namespace, name string) {
	t.Helper()
	d, err := l.client.AppsV1().Deployments(namespace).Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	d.Status.ReadyReplicas = 0
	d.Status.UnavailableReplicas = 1
	_, err = l.client.AppsV1().Deployments(namespace).UpdateStatus(t.Context(), d, metav1.UpdateOptions{})
	require.NoError(t, err)
}

func podOf(name string, change func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "drycc", Name: name + "-abc", UID: "pod-uid",
		Labels: map[string]string{"app.kubernetes.io/name": name},
	}}
	pod.Status.Phase = corev1.PodPending
	change(pod)
	return pod
}

func waiting(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: "main", Image: "slipway.internal/versitygw:v1.8.0",
			State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}},
			RestartCount:         2,
		}}
	}
}

func TestReasons(t *testing.T) {
	warning := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: "drycc", Name: "e1"},
		InvolvedObject: corev1.ObjectReference{UID: "pod-uid"}, Type: corev1.EventTypeWarning,
		Reason: "FailedMount", Message: `secret "drycc-storage" not found`,
	}
	tests := []struct {
		name  string
		pod   *corev1.Pod
		event *corev1.Event
		want  string
	}{
		{"no pod", nil, nil, "no pod yet"},
		{"image", podOf("storage", waiting("ErrImageNeverPull", "")), nil,
			"pod storage-abc: image slipway.internal/versitygw:v1.8.0 is not on the node and cannot be pulled (ErrImageNeverPull)"},
		{"crash", podOf("storage", waiting("CrashLoopBackOff", "back-off 10s")), nil,
			"container main keeps stopping with exit code 137, OOMKilled; it said: fake logs"},
		{"config", podOf("storage", waiting("CreateContainerConfigError", "key accessKey missing")), nil,
			"container main: CreateContainerConfigError: key accessKey missing"},
		{"unschedulable", podOf("storage", func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/1 nodes are available: 1 Insufficient memory."}}
		}), nil, "fits on no node: 0/1 nodes are available: 1 Insufficient memory."},
		{"event", podOf("storage", waiting("ContainerCreating", "")), warning, `FailedMount: secret "drycc-storage" not found`},
		{"probe", podOf("storage", func(p *corev1.Pod) { p.Status.Phase = corev1.PodRunning }), nil, "readiness probe does not pass yet"},
		{"volume", podOf("storage", func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "storage"}}}}
		}), nil, "waiting for its volume"},
		{"starting", podOf("storage", func(*corev1.Pod) {}), nil, "starting"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, c := newLab(t), chartNamed(t, "storage")
			l.Timeout = time.Nanosecond
			l.settled(t, c)
			notReady(t, l, "drycc", "storage")
			if tt.pod != nil {
				require.NoError(t, l.client.Tracker().Add(tt.pod))
			}
			if tt.event != nil {
				require.NoError(t, l.client.Tracker().Add(tt.event))
			}
			var events []Event
			err := l.Apply(t.Context(), c, settings(), phases(&events))
			var late *NotReadyError
			require.ErrorAs(t, err, &late)
			require.ErrorContains(t, err, "chart storage: not ready after")
			require.ErrorContains(t, err, "deployment storage: 0 of 1 pods ready")
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, Waiting, events[len(events)-1].Phase)
			require.Equal(t, "deployed", l.last(t, c).Info.Status.String(), "the objects are there")
		})
	}
}

// TestWaitSeesPodsBecomeReady: the wait ends by the watch's event, long before
// it would look again by itself.
func TestWaitSeesPodsBecomeReady(t *testing.T) {
	l, c := newLab(t), chartNamed(t, "storage")
	l.settled(t, c)
	notReady(t, l, "drycc", "storage")
	fixed := false
	err := l.Apply(t.Context(), c, settings(), func(e Event) {
		if e.Phase == Waiting && !fixed {
			fixed = true
			d := readyWorkload(workload{"Deployment", "drycc", "storage"}).(*appsv1.Deployment)
			_, err := l.client.AppsV1().Deployments("drycc").UpdateStatus(t.Context(), d, metav1.UpdateOptions{})
			require.NoError(t, err)
		}
	})
	require.NoError(t, err)
	require.True(t, fixed)
}

func TestWaitEndsWithItsContext(t *testing.T) {
	l, c := newLab(t), chartNamed(t, "storage")
	l.settled(t, c)
	notReady(t, l, "drycc", "storage")
	ctx, cancel := context.WithCancel(t.Context())
	err := l.Apply(ctx, c, settings(), func(e Event) {
		if e.Phase == Waiting {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
}

func TestStates(t *testing.T) {
	two := int32(2)
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
	tests := []struct {
		name  string
		state func() (state, error)
		ready bool
	}{
		{"deployment not yet seen by its controller", func() (state, error) {
			return deploymentState(workload{}, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Generation: 2},
				Spec:   appsv1.DeploymentSpec{Selector: selector},
				Status: appsv1.DeploymentStatus{ObservedGeneration: 1, UpdatedReplicas: 1, ReadyReplicas: 1}})
		}, false},
		{"deployment with the old pod still the only ready one", func() (state, error) {
			return deploymentState(workload{}, &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Selector: selector},
				Status: appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 1, ReadyReplicas: 1, UnavailableReplicas: 1}})
		}, false},
		{"deployment done", func() (state, error) {
			return deploymentState(workload{}, &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Selector: selector, Replicas: &two},
				Status: appsv1.DeploymentStatus{UpdatedReplicas: 2, ReadyReplicas: 2}})
		}, true},
		{"daemon set without a node", func() (state, error) {
			return daemonSetState(workload{}, &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Selector: selector}})
		}, false},
		{"daemon set half updated", func() (state, error) {
			return daemonSetState(workload{}, &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Selector: selector},
				Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 2, NumberReady: 2, UpdatedNumberScheduled: 1}})
		}, false},
		{"stateful set done", func() (state, error) {
			return statefulSetState(workload{}, &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Selector: selector, Replicas: &two},
				Status: appsv1.StatefulSetStatus{UpdatedReplicas: 2, ReadyReplicas: 2}})
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := tt.state()
			require.NoError(t, err)
			require.Equal(t, tt.ready, s.ready)
		})
	}
}

func TestMissingWorkloadIsAnError(t *testing.T) {
	w := &waiter{kube: fake.NewClientset(), workloads: []workload{{"Deployment", "drycc", "gone"}}, report: func(string) {}}
	var late *NotReadyError
	require.ErrorAs(t, w.run(t.Context(), time.Millisecond), &late)
	require.ErrorContains(t, late, "deployment gone")
}
