package kube

import (
	"context"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
)

// listChunk is how many objects of all apps are asked for at a time.
const listChunk = 500

// NodesMatch reports whether there is a node with all labels.
func (c *Cluster) NodesMatch(ctx context.Context, want map[string]string) (bool, error) {
	list, err := c.core.CoreV1().Nodes().List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set(want).String(), Limit: 1,
	})
	if err != nil {
		return false, translate(ctx, "NodesMatch", err)
	}
	return len(list.Items) > 0, nil
}

// Replicas returns what the Deployments of an app are told to run. It asks
// the API server for the latest, not for what a cache holds.
func (c *Cluster) Replicas(ctx context.Context, app string) (map[string]int, error) {
	list, err := c.core.AppsV1().Deployments(app).List(ctx, metav1.ListOptions{LabelSelector: appSelector(app)})
	if err != nil {
		return nil, translate(ctx, "Replicas", err)
	}
	out := map[string]int{}
	for i := range list.Items {
		if s, ok := sightingOf(&list.Items[i]); ok {
			out[s.ptype] = int(s.replicas)
		}
	}
	return out, nil
}

// FollowReplicas watches the Deployments of all apps. It keeps one number for
// each, no objects, and tells of a Deployment only when that number changes:
// their status, which changes with every pod, is nobody's business here.
func (c *Cluster) FollowReplicas(ctx context.Context, seen func(app, ptype string, replicas int)) error {
	f := &replicaFollower{c: c, seen: seen, known: map[string]int32{}}
	return translate(ctx, "FollowReplicas", f.run(ctx))
}

type replicaFollower struct {
	c     *Cluster
	seen  func(app, ptype string, replicas int)
	known map[string]int32 // by app, slash, process type
}

// sighting is the number that one Deployment shows.
type sighting struct {
	app, ptype string
	replicas   int32
}

func sightingOf(d *appsv1.Deployment) (sighting, bool) {
	s := sighting{app: d.Labels[labelApp], ptype: d.Labels[labelType], replicas: 1}
	if d.Spec.Replicas != nil {
		s.replicas = *d.Spec.Replicas
	}
	// One that somebody made elsewhere with labels like ours is not an app's.
	return s, s.app == d.Namespace && s.ptype != "" && d.Name == workloadName(s.app, s.ptype)
}

func (f *replicaFollower) run(ctx context.Context) error {
	for ctx.Err() == nil {
		revision, err := f.list(ctx)
		for err == nil && ctx.Err() == nil {
			revision, err = f.read(ctx, revision)
		}
		if ctx.Err() == nil && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
			return err
		}
	}
	return nil
}

func (f *replicaFollower) options() metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: labelHeritage + "=" + heritage}
}

// list tells of all that changed while nobody watched and returns where a
// watch is to begin.
func (f *replicaFollower) list(ctx context.Context) (string, error) {
	opts := f.options()
	opts.Limit = listChunk
	gone := maps.Clone(f.known)
	for {
		list, err := f.c.core.AppsV1().Deployments(metav1.NamespaceAll).List(ctx, opts)
		if err != nil {
			return "", err
		}
		for i := range list.Items {
			delete(gone, f.note(&list.Items[i]))
		}
		if opts.Continue = list.Continue; opts.Continue == "" {
			for key := range gone {
				delete(f.known, key)
			}
			return list.ResourceVersion, nil
		}
	}
}

// note takes a Deployment in and returns its key.
func (f *replicaFollower) note(d *appsv1.Deployment) string {
	s, ok := sightingOf(d)
	if !ok {
		return ""
	}
	key := s.app + "/" + s.ptype
	if had, known := f.known[key]; !known || had != s.replicas {
		f.known[key] = s.replicas
		f.seen(s.app, s.ptype, int(s.replicas))
	}
	return key
}

// read follows one watch to its end and returns how far it came. A nil error
// means that the server closed it, as servers do now and then.
func (f *replicaFollower) read(ctx context.Context, revision string) (string, error) {
	opts := f.options()
	opts.ResourceVersion, opts.AllowWatchBookmarks = revision, true
	w, err := f.c.core.AppsV1().Deployments(metav1.NamespaceAll).Watch(ctx, opts)
	if err != nil {
		return revision, err
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return revision, nil
		case event, open := <-w.ResultChan():
			if !open {
				pause(ctx, minBackoff) // a server on its way down closes every new one at once
				return revision, nil
			}
			if event.Type == watch.Error {
				return revision, apierrors.FromObject(event.Object)
			}
			d, ok := event.Object.(*appsv1.Deployment)
			if !ok {
				continue
			}
			revision = d.ResourceVersion
			f.take(event.Type, d)
		}
	}
}

func (f *replicaFollower) take(kind watch.EventType, d *appsv1.Deployment) {
	switch kind {
	case watch.Added, watch.Modified:
		f.note(d)
	case watch.Deleted:
		if s, ok := sightingOf(d); ok {
			delete(f.known, s.app+"/"+s.ptype)
		}
	}
}
