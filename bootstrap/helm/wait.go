package helm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

const (
	// recheck is how long a wait may go without looking, should a watch have
	// missed something: a pod's back-off changes without an event.
	recheck = 3 * time.Second
	// rewatch is the pause before a broken watch is opened again.
	rewatch = time.Second
)

// workload is one object whose pods a chart waits for.
type workload struct{ kind, namespace, name string }

func (w workload) String() string { return strings.ToLower(w.kind) + " " + w.name }

// workloads lists those of a manifest, in its order.
func workloads(manifest, namespace string) ([]workload, error) {
	objects, err := parse(manifest)
	if err != nil {
		return nil, err
	}
	var list []workload
	for _, o := range objects {
		kind, _ := o["kind"].(string)
		switch kind {
		case "Deployment", "DaemonSet", "StatefulSet":
		default:
			continue
		}
		meta, _ := o["metadata"].(map[string]any)
		w := workload{kind: kind, namespace: namespace}
		w.name, _ = meta["name"].(string)
		if ns, ok := meta["namespace"].(string); ok && ns != "" {
			w.namespace = ns
		}
		list = append(list, w)
	}
	return list, nil
}

// Unready is one workload that is not ready.
type Unready struct {
	Kind, Namespace, Name string
	Ready, Wanted         int32  // pods
	Reason                string // which pod, and why; one or more sentences
}

func (u Unready) String() string {
	s := fmt.Sprintf("%s %s: %d of %d pods ready", strings.ToLower(u.Kind), u.Name, u.Ready, u.Wanted)
	if u.Reason != "" {
		s += ": " + u.Reason
	}
	return s
}

// NotReadyError says what did not become ready in time. The objects are in the
// cluster and may still become ready.
type NotReadyError struct {
	After   time.Duration
	Unready []Unready
	Err     error // the API server's last error; nil when it answered
}

