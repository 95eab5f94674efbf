package kube

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/slipway-paas/slipway/platform/control"
)

// The kinds of trouble that end a rollout, besides those the kubelet names.
const (
	kindCrash       = "CrashLoopBackOff"
	kindUnscheduled = "Unschedulable"
	kindCreate      = "FailedCreate"
	kindTimeout     = "Timeout"
	kindRoute       = "RouteNotAccepted"
)

// crashesAllowed is how often a container may end before it counts as
// crashing: the first time may be a dependency that was not up yet.
const crashesAllowed = 2

// rollout is one process type on its way to a new version. It holds no
// connection: judge is fed with what the watches saw.
type rollout struct {
	objects    ProcessObjects
	version    string // "v7"
	generation int64  // of the Deployment, as applied
	timeout    time.Duration
	deadline   time.Time
	extended   bool // the deadline was moved for a slow pull
	patience   patience

	restarts map[types.UID]int32           // of pods that were there before we began
	pulls    map[types.UID]map[string]bool // revisions of a pod in which a pull had failed
	since    map[string]time.Time          // when a passing trouble was first seen
	done     bool
}

func newRollout(o ProcessObjects, d control.Deployment, limit time.Duration, now time.Time, p patience) *rollout {
	return &rollout{
		objects: o, version: versionName(d.Release.Version),
		timeout: limit, deadline: now.Add(limit), patience: p,
		restarts: map[types.UID]int32{}, pulls: map[types.UID]map[string]bool{}, since: map[string]time.Time{},
	}
}

// trouble is why a rollout ends.
type trouble struct {
	kind, pod, reason string
	crashed           *corev1.ContainerStatus // set when its log is evidence
	pods              []*corev1.Pod           // of the new version, when time is up
}

// mine picks the living pods of the new version.
func (r *rollout) mine(pods []*corev1.Pod) []*corev1.Pod {
	var out []*corev1.Pod
	for _, p := range pods {
		if p.Labels[labelType] == r.objects.Ptype && p.Labels[labelVersion] == r.version &&
			p.Labels[labelClass] == "" && p.DeletionTimestamp == nil {
			out = append(out, p)
		}
	}
	return out
}

// remember notes the restarts that happened before this rollout: applying the
// same version again must not blame it for them.
func (r *rollout) remember(pods []*corev1.Pod) {
	for _, p := range r.mine(pods) {
		for _, cs := range p.Status.ContainerStatuses {
			r.restarts[p.UID] += cs.RestartCount
		}
	}
}

// judge says whether the rollout is done or in trouble, and else when to look
// again even if nothing changes.
func (r *rollout) judge(now time.Time, d *appsv1.Deployment, pods []*corev1.Pod) (t *trouble, again time.Time) {
	if complete(d, r.generation) {
		r.done = true
		return nil, time.Time{}
	}
	again = r.deadline
	lasting, seen := r.lasting(now, &again)
	defer func() { r.since = seen }()

	if d != nil && d.Status.ObservedGeneration >= r.generation {
		if why := creationFailure(d); why != "" && lasting("create", r.patience.creation) {
			return &trouble{kind: kindCreate, reason: "no pod can be made: " + clip(why, maxMessage)}, again
		}
	}
	for _, p := range r.mine(pods) {
		if t := r.judgePod(p, lasting); t != nil {
			t.pod = p.Name
			return t, again
		}
	}
	if !now.Before(r.deadline) {
		return &trouble{kind: kindTimeout}, again
	}
	return nil, again
}

// lasting returns what reports whether a trouble has been there for as long as
// it may, and what it saw. again becomes the earliest time at which one will.
func (r *rollout) lasting(now time.Time, again *time.Time) (func(string, time.Duration) bool, map[string]time.Time) {
	seen := map[string]time.Time{}
	return func(key string, limit time.Duration) bool {
		first, known := r.since[key]
		if !known {
			first = now
		}
		seen[key] = first
		if end := first.Add(limit); end.After(now) {
			if end.Before(*again) {
				*again = end
			}
			return false
		}
		return true
	}, seen
}

