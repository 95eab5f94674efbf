package kube

import (
	"maps"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform/control"
)

// labelJob is what the Job controller puts on the pods of a Job.
const labelJob = batchv1.JobNameLabel

// jobSlack is how much longer than its pod a Job may take: for a node, the
// image and the pod's end.
const jobSlack = 10 * time.Minute

// JobObjects are those of a command that runs once. The Secrets belong to the
// Job and go with it; Pull is nil without registry credentials.
type JobObjects struct {
	Env, Pull *corev1.Secret
	Job       *batchv1.Job
}

// RenderJob turns a command that runs once into objects. It is pure. A step
// stays when it has ended; anything else goes after j.Expires.
//
// The pod has the deadline, not the Job: a Job whose time is up deletes its
// pod and with it the log that says why.
func RenderJob(d control.Deployment, j control.Job, step bool) (JobObjects, error) {
	template, err := renderPod(d, j.Process)
	if err != nil {
		return JobObjects{}, err
	}
	class := classRun
	if step {
		class = classStep
	}
	out := JobObjects{Env: renderEnv(d, j.Process)}
	ownedBy(out.Env, j.Name+"-env", class)
	if j.Process.PullSecret != nil {
		out.Pull = renderPull(d, j.Process)
		ownedBy(out.Pull, j.Name+"-pull", class)
		template.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: out.Pull.Name}}
	}
	shapeJobPod(&template, j, out.Env.Name)
	template.Labels[labelClass] = class

	m := objectMeta(d, j.Process, j.Name)
	m.Labels = with(m.Labels, labelClass, class, labelVersion, versionName(d.Release.Version))
	m.Annotations = with(m.Annotations, annotationFor, j.For)
	out.Job = &batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: m,
		Spec: batchv1.JobSpec{
			BackoffLimit:          ptr(int32(0)), // what failed half way is not to be repeated by itself
			ActiveDeadlineSeconds: ptr(int64((j.Timeout + j.Process.Grace + jobSlack) / time.Second)),
			Template:              template,
		},
	}
	if !step {
		out.Job.Spec.TTLSecondsAfterFinished = ptr(int32(j.Expires / time.Second))
	}
	return out, nil
}

// ownedBy makes a process type's Secret that of a job, which other releases
// do not prune.
func ownedBy(s *corev1.Secret, name, class string) {
	s.Name = name
	s.Labels = maps.Clone(s.Labels)
	s.Labels[labelClass] = class
}

// shapeJobPod turns the pod of a process type into one that runs to its end.
func shapeJobPod(t *corev1.PodTemplateSpec, j control.Job, env string) {
	t.Spec.RestartPolicy = corev1.RestartPolicyNever
	t.Spec.ActiveDeadlineSeconds = ptr(int64(j.Timeout / time.Second))
	// Alone, it need not keep away from others of its kind, and nothing takes
	// its place.
	t.Spec.TopologySpreadConstraints, t.Spec.Tolerations = nil, nil
	c := &t.Spec.Containers[0]
	for i := range c.Env {
		if from := c.Env[i].ValueFrom; from != nil && from.SecretKeyRef != nil {
			from.SecretKeyRef.Name = env
		}
	}
	// The first to attach has the input; when it leaves, the input ends.
	c.Stdin, c.StdinOnce, c.TTY = j.Stdin, j.Stdin, j.TTY
}
