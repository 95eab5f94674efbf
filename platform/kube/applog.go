package kube

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/slipway-paas/slipway/platform"
)

// FollowLogs hands over the lines of all pods as they come, until ctx is over
// or emit fails.
func (c *Cluster) FollowLogs(ctx context.Context, app string, since time.Time, after map[string]time.Time, emit func(platform.LogLine) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel(nil)
	changed := make(chan struct{}, 1)
	pods, err := follow(inner, &group, c.pods(app), changed)
	if err != nil {
		return translate(ctx, "FollowLogs", err)
	}
	var mu sync.Mutex
	f := &follower{c: c, pods: pods, told: map[types.UID]*podTail{}, emit: func(l platform.LogLine) error {
		mu.Lock()
		defer mu.Unlock()
		if err := inner.Err(); err != nil {
			return err
		}
		err := emit(l)
		if err != nil {
			cancel(err)
		}
		return err
	}}
	for {
		f.look(inner, &group, since, after)
		select {
		case <-inner.Done():
			return context.Cause(inner)
		case <-changed:
		}
	}
}

// follower keeps one reader for each pod.
type follower struct {
	c    *Cluster
	pods *view[*corev1.Pod]
	told map[types.UID]*podTail
	emit func(platform.LogLine) error
}

// podTail reads the log of one pod, over all lives of its container.
type podTail struct {
	name, app, ptype, container string
	uid                         types.UID
	last                        time.Time     // of the last line that was told
	wake                        chan struct{} // the pod has changed
}

// look begins with the pods that have something to say and wakes the readers
// of all.
func (f *follower) look(ctx context.Context, group *sync.WaitGroup, since time.Time, after map[string]time.Time) {
	there := map[types.UID]bool{}
	for _, p := range f.pods.all() {
		there[p.UID] = true
		t, known := f.told[p.UID]
		if !known {
			if !running(p) && ended(p) == nil {
				continue
			}
			t = &podTail{
				name: p.Name, app: p.Namespace, ptype: p.Labels[labelType], uid: p.UID,
				container: p.Spec.Containers[0].Name, last: since, wake: make(chan struct{}, 1),
			}
			if at, ok := after[p.Name]; ok {
				t.last = at
			}
			f.told[p.UID] = t
			group.Go(func() { f.tail(ctx, t) })
			continue
		}
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	for uid, t := range f.told {
		if !there[uid] {
			close(t.wake)
			delete(f.told, uid)
		}
	}
}

// tail reads on until the pod is gone or will say nothing more.
func (f *follower) tail(ctx context.Context, t *podTail) {
	wait := minBackoff
	for ctx.Err() == nil {
		heard, err := f.read(ctx, t)
		if apierrors.IsNotFound(err) {
			return
		}
		p, there := f.pods.get(t.name)
		if !there || p.UID != t.uid || over(p) && err == nil {
			return
		}
		if heard {
			wait = minBackoff
		}
		if running(p) || err != nil { // a stream that broke, or ended before the watch knows why
			if !pause(ctx, wait) {
				return
			}
			wait = min(2*wait, maxBackoff)
			continue
		}
		select { // the container has ended; it may begin again
		case <-ctx.Done():
			return
		case _, there := <-t.wake:
			if !there {
				return
			}
		}
	}
}

// read tells the lines after the last one, until the log ends.
func (f *follower) read(ctx context.Context, t *podTail) (heard bool, err error) {
	opts := &corev1.PodLogOptions{Container: t.container, Timestamps: true, Follow: true}
	if !t.last.IsZero() {
		at := metav1.NewTime(t.last) // whole seconds; what is known is dropped below
		opts.SinceTime = &at
	}
	stream, err := f.c.core.CoreV1().Pods(t.app).GetLogs(t.name, opts).Stream(ctx)
	if err != nil {
		return false, err
	}
	defer stream.Close()
	return heard, eachLine(stream, func(at time.Time, text string) error {
		if !at.After(t.last) {
			return nil
		}
		heard, t.last = true, at
		return f.emit(platform.LogLine{Time: at, Ptype: t.ptype, Pod: t.name, Text: text})
	})
}
