package kube

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform/control"
)

const (
	logLines = 10
	logBytes = 2048
	// evidenceTime bounds the requests that make an error clearer; the error
	// itself does not need them.
	evidenceTime = 5 * time.Second
)

// rolloutError puts what is known of a trouble into the words that users see.
func (r *deploy) rolloutError(ctx context.Context, roll *rollout, t trouble) error {
	ctx, cancel := context.WithTimeout(ctx, evidenceTime)
	defer cancel()
	e := &control.RolloutError{Ptype: roll.objects.Ptype, Pod: t.pod, Kind: t.kind, Reason: t.reason}
	switch {
	case t.crashed != nil:
		e.Reason = r.c.crashReason(ctx, r.app, t.pod, t.crashed)
	case t.kind == kindTimeout:
		e.Pod, e.Reason = r.timeoutReason(ctx, roll, t)
	}
	return e
}

func (c *Cluster) crashReason(ctx context.Context, app, pod string, cs *corev1.ContainerStatus) string {
	ended, current := cs.LastTerminationState.Terminated, false
	if cs.State.Terminated != nil {
		ended, current = cs.State.Terminated, true
	}
	var b strings.Builder
	switch {
	case ended == nil:
		b.WriteString("the process keeps ending")
	case ended.Reason == "OOMKilled":
		b.WriteString("the process was killed because it used more memory than its plan allows (choose a larger plan)")
	case ended.Reason == "StartError" || ended.Reason == "ContainerCannotRun":
		fmt.Fprintf(&b, "the process cannot be started: %s", clip(ended.Message, maxMessage))
	case ended.ExitCode == 0:
		b.WriteString("the process ends by itself with code 0, but a process type has to keep running")
	default:
		fmt.Fprintf(&b, "the process keeps ending with code %d", ended.ExitCode)
	}
	if why := c.unhealthy(ctx, app, pod); why != "" && ended != nil && ended.ExitCode != 0 {
		fmt.Fprintf(&b, "; a health check had failed: %s", why)
	}
	if words := c.lastWords(ctx, app, pod, cs.Name, !current); words != "" {
		fmt.Fprintf(&b, "; its last output:\n%s", words)
	}
	return b.String()
}

// lastWords is the end of a container's log, empty when there is none.
func (c *Cluster) lastWords(ctx context.Context, app, pod, container string, previous bool) string {
	stream, err := c.core.CoreV1().Pods(app).GetLogs(pod, &corev1.PodLogOptions{
		Container: container, Previous: previous, TailLines: ptr(int64(logLines)),
	}).Stream(ctx)
	if err != nil {
		return ""
	}
	defer stream.Close()
	// The end is what matters; the lines may be long.
	raw, _ := io.ReadAll(io.LimitReader(stream, 64*logBytes))
	if len(raw) > logBytes {
		raw = raw[len(raw)-logBytes:]
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(raw), ""))
}

func (r *deploy) timeoutReason(ctx context.Context, roll *rollout, t trouble) (pod, reason string) {
	var b strings.Builder
	ready := 0
	for _, p := range t.pods {
		if podReady(p) {
			ready++
		}
	}
	fmt.Fprintf(&b, "%d of %d pods ready after %s", ready, *roll.objects.Deployment.Spec.Replicas, roll.timeout)
	for _, p := range t.pods {
		if podReady(p) {
			continue
		}
		fmt.Fprintf(&b, "; pod %s is %s", p.Name, podState(p))
		if why := r.c.unhealthy(ctx, r.app, p.Name); why != "" {
			fmt.Fprintf(&b, ", its health check says: %s", why)
		}
		if port := containerPort(p); port > 0 {
			fmt.Fprintf(&b, " (the process has to listen on PORT, which is %d)", port)
		}
		if words := r.c.lastWords(ctx, r.app, p.Name, p.Spec.Containers[0].Name, false); words != "" {
			fmt.Fprintf(&b, "; its last output:\n%s", words)
		}
		return p.Name, b.String()
	}
	return "", b.String()
}

func containerPort(p *corev1.Pod) int32 {
	for _, c := range p.Spec.Containers {
		for _, port := range c.Ports {
			return port.ContainerPort
		}
	}
	return 0
}

// unhealthy is what the last failed probe of a pod said.
func (c *Cluster) unhealthy(ctx context.Context, app, pod string) string {
	events := c.events(ctx, app, pod)
	for _, e := range slices.Backward(events) {
		if e.Reason == "Unhealthy" {
			return clip(strings.TrimSpace(e.Message), maxMessage)
		}
	}
	return ""
}

// pulling reports whether the node is busy getting the pod's image.
func (c *Cluster) pulling(ctx context.Context, p *corev1.Pod) bool {
	events := c.events(ctx, p.Namespace, p.Name)
	for _, e := range slices.Backward(events) {
		switch e.Reason {
		case "Pulling":
			return true
		case "Pulled", "Failed", "BackOff":
			return false
		}
	}
	return false
}

// events of a pod, oldest first; none when they cannot be had.
func (c *Cluster) events(ctx context.Context, app, pod string) []corev1.Event {
	list, err := c.core.CoreV1().Events(app).List(ctx, metav1.ListOptions{
		FieldSelector: "involvedObject.kind=Pod,involvedObject.name=" + pod,
	})
	if err != nil {
		return nil
	}
	slices.SortStableFunc(list.Items, func(a, b corev1.Event) int { return eventTime(a).Compare(eventTime(b)) })
	return list.Items
}

func eventTime(e corev1.Event) time.Time {
	if !e.LastTimestamp.IsZero() {
		return e.LastTimestamp.Time
	}
	return e.CreationTimestamp.Time
}