func (r *rollout) judgePod(p *corev1.Pod, lasting func(string, time.Duration) bool) *trouble {
	for _, cond := range p.Status.Conditions {
		if cond.Type == corev1.PodScheduled && cond.Status == corev1.ConditionFalse &&
			cond.Reason == corev1.PodReasonUnschedulable && lasting("schedule "+p.Name, r.patience.unscheduled) {
			return &trouble{kind: kindUnscheduled, reason: "no node can take the pod: " +
				clip(cond.Message, maxMessage) + " (choose a smaller plan, fewer replicas or other tags)"}
		}
	}
	for i := range p.Status.ContainerStatuses {
		cs := &p.Status.ContainerStatuses[i]
		if t := r.judgeWaiting(p, cs, lasting); t != nil {
			return t
		}
		if !cs.Ready && cs.RestartCount-r.restarts[p.UID] >= crashesAllowed {
			return &trouble{kind: kindCrash, crashed: cs}
		}
	}
	return nil
}

func (r *rollout) judgeWaiting(p *corev1.Pod, cs *corev1.ContainerStatus, lasting func(string, time.Duration) bool) *trouble {
	w := cs.State.Waiting
	if w == nil {
		return nil
	}
	switch w.Reason {
	case "", "ContainerCreating", "PodInitializing", "RunContainerError":
		return nil // on its way, or about to count as a crash
	case kindCrash:
		return &trouble{kind: kindCrash, crashed: cs}
	case "ErrImagePull", "ImagePullBackOff":
		if r.pullsAgain(p, w, lasting) {
			return nil
		}
	case "InvalidImageName", "ErrImageNeverPull":
	default:
		if !lasting(w.Reason+" "+p.Name, r.patience.config) {
			return nil
		}
		return &trouble{kind: w.Reason, reason: "the container cannot be made: " + clip(w.Message, maxMessage)}
	}
	return &trouble{kind: w.Reason, reason: imageReason(cs.Image, w)}
}

// pullsAgain reports whether the kubelet's next try to pull may go better. The
// first failure never counts. A registry that did not answer gets more time:
// our own comes up after the node does.
func (r *rollout) pullsAgain(p *corev1.Pod, w *corev1.ContainerStateWaiting, lasting func(string, time.Duration) bool) bool {
	if registryAway(w.Message) && !lasting("pull "+p.Name, r.patience.registry) {
		return true
	}
	if w.Reason == "ImagePullBackOff" {
		return false
	}
	if r.pulls[p.UID] == nil {
		r.pulls[p.UID] = map[string]bool{}
	}
	r.pulls[p.UID][p.ResourceVersion] = true
	return len(r.pulls[p.UID]) < 2
}

// registryAway reads from the runtime's words whether the registry could not
// be talked to, as against having said no. A name that does not resolve is
// mostly a mistake in it, and counts as a no.
func registryAway(message string) bool {
	m := strings.ToLower(message)
	for _, sign := range []string{
		"connection refused", "connection reset", "i/o timeout", "timeout exceeded", "handshake timeout",
		"deadline exceeded", "no route to host", "network is unreachable", "unexpected eof", ": eof",
		"500 internal", "502 bad gateway", "503 service", "504 gateway", "429 too many",
	} {
		if strings.Contains(m, sign) {
			return true
		}
	}
	return false
}

func imageReason(image string, w *corev1.ContainerStateWaiting) string {
	if w.Reason == "InvalidImageName" {
		return fmt.Sprintf("the image %s has no valid name: %s", image, clip(w.Message, maxMessage))
	}
	return fmt.Sprintf("the image %s cannot be pulled: %s (check its name and tag; a private registry needs credentials)",
		image, clip(w.Message, maxMessage))
}

// complete reports whether every pod is of the applied template and available.
// Pods that are ending do not count; they drain.
func complete(d *appsv1.Deployment, generation int64) bool {
	if d == nil || d.Status.ObservedGeneration < generation {
		return false
	}
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	s := d.Status
	return s.UpdatedReplicas == want && s.Replicas == want && s.AvailableReplicas >= want
}

// creationFailure is why the API server admits no pod, such as a quota.
func creationFailure(d *appsv1.Deployment) string {
	for _, cond := range d.Status.Conditions {
		if cond.Type == appsv1.DeploymentReplicaFailure && cond.Status == corev1.ConditionTrue {
			return cond.Message
		}
	}
	return ""
}