func (e *NotReadyError) Error() string {
	text := fmt.Sprintf("not ready after %s", e.After.Round(time.Second))
	if len(e.Unready) > 0 {
		text += ": " + summary(e.Unready)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *NotReadyError) Unwrap() error { return e.Err }

func summary(list []Unready) string {
	texts := make([]string, len(list))
	for n, u := range list {
		texts[n] = u.String()
	}
	return strings.Join(texts, "; ")
}

// waiter waits for workloads to be ready.
type waiter struct {
	kube      kubernetes.Interface
	workloads []workload
	report    func(string) // called when what is not ready changes
}

// run returns nil once all are ready, a *NotReadyError after the timeout, or
// the context's error. Its watches have ended when it returns.
func (w *waiter) run(ctx context.Context, timeout time.Duration) error {
	watching, stop := context.WithTimeout(ctx, timeout)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	changed := make(chan struct{}, 1)
	for namespace := range namespaces(w.workloads) {
		for _, open := range watchers(w.kube, namespace) {
			wg.Go(func() { follow(watching, open, changed) })
		}
	}
	var last []Unready
	var lastErr error
	said := ""
	for {
		list, err := w.check(watching)
		if err == nil {
			if len(list) == 0 {
				return nil
			}
			last = list
			if text := summary(list); text != said {
				said = text
				w.report(text)
			}
		}
		if !errors.Is(err, context.DeadlineExceeded) { // else the timeout's own doing
			lastErr = err
		}
		select {
		case <-changed:
		case <-time.After(recheck):
		case <-watching.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			w.evidence(ctx, last)
			return &NotReadyError{After: timeout, Unready: last, Err: lastErr}
		}
	}
}

func namespaces(list []workload) map[string]bool {
	found := map[string]bool{}
	for _, w := range list {
		found[w.namespace] = true
	}
	return found
}

type watchFunc func(context.Context, metav1.ListOptions) (watch.Interface, error)

// watchers covers all that a change of readiness shows in.
func watchers(kube kubernetes.Interface, namespace string) []watchFunc {
	apps := kube.AppsV1()
	return []watchFunc{
		apps.Deployments(namespace).Watch,
		apps.DaemonSets(namespace).Watch,
		apps.StatefulSets(namespace).Watch,
		kube.CoreV1().Pods(namespace).Watch,
	}
}

// follow turns the events of a watch into signals, opening it again as often as
// it breaks, until ctx ends. Signals that nobody has taken yet are one.
func follow(ctx context.Context, open watchFunc, changed chan<- struct{}) {
	for ctx.Err() == nil {
		stream, err := open(ctx, metav1.ListOptions{})
		if err == nil {
			for range drain(ctx, stream) {
				select {
				case changed <- struct{}{}:
				default:
				}
			}
			stream.Stop()
		}
		select {
		case <-time.After(rewatch):
		case <-ctx.Done():
		}
	}
}

// drain is the stream's events until it or ctx ends.
func drain(ctx context.Context, stream watch.Interface) func(func(watch.Event) bool) {
	return func(yield func(watch.Event) bool) {
		for {
			select {
			case e, ok := <-stream.ResultChan():
				if !ok || !yield(e) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// check lists the workloads that are not ready, with reasons.
func (w *waiter) check(ctx context.Context) ([]Unready, error) {
	var list []Unready
	for _, item := range w.workloads {
		state, err := w.state(ctx, item)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", item, err)
		}
		if state.ready {
			continue
		}
		u := Unready{Kind: item.kind, Namespace: item.namespace, Name: item.name, Ready: state.have, Wanted: state.want}
		u.Reason = explain(ctx, w.kube, state)
		list = append(list, u)
	}
	return list, nil
}

// state is a workload at one moment.
type state struct {
	workload
	uid        string
	ready      bool
	have, want int32
	selector   labels.Selector
}

func (w *waiter) state(ctx context.Context, item workload) (state, error) {
	apps := w.kube.AppsV1()
	switch item.kind {
	case "Deployment":
		d, err := apps.Deployments(item.namespace).Get(ctx, item.name, metav1.GetOptions{})
		if err != nil {
			return state{}, err
		}
		return deploymentState(item, d)
	case "DaemonSet":
		d, err := apps.DaemonSets(item.namespace).Get(ctx, item.name, metav1.GetOptions{})
		if err != nil {
			return state{}, err
		}
		return daemonSetState(item, d)
	default:
		s, err := apps.StatefulSets(item.namespace).Get(ctx, item.name, metav1.GetOptions{})
		if err != nil {
			return state{}, err
		}
		return statefulSetState(item, s)
	}
}

func deploymentState(item workload, d *appsv1.Deployment) (state, error) {
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	now := d.Status
	return newState(item, d.ObjectMeta, d.Spec.Selector, want, min(now.ReadyReplicas, now.UpdatedReplicas),
		now.ObservedGeneration >= d.Generation &&
			now.UpdatedReplicas >= want && now.ReadyReplicas >= want && now.UnavailableReplicas == 0)
}

func daemonSetState(item workload, d *appsv1.DaemonSet) (state, error) {
	now := d.Status
	// Without a node the platform cannot work, however content Kubernetes is.
	want := max(now.DesiredNumberScheduled, 1)
	return newState(item, d.ObjectMeta, d.Spec.Selector, want, min(now.NumberReady, now.UpdatedNumberScheduled),
		now.ObservedGeneration >= d.Generation && now.UpdatedNumberScheduled >= want && now.NumberReady >= want)
}

func statefulSetState(item workload, s *appsv1.StatefulSet) (state, error) {
	want := int32(1)
	if s.Spec.Replicas != nil {
		want = *s.Spec.Replicas
	}
	now := s.Status
	return newState(item, s.ObjectMeta, s.Spec.Selector, want, min(now.ReadyReplicas, now.UpdatedReplicas),
		now.ObservedGeneration >= s.Generation && now.UpdatedReplicas >= want && now.ReadyReplicas >= want)
}

func newState(item workload, meta metav1.ObjectMeta, selector *metav1.LabelSelector, want, have int32, ready bool) (state, error) {
	pods, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return state{}, err
	}
	return state{workload: item, uid: string(meta.UID), ready: ready, have: have, want: want, selector: pods}, nil
}
