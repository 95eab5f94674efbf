package helm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
)

// logLines is how much of a crashed container's log an error quotes.
const logLines = 5

// explain says why a workload is not ready, from its pods and their events.
// What it cannot find out it leaves out: it only adds to a report.
func explain(ctx context.Context, kube kubernetes.Interface, s state) string {
	pods, err := kube.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: s.selector.String()})
	if err != nil {
		return ""
	}
	if len(pods.Items) == 0 {
		if text := lastWarning(ctx, kube, s.namespace, s.uid); text != "" {
			return text
		}
		return "no pod yet"
	}
	for _, pod := range pods.Items {
		if podReady(&pod) || pod.DeletionTimestamp != nil {
			continue
		}
		return "pod " + pod.Name + ": " + podReason(ctx, kube, &pod)
	}
	return ""
}

func podReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func podReason(ctx context.Context, kube kubernetes.Interface, pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return "fits on no node: " + c.Message
		}
	}
	statuses := append(append([]corev1.ContainerStatus{}, pod.Status.InitContainerStatuses...), pod.Status.ContainerStatuses...)
	for _, c := range statuses {
		if text := containerReason(c); text != "" {
			return text
		}
	}
	if text := lastWarning(ctx, kube, pod.Namespace, string(pod.UID)); text != "" {
		return text
	}
	if pod.Spec.NodeName == "" && claims(pod) {
		return "waiting for its volume"
	}
	if pod.Status.Phase == corev1.PodRunning {
		return "running, its readiness probe does not pass yet"
	}
	return "starting"
}

func claims(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.PersistentVolumeClaim != nil })
}

// containerReason is empty for a container that is merely not ready yet.
func containerReason(c corev1.ContainerStatus) string {
	if w := c.State.Waiting; w != nil {
		switch w.Reason {
		case "ContainerCreating", "PodInitializing", "":
			return ""
		case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName":
			return fmt.Sprintf("image %s is not on the node and cannot be pulled (%s)", c.Image, w.Reason)
		case "CrashLoopBackOff":
			return "container " + c.Name + " keeps stopping" + ended(c.LastTerminationState.Terminated)
		default:
			return strings.TrimSuffix("container "+c.Name+": "+w.Reason+": "+w.Message, ": ")
		}
	}
	if t := c.State.Terminated; t != nil && t.ExitCode != 0 {
		return "container " + c.Name + " stopped" + ended(t)
	}
	return ""
}

func ended(t *corev1.ContainerStateTerminated) string {
	if t == nil {
		return ""
	}
	text := fmt.Sprintf(" with exit code %d", t.ExitCode)
	if t.Reason != "" && t.Reason != "Error" {
		text += ", " + t.Reason
	}
	if t.Message != "" {
		text += ": " + strings.TrimSpace(t.Message)
	}
	return text
}

// lastWarning is the newest warning event about an object.
func lastWarning(ctx context.Context, kube kubernetes.Interface, namespace, uid string) string {
	about := fields.OneTermEqualSelector("involvedObject.uid", uid).String()
	events, err := kube.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: about})
	if err != nil {
		return ""
	}
	var newest *corev1.Event
	for n := range events.Items {
		e := &events.Items[n]
		// The fake API of tests does not know field selectors.
		if e.Type != corev1.EventTypeWarning || string(e.InvolvedObject.UID) != uid {
			continue
		}
		if newest == nil || newest.LastTimestamp.Before(&e.LastTimestamp) {
			newest = e
		}
	}
	if newest == nil {
		return ""
	}
	return newest.Reason + ": " + strings.TrimSpace(newest.Message)
}

// evidence adds the last log lines of containers that keep stopping: too costly
// for every look, right for the final error.
func (w *waiter) evidence(ctx context.Context, list []Unready) {
	for n := range list {
		u := &list[n]
		s, err := w.state(ctx, workload{u.Kind, u.Namespace, u.Name})
		if err != nil {
			continue
		}
		pods, err := w.kube.CoreV1().Pods(u.Namespace).List(ctx, metav1.ListOptions{LabelSelector: s.selector.String()})
		if err != nil {
			continue
		}
		if text := crashLog(ctx, w.kube, pods.Items); text != "" {
			u.Reason += "; it said: " + text
		}
	}
}

func crashLog(ctx context.Context, kube kubernetes.Interface, pods []corev1.Pod) string {
	for _, pod := range pods {
		for _, c := range pod.Status.ContainerStatuses {
			if c.Ready || c.RestartCount == 0 {
				continue
			}
			lines := int64(logLines)
			raw, err := kube.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
				Container: c.Name, Previous: true, TailLines: &lines,
			}).DoRaw(ctx)
			if err == nil && len(raw) > 0 {
				return strings.Join(strings.Split(strings.TrimSpace(string(raw)), "\n"), " | ")
			}
		}
	}
	return ""
}
