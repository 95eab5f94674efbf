package kube

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform/control"
)

// renderAutoscaler is nil for a process type that is scaled by hand. Its
// percentage is of the CPU that the plan requests.
func renderAutoscaler(d control.Deployment, p control.Process) *autoscalingv2.HorizontalPodAutoscaler {
	if p.Autoscale == nil {
		return nil
	}
	return &autoscalingv2.HorizontalPodAutoscaler{
		TypeMeta:   metav1.TypeMeta{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"},
		ObjectMeta: objectMeta(d, p, workloadName(d.App.ID, p.Ptype)),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{
				APIVersion: "apps/v1", Kind: "Deployment", Name: workloadName(d.App.ID, p.Ptype),
			},
			MinReplicas: ptr(int32(p.Autoscale.Min)),
			MaxReplicas: int32(p.Autoscale.Max),
			Metrics: []autoscalingv2.MetricSpec{{
				Type: autoscalingv2.ResourceMetricSourceType,
				Resource: &autoscalingv2.ResourceMetricSource{
					Name: corev1.ResourceCPU,
					Target: autoscalingv2.MetricTarget{
						Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr(int32(p.Autoscale.CPUPercent)),
					},
				},
			}},
		},
	}
}

// firstReplicas is how many an autoscaled process type begins with: what was
// asked for, within the bounds. None stays none, which keeps the autoscaler
// off until somebody scales.
func firstReplicas(p control.Process) int32 {
	if p.Autoscale == nil || p.Replicas == 0 {
		return int32(p.Replicas)
	}
	return int32(max(p.Autoscale.Min, min(p.Replicas, p.Autoscale.Max)))
}
