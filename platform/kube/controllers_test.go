package kube

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

const (
	helloSecrets     = "/api/v1/namespaces/hello/secrets"
	helloServices    = "/api/v1/namespaces/hello/services"
	helloPods        = "/api/v1/namespaces/hello/pods"
	helloEvents      = "/api/v1/namespaces/hello/events"
	helloDeployments = "/apis/apps/v1/namespaces/hello/deployments"
	helloSets        = "/apis/apps/v1/namespaces/hello/replicasets"
	helloPolicies    = "/apis/networking.k8s.io/v1/namespaces/hello/networkpolicies"
	helloRoutes      = "/apis/gateway.networking.k8s.io/v1/namespaces/hello/httproutes"
)

// simulation plays the controllers of a cluster on an apiServer: Deployments
// get ReplicaSets, pods and a status, routes get accepted.
type simulation struct {
	*apiServer
	mu       sync.Mutex
	revision int
	// fate shapes the status of a new pod by process type and version; nil
	// or a pod left ready means the version comes up.
	fate func(ptype, version string, pod *corev1.Pod)
	// route shapes what the gateway says; nil accepts.
	route func(*metav1.Condition)
}

func newSimulation(t *testing.T) (*simulation, *Cluster) {
	s := &simulation{apiServer: newAPIServer(t)}
	s.after = s.react
	s.put("/api/v1/nodes/one", &corev1.Node{Spec: corev1.NodeSpec{PodCIDRs: []string{"10.42.0.0/24"}}})
	return s, connect(t, s.apiServer)
}

// connect makes a Cluster that gives up at once where a real one is patient.
func connect(t *testing.T, s *apiServer) *Cluster {
	c, err := New(Options{Config: &rest.Config{Host: s.http.URL}})
	require.NoError(t, err)
	c.patience = patience{pulling: time.Minute, route: time.Minute, restore: time.Minute, deletion: time.Minute}
	return c
}

func (s *simulation) react(path string, obj object) {
	collection, name := split(path)
	switch {
	case strings.HasSuffix(collection, "/deployments"):
		s.rollOut(path)
	case strings.HasSuffix(collection, "/httproutes"):
		s.acceptRoute(path)
	case strings.HasSuffix(collection, "/grpcroutes"), strings.HasSuffix(collection, "/tcproutes"), strings.HasSuffix(collection, "/tlsroutes"):
		s.acceptRoute(path)
	case strings.HasSuffix(collection, "/gateways"):
		s.program(path)
	case strings.HasSuffix(collection, "/namespaces") && obj["metadata"].(object)["deletionTimestamp"] != nil:
		s.drop("/api/v1/namespaces/" + name)
	}
}

func decode[T any](t *testing.T, obj object) *T {
	raw, err := json.Marshal(obj)
	require.NoError(t, err)
	var out T
	require.NoError(t, json.Unmarshal(raw, &out))
	return &out
}

func (s *simulation) deployment(path string) *appsv1.Deployment {
	obj, ok := s.find(path)
	if !ok {
		return nil
	}
	return decode[appsv1.Deployment](s.t, obj)
}

func (s *simulation) rollOut(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.deployment(path)
	if d == nil || d.Status.ObservedGeneration == d.Generation {
		return
	}
	s.chooseSet(d)
	version, ptype := d.Spec.Template.Labels[labelVersion], d.Labels[labelType]
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Labels: d.Spec.Template.Labels, UID: "uid-pod"},
		Spec:       d.Spec.Template.Spec,
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: d.Spec.Template.Spec.Containers[0].Name, Ready: true, Image: d.Spec.Template.Spec.Containers[0].Image}},
		},
	}
	if s.fate != nil {
		s.fate(ptype, version, pod)
	}
	want := *d.Spec.Replicas
	status := appsv1.DeploymentStatus{ObservedGeneration: d.Generation, UpdatedReplicas: want, Replicas: want, AvailableReplicas: want}
	up := pod.Status.ContainerStatuses != nil && pod.Status.ContainerStatuses[0].Ready
	if !up {
		status.Replicas, status.AvailableReplicas = want+1, want
	}
	if want > 0 {
		s.put(helloPods+"/"+d.Name+"-"+version, pod)
	}
	s.put(path, &appsv1.Deployment{Status: status})
	if up {
		for _, name := range s.names(helloPods) {
			if strings.HasPrefix(name, d.Name+"-") && name != d.Name+"-"+version {
				s.drop(helloPods + "/" + name)
			}
		}
	}
}

