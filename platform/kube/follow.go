package kube

import (
	"context"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 2 * time.Second
)

// source lists and watches one kind of object in one namespace.
type source[T metav1.Object] struct {
	list  func(context.Context, metav1.ListOptions) ([]T, string, error)
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error)
	opts  metav1.ListOptions // the selectors
}

// view is the current set of objects of a source. It is kept up by one
// goroutine that runs until its context is over.
type view[T metav1.Object] struct {
	source  source[T]
	changed chan<- struct{} // gets a token, when it has room, after a change

	mu       sync.Mutex
	items    map[string]T
	revision string
}

// follow lists the source and goes on watching it in the background. The
// first list is made before it returns, so an error means that the cluster is
// away now; a cluster that goes away later is waited for. The caller cancels
// ctx and waits for group.
func follow[T metav1.Object](ctx context.Context, group *sync.WaitGroup, s source[T], changed chan<- struct{}) (*view[T], error) {
	v := &view[T]{source: s, changed: changed}
	if err := v.relist(ctx); err != nil {
		return nil, err
	}
	group.Go(func() { v.run(ctx) })
	return v, nil
}

// all is a snapshot; the objects are not to be changed.
func (v *view[T]) all() []T {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := make([]T, 0, len(v.items))
	for _, item := range v.items {
		out = append(out, item)
	}
	slices.SortFunc(out, func(a, b T) int {
		return a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time)
	})
	return out
}

func (v *view[T]) get(name string) (T, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	item, ok := v.items[name]
	return item, ok
}

// run watches from the last known revision on. A watch that ends, which
// servers do now and then, is taken up where it was; one whose revision is
// too old starts over with a list.
func (v *view[T]) run(ctx context.Context) {
	wait := minBackoff
	for ctx.Err() == nil {
		began := time.Now()
		err := v.read(ctx)
		if err != nil && (apierrors.IsResourceExpired(err) || apierrors.IsGone(err)) {
			err = v.relist(ctx)
		}
		if err == nil && time.Since(began) > maxBackoff {
			wait = minBackoff
			continue
		}
		if !pause(ctx, wait) {
			return
		}
		if wait = min(2*wait, maxBackoff); err == nil {
			wait = minBackoff
		}
	}
}

// pause reports whether ctx was still good after d.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (v *view[T]) relist(ctx context.Context) error {
	items, revision, err := v.source.list(ctx, v.source.opts)
	if err != nil {
		return err
	}
	fresh := make(map[string]T, len(items))
	for _, item := range items {
		fresh[item.GetName()] = item
	}
	v.mu.Lock()
	v.items, v.revision = fresh, revision
	v.mu.Unlock()
	v.poke()
	return nil
}

// read follows one watch to its end. Nil means the server closed it.
func (v *view[T]) read(ctx context.Context) error {
	opts := v.source.opts
	v.mu.Lock()
	opts.ResourceVersion = v.revision
	v.mu.Unlock()
	opts.AllowWatchBookmarks = true
	w, err := v.source.watch(ctx, opts)
	if err != nil {
		return err
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, open := <-w.ResultChan():
			if !open {
				return nil
			}
			if err := v.take(event); err != nil {
				return err
			}
		}
	}
}

func (v *view[T]) take(event watch.Event) error {
	if event.Type == watch.Error {
		return apierrors.FromObject(event.Object)
	}
	item, ok := event.Object.(T)
	if !ok {
		return nil
	}
	v.mu.Lock()
	v.revision = item.GetResourceVersion()
	switch event.Type {
	case watch.Added, watch.Modified:
		v.items[item.GetName()] = item
	case watch.Deleted:
		delete(v.items, item.GetName())
	case watch.Bookmark:
		v.mu.Unlock()
		return nil
	}
	v.mu.Unlock()
	v.poke()
	return nil
}

func (v *view[T]) poke() {
	select {
	case v.changed <- struct{}{}:
	default:
	}
}
