package kube

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/slipway-paas/slipway/platform/control"
)

// The kinds of trouble of a command that runs once.
const (
	kindRun        = "RunFailed"
	kindRunTimeout = "RunTimeout"
)

// quiet is how long a waiting call sleeps when nothing is due.
const quiet = time.Hour

// jobWatch follows the pods of a name, and its Job when it is one.
type jobWatch struct {
	name    string
	jobs    *view[*batchv1.Job]
	pods    *view[*corev1.Pod]
	changed chan struct{}
	judge   *rollout // remembers since when a trouble has been there
	seen    bool
	stop    func()
}

// watchJob begins to follow the Job of that name and its pods.
func (c *Cluster) watchJob(ctx context.Context, app, name string) (*jobWatch, error) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	w := &jobWatch{name: name, changed: make(chan struct{}, 1), stop: func() { cancel(); group.Wait() }, judge: &rollout{
		patience: c.patience, restarts: map[types.UID]int32{}, pulls: map[types.UID]map[string]bool{}, since: map[string]time.Time{},
	}}
	jobs := c.core.BatchV1().Jobs(app)
	var err error
	w.jobs, err = follow(ctx, &group, source[*batchv1.Job]{
		list:  listing(jobs, func(l *batchv1.JobList) []batchv1.Job { return l.Items }),
		watch: jobs.Watch,
		opts:  metav1.ListOptions{LabelSelector: appSelector(app), FieldSelector: "metadata.name=" + name},
	}, w.changed)
	if err == nil {
		w.pods, err = follow(ctx, &group, c.pods(app), w.changed)
	}
	if err != nil {
		w.stop()
		return nil, err
	}
	return w, nil
}

// pod is the pod of that name or the newest of that Job, nil when there is
// none yet.
func (w *jobWatch) pod() *corev1.Pod {
	return newest(w.pods.all(), w.name)
}

// newest picks the pod of a name, or the newest one of a Job of that name.
func newest(pods []*corev1.Pod, name string) (found *corev1.Pod) {
	for _, p := range pods {
		if p.Name == name {
			return p
		}
		if p.Labels[labelJob] == name && (found == nil || !p.CreationTimestamp.Before(&found.CreationTimestamp)) {
			found = p
		}
	}
	return found
}

// trouble is why a pod will not get going, and when to look again.
func (w *jobWatch) trouble(now time.Time, p *corev1.Pod) (*trouble, time.Time) {
	again := now.Add(quiet)
	if p == nil {
		return nil, again
	}
	lasting, seen := w.judge.lasting(now, &again)
	t := w.judge.judgePod(p, lasting)
	w.judge.since = seen
	if t != nil {
		t.pod = p.Name
	}
	return t, again
}

// sleep until something changed, at most d.
func (w *jobWatch) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.changed:
	case <-timer.C:
	}
	return nil
}

// ended is how the first container of a pod ended, nil while it has not.
func ended(p *corev1.Pod) *corev1.ContainerStateTerminated {
	for _, cs := range p.Status.ContainerStatuses {
		if cs.Name == p.Spec.Containers[0].Name {
			return cs.State.Terminated
		}
	}
	return nil
}

// running reports whether the first container of a pod has begun and not
// ended.
func running(p *corev1.Pod) bool {
	for _, cs := range p.Status.ContainerStatuses {
		if cs.Name == p.Spec.Containers[0].Name {
			return cs.State.Running != nil
		}
	}
	return false
}

// over reports whether a pod will never run again.
func over(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// whyFailed words the end of a step that did not end well.
func (c *Cluster) whyFailed(ctx context.Context, app string, j control.Job, job *batchv1.Job, pod *corev1.Pod) trouble {
	ctx, cancel := context.WithTimeout(ctx, evidenceTime)
	defer cancel()
	t := trouble{kind: kindRun, reason: "the run step did not end well"}
	for _, cond := range job.Status.Conditions {
		if cond.Type == batchv1.JobFailed && cond.Reason == batchv1.JobReasonDeadlineExceeded {
			t.kind = kindRunTimeout
		}
	}
	if pod == nil {
		if t.kind == kindRunTimeout {
			t.reason = fmt.Sprintf("the run step did not end within %s", j.Timeout)
		}
		return t
	}
	t.pod = pod.Name
	var b strings.Builder
	end := ended(pod)
	switch {
	case t.kind == kindRunTimeout || pod.Status.Reason == "DeadlineExceeded":
		t.kind = kindRunTimeout
		fmt.Fprintf(&b, "the run step did not end within %s", j.Timeout)
	case end == nil && pod.Status.Message != "":
		fmt.Fprintf(&b, "the run step was ended: %s", clip(pod.Status.Message, maxMessage))
	case end == nil:
		b.WriteString(t.reason)
	case end.Reason == "OOMKilled":
		b.WriteString("the run step was killed because it used more memory than its plan allows (choose a larger plan)")
	case end.Reason == "StartError" || end.Reason == "ContainerCannotRun":
		fmt.Fprintf(&b, "the run step cannot be started: %s", clip(end.Message, maxMessage))
	default:
		fmt.Fprintf(&b, "the run step ended with code %d", end.ExitCode)
	}
	if words := c.lastWords(ctx, app, pod.Name, pod.Spec.Containers[0].Name, false); words != "" {
		fmt.Fprintf(&b, "; its last output:\n%s", words)
	}
	t.reason = b.String()
	return t
}
