package kube

import (
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/slipway-paas/slipway/platform/control"
)

const (
	// defaultTimeout is how long a rollout may take when nobody said.
	defaultTimeout = 120 * time.Second
	// defaultGrace is how many seconds a process gets to end in.
	defaultGrace = 30
	// defaultHistory keeps the ReplicaSet that a failed release is undone to
	// and one more to look at; rollbacks are releases and need none.
	defaultHistory = 2
)

func renderDeployment(d control.Deployment, p control.Process, s Surroundings) (*appsv1.Deployment, error) {
	template, err := renderPod(d, p)
	if err != nil {
		return nil, err
	}
	if s.PodSecurity == PodSecurityRestricted {
		restrict(&template.Spec)
	}
	replicas := ptr(int32(p.Replicas))
	if p.Autoscale != nil {
		replicas = nil // the autoscaler's
	}
	history := defaultHistory
	if p.History != nil {
		history = *p.History
	}
	m := objectMeta(d, p, workloadName(d.App.ID, p.Ptype))
	m.Annotations = with(m.Annotations, annotationChangeCause, d.Release.Summary)
	none := intstr.FromInt32(0)
	surge := intstr.FromInt32(maxSurge(p, s.Nodes))
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: m,
		Spec: appsv1.DeploymentSpec{
			Replicas: replicas,
			Selector: &metav1.LabelSelector{MatchLabels: selectorLabels(d.App.ID, p.Ptype)},
			Template: template,
			Strategy: appsv1.DeploymentStrategy{
				Type:          appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &none, MaxSurge: &surge},
			},
			// No minReadySeconds: it would hold back every deploy. What it is
			// for, the gateway learning of the new pod before the old one
			// goes, is done by the old pod waiting in its preStop hook.
			RevisionHistoryLimit:    ptr(int32(history)),
			ProgressDeadlineSeconds: ptr(int32(timeout(p) / time.Second)),
		},
	}, nil
}

// maxSurge is how many pods are replaced at a time: as many as the app asks
// for, else one for each node, never more than there are.
func maxSurge(p control.Process, nodes int) int32 {
	n := p.Batches
	if n < 1 {
		n = max(nodes, 1)
	}
	most := p.Replicas
	if p.Autoscale != nil {
		most = p.Autoscale.Max
	}
	return int32(max(1, min(n, most)))
}

func timeout(p control.Process) time.Duration {
	if p.Timeout < time.Second {
		return defaultTimeout
	}
	return p.Timeout
}

func renderPod(d control.Deployment, p control.Process) (corev1.PodTemplateSpec, error) {
	container, err := renderContainer(d, p)
	if err != nil {
		return corev1.PodTemplateSpec{}, err
	}
	spec := corev1.PodSpec{
		Containers:                    []corev1.Container{container},
		RestartPolicy:                 corev1.RestartPolicyAlways,
		TerminationGracePeriodSeconds: ptr(graceSeconds(p, container)),
		NodeSelector:                  p.NodeSelector,
		TopologySpreadConstraints:     renderSpread(d.App.ID, p.Ptype),
		Tolerations:                   renderTolerations(p),
		// Apps have no business with the API server, and the variables that
		// Kubernetes makes of every Service would get among their own.
		AutomountServiceAccountToken: ptr(false),
		EnableServiceLinks:           ptr(false),
		SecurityContext: &corev1.PodSecurityContext{
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
	mountVolumes(&spec, p.Mounts)
	if p.PullSecret != nil {
		spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: pullSecretName(p.Ptype, d.Release.Version)}}
	}
	if container.Lifecycle != nil && container.Lifecycle.StopSignal != nil {
		spec.OS = &corev1.PodOS{Name: corev1.Linux} // the API wants it beside a stop signal
	}
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{
			Labels: with(appLabels(d.App),
				labelType, p.Ptype, labelVersion, versionName(d.Release.Version)),
			Annotations: appAnnotations(d.App),
		},
		Spec: spec,
	}, nil
}

