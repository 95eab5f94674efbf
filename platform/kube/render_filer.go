package kube

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const (
	labelFiler = "drycc.cc/filer" // the volume whose files a pod serves

	keyWriter = "writer"
	keyReader = "reader"

	filerUser      = 1001 // who its files belong to
	filerPort      = 9100
	filerPingPort  = 9000
	filerReadyPath = "/_/ready" // does not count as somebody asking
)

// filerName is that of the Job and of its Secret.
func filerName(v platform.Volume) string { return "drycc-filer-" + v.UUID }

// filerMeta has none of the labels of an app's processes: they are not to be
// listed, scaled or deleted as such.
func filerMeta(a platform.App, v platform.Volume) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: filerName(v), Namespace: a.ID,
		Labels:      map[string]string{labelFiler: v.Name, labelOwnerApp: a.ID, labelWorkspace: a.Workspace},
		Annotations: appAnnotations(a),
	}
}

func renderFilerSecret(a platform.App, f control.Filer) *corev1.Secret {
	return &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: filerMeta(a, f.Volume),
		Type:       corev1.SecretTypeOpaque,
		Data:       map[string][]byte{keyWriter: []byte(f.Writer), keyReader: []byte(f.Reader)},
	}
}

// renderFiler is a Job, which goes away with its pod when nobody asks for the
// files any more.
func renderFiler(a platform.App, f control.Filer, image string) *batchv1.Job {
	m := filerMeta(a, f.Volume)
	return &batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: m,
		Spec: batchv1.JobSpec{
			BackoffLimit:            ptr(int32(0)),
			TTLSecondsAfterFinished: ptr(int32(0)),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: m.Labels, Annotations: m.Annotations},
				Spec: corev1.PodSpec{
					Containers:                    []corev1.Container{filerContainer(f, image)},
					Volumes:                       []corev1.Volume{claimVolume(f.Volume.Name)},
					RestartPolicy:                 corev1.RestartPolicyNever,
					TerminationGracePeriodSeconds: ptr(int64(5)),
					AutomountServiceAccountToken:  ptr(false),
					EnableServiceLinks:            ptr(false),
					SecurityContext: &corev1.PodSecurityContext{
						RunAsUser: ptr(int64(filerUser)), RunAsGroup: ptr(int64(filerUser)), RunAsNonRoot: ptr(true),
						SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
					},
				},
			},
		},
	}
}

func filerContainer(f control.Filer, image string) corev1.Container {
	secret := func(name, key string) corev1.EnvVar {
		return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: filerName(f.Volume)}, Key: key,
		}}}
	}
	return corev1.Container{
		Name:            "filer",
		Image:           image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		Env: []corev1.EnvVar{
			{Name: "FILER_PREFIX", Value: f.Prefix}, secret("FILER_WRITER", keyWriter), secret("FILER_READER", keyReader),
			{Name: "GOMEMLIMIT", Value: "100MiB"},
		},
		Ports: []corev1.ContainerPort{
			{Name: "webdav", ContainerPort: filerPort, Protocol: corev1.ProtocolTCP},
			{Name: "ping", ContainerPort: filerPingPort, Protocol: corev1.ProtocolTCP},
		},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("16Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
		},
		ReadinessProbe: &corev1.Probe{
			ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
				Path: filerReadyPath, Port: intstr.FromString("ping"),
			}},
			TimeoutSeconds: 2, PeriodSeconds: 1, SuccessThreshold: 1, FailureThreshold: 10,
		},
		VolumeMounts: []corev1.VolumeMount{{Name: f.Volume.Name, MountPath: "/data"}},
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: ptr(false),
			ReadOnlyRootFilesystem:   ptr(true),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
}
