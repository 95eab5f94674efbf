package kube

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
)

// The levels of pod security that the operator may choose for apps.
const (
	PodSecurityBaseline   = "baseline"
	PodSecurityRestricted = "restricted"
)

// renderHome is what an app has before anything is deployed: its namespace,
// who may talk to it, and how much it may have.
func renderHome(a platform.App, s Surroundings) Objects {
	o := Objects{Namespace: renderNamespace(a, s), Policy: renderPolicy(a, s)}
	meta := metav1.ObjectMeta{Name: a.ID, Namespace: a.ID, Labels: appLabels(a), Annotations: appAnnotations(a)}
	if s.Quota != nil {
		o.Quota = &corev1.ResourceQuota{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ResourceQuota"},
			ObjectMeta: meta, Spec: *s.Quota.DeepCopy(),
		}
		o.Namespace.Annotations = with(o.Namespace.Annotations, annotationQuota, "true")
	}
	if s.LimitRange != nil {
		o.LimitRange = &corev1.LimitRange{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "LimitRange"},
			ObjectMeta: meta, Spec: *s.LimitRange.DeepCopy(),
		}
		o.Namespace.Annotations = with(o.Namespace.Annotations, annotationLimitRange, "true")
	}
	return o
}

// renderNamespace asks for the baseline level unless the operator wants more:
// the images that people bring run as root more often than not, which
// restricted forbids. It warns about restricted either way, so that whoever
// works with kubectl sees what would be better.
func renderNamespace(a platform.App, s Surroundings) *corev1.Namespace {
	level := PodSecurityBaseline
	if s.PodSecurity == PodSecurityRestricted {
		level = PodSecurityRestricted
	}
	return &corev1.Namespace{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{
			Name: a.ID,
			Labels: with(appLabels(a),
				"pod-security.kubernetes.io/enforce", level,
				"pod-security.kubernetes.io/warn", PodSecurityRestricted),
			Annotations: appAnnotations(a),
		},
	}
}

// restrict makes a pod fit for the restricted level: its containers may not
// run as root and have no capability but that of binding low ports.
func restrict(spec *corev1.PodSpec) {
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			c := &containers[i]
			if c.SecurityContext == nil {
				c.SecurityContext = &corev1.SecurityContext{}
			}
			c.SecurityContext.RunAsNonRoot = ptr(true)
			c.SecurityContext.AllowPrivilegeEscalation = ptr(false)
			caps := &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}
			if had := c.SecurityContext.Capabilities; had != nil && slices.Contains(had.Add, "NET_BIND_SERVICE") {
				caps.Add = []corev1.Capability{"NET_BIND_SERVICE"}
			}
			c.SecurityContext.Capabilities = caps
		}
	}
}