// graceSeconds is what the process gets to end in, and the time that our own
// preStop hook takes of it.
func graceSeconds(p control.Process, c corev1.Container) int64 {
	grace := int64(p.Grace / time.Second)
	if grace <= 0 {
		grace = defaultGrace
	}
	if l := c.Lifecycle; l != nil && l.PreStop != nil && l.PreStop.Sleep != nil {
		grace += l.PreStop.Sleep.Seconds
	}
	return grace
}

func renderContainer(d control.Deployment, p control.Process) (corev1.Container, error) {
	probes, err := renderProbes(p)
	if err != nil {
		return corev1.Container{}, err
	}
	lifecycle, err := renderLifecycle(p)
	if err != nil {
		return corev1.Container{}, err
	}
	c := corev1.Container{
		Name:            containerName(d.App.ID, p.Ptype),
		Image:           p.Image,
		ImagePullPolicy: corev1.PullPolicy(p.PullPolicy), // empty: Kubernetes decides by the tag
		Command:         p.Command,
		Args:            p.Args,
		Env:             renderEnvVars(d, p),
		Resources:       renderResources(p.Plan),
		LivenessProbe:   probes.Liveness,
		ReadinessProbe:  probes.Readiness,
		StartupProbe:    probes.Startup,
		Lifecycle:       lifecycle,
		SecurityContext: renderSecurity(),
	}
	if p.Port > 0 {
		c.Ports = []corev1.ContainerPort{{
			Name: portName, ContainerPort: int32(p.Port), Protocol: corev1.ProtocolTCP,
		}}
	}
	return c, nil
}

// renderEnvVars refers to the Secret for every value, so that none can be
// read off a pod.
func renderEnvVars(d control.Deployment, p control.Process) []corev1.EnvVar {
	secret := corev1.LocalObjectReference{Name: envSecretName(d.App.ID, p.Ptype, d.Release.Version)}
	keys := secretKeys(p.Env)
	vars := make([]corev1.EnvVar, 0, len(keys)+1)
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		vars = append(vars, corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
			SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: secret, Key: keys[name]},
		}})
	}
	if _, own := p.Env["CONTAINER_IP"]; !own {
		vars = append(vars, corev1.EnvVar{Name: "CONTAINER_IP", ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "status.podIP"},
		}})
	}
	return vars
}

// renderSpread spreads the pods of one process type over hosts and zones where
// there is a choice, those of each release by themselves: during a rollout the
// old ones say nothing of where the new ones should be.
func renderSpread(app, ptype string) []corev1.TopologySpreadConstraint {
	over := func(topology string) corev1.TopologySpreadConstraint {
		return corev1.TopologySpreadConstraint{
			MaxSkew: 1, TopologyKey: topology, WhenUnsatisfiable: corev1.ScheduleAnyway,
			LabelSelector:  &metav1.LabelSelector{MatchLabels: selectorLabels(app, ptype)},
			MatchLabelKeys: []string{appsv1.DefaultDeploymentUniqueLabelKey},
		}
	}
	return []corev1.TopologySpreadConstraint{over(corev1.LabelHostname), over(corev1.LabelTopologyZone)}
}

// awaySeconds is how long pods wait for a node that is gone before others take
// their place. Kubernetes' five minutes are kind to nodes that come back, but a
// process without data on its node loses nothing by moving; with the time in
// which the absence is noticed it comes to about 50 s.
const awaySeconds = 10

// renderTolerations are for a node that is gone. A pod with volumes keeps
// Kubernetes' patience: where its data is on the node it can only wait.
func renderTolerations(p control.Process) []corev1.Toleration {
	if len(p.Mounts) > 0 {
		return nil
	}
	away := func(taint string) corev1.Toleration {
		return corev1.Toleration{
			Key: taint, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute,
			TolerationSeconds: ptr(int64(awaySeconds)),
		}
	}
	return []corev1.Toleration{away(corev1.TaintNodeNotReady), away(corev1.TaintNodeUnreachable)}
}

func ptr[T any](v T) *T { return &v }
