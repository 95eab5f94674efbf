package kube

import (
	"context"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
)

// Scale sets the replicas of process types that are deployed. One that is not
// is a platform.NotFound, which is returned only when all others were scaled.
func (c *Cluster) Scale(ctx context.Context, app string, replicas map[string]int) error {
	var missing error
	for _, ptype := range slices.Sorted(maps.Keys(replicas)) {
		err := mergePatch(ctx, c.core.AppsV1().Deployments(app), workloadName(app, ptype), map[string]any{
			"spec": map[string]any{"replicas": replicas[ptype]},
		}, "scale")
		switch {
		case apierrors.IsNotFound(err):
			missing = &platform.Error{Code: platform.NotFound, Op: "kube.Scale", Err: err,
				Message: "the process type " + ptype + " is not deployed"}
		case err != nil:
			return translate(ctx, "Scale", err)
		}
	}
	return missing
}

// Restart replaces the pods of process types one after the other, as a deploy
// would; no names mean all that are deployed, and one that is not is skipped.
func (c *Cluster) Restart(ctx context.Context, app string, ptypes []string) error {
	deployments := c.core.AppsV1().Deployments(app)
	if len(ptypes) == 0 {
		list, err := deployments.List(ctx, metav1.ListOptions{LabelSelector: appSelector(app)})
		if err != nil {
			return translate(ctx, "Restart", err)
		}
		for _, d := range list.Items {
			ptypes = append(ptypes, d.Labels[labelType])
		}
	}
	change := map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{
		"annotations": map[string]any{annotationRestarted: c.now().UTC().Format(time.RFC3339Nano)},
	}}}}
	for _, ptype := range ptypes {
		err := mergePatch(ctx, deployments, workloadName(app, ptype), change)
		if err != nil && !apierrors.IsNotFound(err) {
			return translate(ctx, "Restart", err)
		}
	}
	return nil
}

// Remove deletes the objects of process types and does not wait for the pods
// to end. Those that are not there are not missed.
func (c *Cluster) Remove(ctx context.Context, app string, ptypes []string) error {
	for _, ptype := range ptypes {
		if err := c.remove(ctx, app, ptype); err != nil {
			return translate(ctx, "Remove", err)
		}
	}
	return nil
}

func (c *Cluster) remove(ctx context.Context, app, ptype string) error {
	if err := c.unexpose(ctx, app, ptype); err != nil {
		return err
	}
	if err := c.dropAutoscaler(ctx, app, workloadName(app, ptype)); err != nil {
		return err
	}
	background := metav1.DeletePropagationBackground
	err := c.core.AppsV1().Deployments(app).Delete(ctx, workloadName(app, ptype),
		metav1.DeleteOptions{PropagationPolicy: &background})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	err = c.core.CoreV1().Secrets(app).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{
		LabelSelector: appSelector(app) + "," + labelType + "=" + ptype + "," +
			labelClass + " in (" + classEnv + "," + classPull + ")",
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