// settle returns when the controllers have done what they were about to do.
func (s *simulation) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
}

// chooseSet makes the ReplicaSet of the template, or the one that is there
// the newest again.
func (s *simulation) chooseSet(d *appsv1.Deployment) {
	s.revision++
	set := &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Template: *d.Spec.Template.DeepCopy()}}
	name := d.Name + "-" + strconv.Itoa(s.revision)
	for _, other := range s.names(helloSets) {
		obj, _ := s.find(helloSets + "/" + other)
		old := decode[appsv1.ReplicaSet](s.t, obj)
		delete(old.Spec.Template.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
		if reflect.DeepEqual(old.Spec.Template, set.Spec.Template) {
			name = other
		}
	}
	set.Labels = with(d.Spec.Selector.MatchLabels, "pod-template-hash", name)
	set.Annotations = map[string]string{
		annotationRevision: strconv.Itoa(s.revision), annotationChangeCause: d.Annotations[annotationChangeCause],
	}
	set.OwnerReferences = []metav1.OwnerReference{{Kind: "Deployment", Name: d.Name, UID: d.UID, Controller: ptr(true)}}
	set.Spec.Template.Labels = with(set.Spec.Template.Labels, appsv1.DefaultDeploymentUniqueLabelKey, name)
	s.put(helloSets+"/"+name, set)
}

func (s *simulation) acceptRoute(path string) {
	obj, _ := s.find(path)
	route := decode[struct { // of any kind
		metav1.ObjectMeta `json:"metadata"`
		Spec              gatewayv1.CommonRouteSpec `json:"spec"`
	}](s.t, obj)
	var status gatewayv1.HTTPRouteStatus
	for _, ref := range route.Spec.ParentRefs {
		parent := gatewayv1.RouteParentStatus{ParentRef: ref, ControllerName: "traefik.io/gateway-controller"}
		for _, name := range []gatewayv1.RouteConditionType{gatewayv1.RouteConditionAccepted, gatewayv1.RouteConditionResolvedRefs} {
			cond := metav1.Condition{Type: string(name), Status: metav1.ConditionTrue, ObservedGeneration: route.Generation}
			if s.route != nil {
				s.route(&cond)
			}
			parent.Conditions = append(parent.Conditions, cond)
		}
		status.Parents = append(status.Parents, parent)
	}
	s.put(path, &gatewayv1.HTTPRoute{Status: status})
}

// The fates.

func waitingWith(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		cs := &p.Status.ContainerStatuses[0]
		cs.Ready, cs.State.Waiting = false, &corev1.ContainerStateWaiting{Reason: reason, Message: message}
		p.Status.Phase = corev1.PodPending
		p.Status.Conditions[0].Status = corev1.ConditionFalse
	}
}

func crashing(code int32, reason string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		waitingWith("CrashLoopBackOff", "back-off 10s")(p)
		p.Status.ContainerStatuses[0].RestartCount = 1
		p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}
	}
}

func unschedulable(p *corev1.Pod) {
	p.Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
		Message: "0/1 nodes are available: 1 Insufficient memory.",
	}}}
}

func notReady(p *corev1.Pod) {
	p.Status.ContainerStatuses[0].Ready = false
	p.Status.Conditions[0].Status = corev1.ConditionFalse
}
