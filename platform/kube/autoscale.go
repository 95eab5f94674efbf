package kube

import (
	"context"
	"encoding/json"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// replicasManager holds the replicas of autoscaled Deployments from the moment
// in which we stop applying them until the autoscaler first changes them.
const replicasManager = fieldManager + "-replicas"

// autoscalers lists the names of the app's autoscalers, which are those of
// the Deployments that they scale.
func (c *Cluster) autoscalers(ctx context.Context, app string) (map[string]bool, error) {
	list, err := c.core.AutoscalingV2().HorizontalPodAutoscalers(app).List(ctx, metav1.ListOptions{LabelSelector: appSelector(app)})
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, a := range list.Items {
		names[a.Name] = true
	}
	return names, nil
}

// dropAutoscaler removes one that may not be there.
func (c *Cluster) dropAutoscaler(ctx context.Context, app, name string) error {
	err := c.core.AutoscalingV2().HorizontalPodAutoscalers(app).Delete(ctx, name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// applyAutoscaler starts the autoscaler of a process type that is ready.
func (r *deploy) applyAutoscaler(ctx context.Context, roll *rollout) error {
	if roll.objects.Autoscaler == nil {
		return nil
	}
	_, err := apply(ctx, r.c.core.AutoscalingV2().HorizontalPodAutoscalers(r.app), roll.objects.Autoscaler)
	return err
}

// applyDeployment makes the Deployment what the release says. Its replicas are
// the release's, unless an autoscaler has them:
//
//	scaled by hand            apply with replicas
//	no autoscaler any more    remove it, apply with what it left
//	autoscaled                hand the replicas over, apply without
func (r *deploy) applyDeployment(ctx context.Context, roll *rollout) (*appsv1.Deployment, error) {
	client := r.c.core.AppsV1().Deployments(r.app)
	wanted := roll.objects.Deployment
	had := r.autoscaled[wanted.Name]
	if roll.objects.Autoscaler == nil && !had {
		return apply(ctx, client, wanted)
	}
	if roll.objects.Autoscaler == nil {
		if err := r.c.dropAutoscaler(ctx, r.app, wanted.Name); err != nil {
			return nil, err
		}
	}
	live, err := client.Get(ctx, wanted.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		live, err = apply(ctx, client, withReplicas(wanted, ptr(roll.objects.First)))
	}
	if err != nil {
		return nil, err
	}
	if roll.objects.Autoscaler == nil {
		return apply(ctx, client, withReplicas(wanted, live.Spec.Replicas))
	}
	if err := r.c.handOver(ctx, live); err != nil {
		return nil, err
	}
	return apply(ctx, client, wanted)
}

func withReplicas(d *appsv1.Deployment, n *int32) *appsv1.Deployment {
	d = d.DeepCopy()
	d.Spec.Replicas = n
	return d
}

// handOver gives the replicas to another manager, as they are. Without that
// the next apply, which does not name them, would take them away: the API
// server would make them 1 until the autoscaler looks again.
func (c *Cluster) handOver(ctx context.Context, live *appsv1.Deployment) error {
	if !ownsReplicas(live.ManagedFields) {
		return nil
	}
	data, err := json.Marshal(map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": live.Name, "namespace": live.Namespace},
		"spec":     map[string]any{"replicas": live.Spec.Replicas},
	})
	if err != nil {
		return err
	}
	_, err = c.core.AppsV1().Deployments(live.Namespace).Patch(ctx, live.Name, types.ApplyPatchType, data,
		metav1.PatchOptions{FieldManager: replicasManager})
	if apierrors.IsConflict(err) {
		return nil // changed this moment, by who owns them now
	}
	return err
}

// ownsReplicas reports whether an apply of ours is what holds the replicas.
func ownsReplicas(managed []metav1.ManagedFieldsEntry) bool {
	for _, m := range managed {
		if m.Manager == fieldManager && m.Operation == metav1.ManagedFieldsOperationApply && m.Subresource == "" &&
			m.FieldsV1 != nil && strings.Contains(string(m.FieldsV1.Raw), `"f:replicas":`) {
			return true
		}
	}
	return false
}
