package kube

import (
	"context"
	"errors"
	"strconv"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

const annotationRevision = "deployment.kubernetes.io/revision"

// restore takes the release back, for all its process types: those that were
// ready go back with those that were not, as they belong together.
func (r *deploy) restore(ctx context.Context) error {
	var mu sync.Mutex
	var all []error
	var group sync.WaitGroup
	for _, roll := range r.rollouts {
		group.Go(func() {
			if err := r.restoreOne(ctx, roll); err != nil {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, err)
			}
		})
	}
	group.Wait()
	return errors.Join(all...)
}

func (r *deploy) restoreOne(ctx context.Context, roll *rollout) error {
	live, err := r.c.core.AppsV1().Deployments(r.app).Get(ctx, roll.objects.Deployment.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return r.dropSecrets(ctx, roll)
	case err != nil:
		return err
	}
	serving := live.Annotations[annotationServing]
	switch {
	case serving == "":
		if err := r.drop(ctx, roll, live); err != nil {
			return err
		}
	case live.Spec.Template.Labels[labelVersion] != serving || serving == roll.version:
		if err := r.putBack(ctx, roll, live, serving); err != nil {
			return err
		}
	}
	if serving == roll.version {
		return nil // its Secrets are in use
	}
	return r.dropSecrets(ctx, roll)
}

// drop removes all of a process type that has never served.
func (r *deploy) drop(ctx context.Context, roll *rollout, live *appsv1.Deployment) error {
	background := metav1.DeletePropagationBackground
	err := r.c.core.AppsV1().Deployments(r.app).Delete(ctx, live.Name, metav1.DeleteOptions{PropagationPolicy: &background})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	return r.c.unexpose(ctx, r.app, roll.objects.Ptype)
}

// putBack gives the Deployment the pod template that served, and waits a
// little until the failed pods are taken away. The pods of that template have
// been running all the time, so nothing is started.
func (r *deploy) putBack(ctx context.Context, roll *rollout, live *appsv1.Deployment, serving string) error {
	set, err := r.servingSet(ctx, live, serving)
	if err != nil || set == nil {
		return err
	}
	before := previous(live, set)
	if roll.objects.Autoscaler != nil {
		before.Spec.Replicas = nil // handed over by now
	}
	applied, err := apply(ctx, r.c.core.AppsV1().Deployments(r.app), before)
	if err != nil {
		return err
	}
	waiting, stop := context.WithTimeout(ctx, r.c.patience.restore)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	changed := make(chan struct{}, 1)
	view, err := follow(waiting, &group, r.c.deployments(r.app), changed)
	if err != nil {
		return err
	}
	for {
		if found, _ := view.get(live.Name); complete(found, applied.Generation) {
			return nil
		}
		select {
		case <-changed:
		case <-waiting.Done():
			return ctx.Err() // the template is back, the pods follow
		}
	}
}

// servingSet is the newest ReplicaSet of the version that served, nil when
// that is the current one: then there is nothing else to go back to.
func (r *deploy) servingSet(ctx context.Context, live *appsv1.Deployment, serving string) (*appsv1.ReplicaSet, error) {
	list, err := r.c.core.AppsV1().ReplicaSets(r.app).List(ctx, metav1.ListOptions{
		LabelSelector: labels.FormatLabels(live.Spec.Selector.MatchLabels),
	})
	if err != nil {
		return nil, err
	}
	var best, newest *appsv1.ReplicaSet
	for i := range list.Items {
		set := &list.Items[i]
		if !metav1.IsControlledBy(set, live) {
			continue
		}
		if newest == nil || revision(set) > revision(newest) {
			newest = set
		}
	}
	for i := range list.Items {
		set := &list.Items[i]
		if !metav1.IsControlledBy(set, live) || set.Spec.Template.Labels[labelVersion] != serving {
			continue
		}
		if set == newest && live.Spec.Template.Labels[labelVersion] == serving {
			continue
		}
		if best == nil || revision(set) > revision(best) {
			best = set
		}
	}
	if best == nil && live.Spec.Template.Labels[labelVersion] != serving {
		return nil, apierrors.NewNotFound(appsv1.Resource("replicasets"), live.Name+" "+serving)
	}
	return best, nil
}

func revision(set *appsv1.ReplicaSet) int64 {
	n, _ := strconv.ParseInt(set.Annotations[annotationRevision], 10, 64)
	return n
}

// previous is the Deployment as it was with the set's template. Replicas stay
// as they are now.
func previous(live *appsv1.Deployment, set *appsv1.ReplicaSet) *appsv1.Deployment {
	d := &appsv1.Deployment{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{
			Name: live.Name, Namespace: live.Namespace, Labels: live.Labels,
			Annotations: map[string]string{},
		},
		Spec: *live.Spec.DeepCopy(),
	}
	for _, key := range []string{annotationManagedBy, labelOwnerApp, labelWorkspace} {
		d.Annotations[key] = live.Annotations[key]
	}
	d.Annotations[annotationChangeCause] = set.Annotations[annotationChangeCause]
	d.Spec.Template = *set.Spec.Template.DeepCopy()
	delete(d.Spec.Template.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return d
}

// dropSecrets removes what only the failed version used.
func (r *deploy) dropSecrets(ctx context.Context, roll *rollout) error {
	err := r.c.core.CoreV1().Secrets(r.app).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{
		LabelSelector: appSelector(r.app) + "," + labelClass + " in (" + classEnv + "," + classPull + ")," +
			labelType + "=" + roll.objects.Ptype + "," + labelVersion + "=" + roll.version,
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
