package kube

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// orphanAge is when a Secret without its job counts as left over by a program
// that was killed in between.
const orphanAge = 10 * time.Minute

// StartJob starts a command that runs once.
func (c *Cluster) StartJob(ctx context.Context, d control.Deployment, j control.Job) error {
	return translate(ctx, "StartJob", c.startJob(ctx, d, j, false))
}

// startJob makes a job unless it is there. Its Secrets come first, so that the
// pod finds them, and are then given to the job; doing it again mends what was
// left half done.
func (c *Cluster) startJob(ctx context.Context, d control.Deployment, j control.Job, step bool) error {
	objects, err := RenderJob(d, j, step)
	if err != nil {
		return err
	}
	if c.opts.PodSecurity == PodSecurityRestricted {
		restrict(&objects.Job.Spec.Template.Spec)
	}
	if err := c.sweepOrphans(ctx, d.App.ID); err != nil {
		return err
	}
	jobs := c.core.BatchV1().Jobs(d.App.ID)
	made, err := jobs.Get(ctx, j.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		for _, v := range d.Volumes {
			if err := c.EnsureVolume(ctx, d.App, v); err != nil {
				return err
			}
		}
		for _, s := range []*corev1.Secret{objects.Env, objects.Pull} {
			if s == nil {
				continue
			}
			if err := c.applySecret(ctx, s); err != nil {
				return err
			}
		}
		made, err = apply(ctx, jobs, objects.Job)
	}
	if err != nil {
		return err
	}
	owner := []any{map[string]any{
		"apiVersion": "batch/v1", "kind": "Job", "name": made.Name, "uid": string(made.UID), "controller": true,
	}}
	for _, s := range []*corev1.Secret{objects.Env, objects.Pull} {
		if s == nil {
			continue
		}
		err := mergePatch(ctx, c.core.CoreV1().Secrets(d.App.ID), s.Name,
			map[string]any{"metadata": map[string]any{"ownerReferences": owner}})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// sweepOrphans removes Secrets whose job was never made.
func (c *Cluster) sweepOrphans(ctx context.Context, app string) error {
	secrets := c.core.CoreV1().Secrets(app)
	list, err := secrets.List(ctx, metav1.ListOptions{
		LabelSelector: appSelector(app) + "," + labelClass + " in (" + classRun + "," + classStep + ")",
	})
	if err != nil {
		return err
	}
	for _, s := range list.Items {
		if len(s.OwnerReferences) > 0 || c.now().Sub(s.CreationTimestamp.Time) < orphanAge {
			continue
		}
		if err := secrets.Delete(ctx, s.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// RunStep runs a command and waits for its end. Jobs of other releases' steps
// are removed.
func (c *Cluster) RunStep(ctx context.Context, d control.Deployment, j control.Job) error {
	if err := c.EnsureApp(ctx, d.App); err != nil {
		return err
	}
	background := metav1.DeletePropagationBackground
	err := c.core.BatchV1().Jobs(d.App.ID).DeleteCollection(ctx, metav1.DeleteOptions{PropagationPolicy: &background},
		metav1.ListOptions{LabelSelector: appSelector(d.App.ID) + "," + labelClass + "=" + classStep + "," +
			labelVersion + "!=" + versionName(d.Release.Version)})
	if err != nil {
		return translate(ctx, "RunStep", err)
	}
	if err := c.startJob(ctx, d, j, true); err != nil {
		return translate(ctx, "RunStep", err)
	}
	return translate(ctx, "RunStep", c.awaitStep(ctx, d.App.ID, j))
}

// EndSteps lets the cluster remove the jobs of steps that have ended.
func (c *Cluster) EndSteps(ctx context.Context, app string) error {
	jobs := c.core.BatchV1().Jobs(app)
	list, err := jobs.List(ctx, metav1.ListOptions{LabelSelector: appSelector(app) + "," + labelClass + "=" + classStep})
	if err != nil {
		return translate(ctx, "EndSteps", err)
	}
	for _, j := range list.Items {
		if j.Spec.TTLSecondsAfterFinished != nil {
			continue
		}
		err := mergePatch(ctx, jobs, j.Name, map[string]any{"spec": map[string]any{"ttlSecondsAfterFinished": platform.MaxRunExpires}})
		if err != nil && !apierrors.IsNotFound(err) {
			return translate(ctx, "EndSteps", err)
		}
	}
	return nil
}

// awaitStep returns nil when the job ended well and a *control.RolloutError
// when it did not or cannot.
func (c *Cluster) awaitStep(ctx context.Context, app string, j control.Job) error {
	w, err := c.watchJob(ctx, app, j.Name)
	if err != nil {
		return err
	}
	defer w.stop()
	failed := func(t trouble) error {
		return &control.RolloutError{Ptype: j.For, Pod: t.pod, Kind: t.kind, Reason: t.reason, Restored: true}
	}
	for {
		job, there := w.jobs.get(j.Name)
		pod := w.pod()
		switch {
		case !there && !w.seen:
		case !there:
			return failed(trouble{kind: kindRun, reason: "the run step was removed before it ended"})
		case jobEnded(job, batchv1.JobComplete):
			return nil
		case jobEnded(job, batchv1.JobFailed):
			return failed(c.whyFailed(ctx, app, j, job, pod))
		}
		w.seen = w.seen || there
		t, again := w.trouble(c.now(), pod)
		if t != nil {
			// It never began; left alone it might when nobody wants it any more.
			if err := c.deleteJob(ctx, app, j.Name); err != nil {
				return err
			}
			return failed(*t)
		}
		if err := w.sleep(ctx, again.Sub(c.now())); err != nil {
			return err
		}
	}
}

func (c *Cluster) deleteJob(ctx context.Context, app, name string) error {
	background := metav1.DeletePropagationBackground
	err := c.core.BatchV1().Jobs(app).Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func jobEnded(j *batchv1.Job, how batchv1.JobConditionType) bool {
	for _, cond := range j.Status.Conditions {
		if cond.Type == how && cond.Status == corev1.ConditionTrue {
			return true
		}
	}
	return false
}
