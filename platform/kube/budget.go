package kube

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/slipway-paas/slipway/platform/control"
)

// renderBudget lets a node be emptied by one pod of a process type at a time. It
// holds for any number of pods, so that scaling has nothing to do with it; one
// that is alone may go. Pods that do not serve are in nobody's way.
func renderBudget(d control.Deployment, p control.Process) *policyv1.PodDisruptionBudget {
	one, always := intstr.FromInt32(1), policyv1.AlwaysAllow
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
		ObjectMeta: objectMeta(d, p, workloadName(d.App.ID, p.Ptype)),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: &one, UnhealthyPodEvictionPolicy: &always,
			Selector: &metav1.LabelSelector{MatchLabels: selectorLabels(d.App.ID, p.Ptype)},
		},
	}
}

// applyBudget writes the budget; it goes when its Deployment goes.
func (r *deploy) applyBudget(ctx context.Context, roll *rollout, of *appsv1.Deployment) error {
	budget := roll.objects.Budget.DeepCopy()
	budget.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: of.Name, UID: of.UID}}
	_, err := apply(ctx, r.c.core.PolicyV1().PodDisruptionBudgets(r.app), budget)
	return err
}
