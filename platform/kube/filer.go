package kube

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const pingTimeout = 5 * time.Second

// StartFiler returns when the volume's filer is ready, with the passwords that
// it has. One that has ended, or lost its passwords, is started anew.
func (c *Cluster) StartFiler(ctx context.Context, a platform.App, f control.Filer) (control.Filer, error) {
	if c.opts.FilerImage == "" {
		return control.Filer{}, platform.Errorf(platform.Unavailable, "this installation carries no image that serves the files of volumes")
	}
	f, err := c.startFiler(ctx, a, f)
	if err != nil {
		return control.Filer{}, translate(ctx, "StartFiler", err)
	}
	return f, nil
}

func (c *Cluster) startFiler(ctx context.Context, a platform.App, f control.Filer) (control.Filer, error) {
	if err := c.ensureVolume(ctx, a, f.Volume); err != nil {
		return f, err
	}
	running, err := c.runningFiler(ctx, a.ID, f)
	if err != nil {
		return f, err
	}
	if running == nil {
		if err := c.makeFiler(ctx, a, f); err != nil {
			return f, err
		}
		running = &f
	}
	return *running, c.awaitFiler(ctx, a.ID, f.Volume)
}

// runningFiler finds the filer that runs; nil: there is none, nor a rest of one.
func (c *Cluster) runningFiler(ctx context.Context, app string, f control.Filer) (*control.Filer, error) {
	job, err := c.core.BatchV1().Jobs(app).Get(ctx, filerName(f.Volume), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	secret, err := c.core.CoreV1().Secrets(app).Get(ctx, filerName(f.Volume), metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	if err == nil && !jobOver(job) && len(secret.Data[keyWriter]) > 0 && len(secret.Data[keyReader]) > 0 {
		f.Writer, f.Reader = string(secret.Data[keyWriter]), string(secret.Data[keyReader])
		return &f, nil
	}
	return nil, c.endFiler(ctx, app, f.Volume)
}

func jobOver(job *batchv1.Job) bool {
	for _, cond := range job.Status.Conditions {
		over := cond.Type == batchv1.JobComplete || cond.Type == batchv1.JobFailed || cond.Type == batchv1.JobFailureTarget
		if over && cond.Status == corev1.ConditionTrue {
			return true
		}
	}
	return job.DeletionTimestamp != nil
}

// makeFiler writes the passwords first, so that the pod finds them, and then
// hands them to the Job, with which they go.
func (c *Cluster) makeFiler(ctx context.Context, a platform.App, f control.Filer) error {
	if err := c.applySecret(ctx, renderFilerSecret(a, f)); err != nil {
		return err
	}
	job, err := apply(ctx, c.core.BatchV1().Jobs(a.ID), renderFiler(a, f, c.opts.FilerImage))
	if err != nil {
		return err
	}
	return mergePatch(ctx, c.core.CoreV1().Secrets(a.ID), filerName(f.Volume), map[string]any{
		"metadata": map[string]any{"ownerReferences": []any{map[string]any{
			"apiVersion": "batch/v1", "kind": "Job", "name": job.Name, "uid": string(job.UID),
		}}},
	})
}

// awaitFiler waits until the filer serves.
func (c *Cluster) awaitFiler(ctx context.Context, app string, v platform.Volume) error {
	waiting, stop := context.WithTimeout(ctx, c.patience.filer)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	changed := make(chan struct{}, 1)
	view, err := follow(waiting, &group, c.filerPods(app, v.Name), changed)
	if err != nil {
		return err
	}
	state := "not made yet"
	for {
		for _, p := range view.all() {
			if servingFiler(p) {
				return nil
			}
			state = podState(p)
		}
		select {
		case <-changed:
		case <-waiting.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return platform.Errorf(platform.Unavailable, "the file client of volume %s did not start: its pod is %s", v.Name, state)
		}
	}
}

func (c *Cluster) filerPods(app, volume string) source[*corev1.Pod] {
	s := c.pods(app)
	s.opts = metav1.ListOptions{LabelSelector: labelOwnerApp + "=" + app + "," + labelFiler + "=" + volume}
	return s
}

func servingFiler(p *corev1.Pod) bool {
	return p.DeletionTimestamp == nil && p.Status.Phase == corev1.PodRunning && podReady(p) && p.Status.PodIP != ""
}

// FindFiler says where a volume's filer serves WebDAV, empty when there is
// none that does.
func (c *Cluster) FindFiler(ctx context.Context, app, volume string) (string, error) {
	address, err := c.filerAddress(ctx, app, volume, c.filerPort)
	return address, translate(ctx, "FindFiler", err)
}

func (c *Cluster) filerAddress(ctx context.Context, app, volume string, port int) (string, error) {
	pods := c.filerPods(app, volume)
	pods.opts.ResourceVersion = "0" // the API server's cache will do
	list, _, err := pods.list(ctx, pods.opts)
	if err != nil {
		return "", err
	}
	for _, p := range list {
		if servingFiler(p) {
			return net.JoinHostPort(p.Status.PodIP, strconv.Itoa(port)), nil
		}
	}
	return "", nil
}

// PingFiler asks the filer to go on.
func (c *Cluster) PingFiler(ctx context.Context, app, volume string) error {
	address, err := c.filerAddress(ctx, app, volume, c.filerPingPort)
	if err != nil {
		return translate(ctx, "PingFiler", err)
	}
	if address == "" {
		return platform.Errorf(platform.NotFound, "no filer serves volume %s", volume)
	}
	return translate(ctx, "PingFiler", c.ping(ctx, "http://"+address+"/ping"))
}

func (c *Cluster) ping(ctx context.Context, url string) (err error) {
	bounded, stop := context.WithTimeout(ctx, pingTimeout)
	defer stop()
	r, err := http.NewRequestWithContext(bounded, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := c.direct.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // read to its end or not, it is done with
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the filer answered %s", answer.Status)
	}
	return nil
}

// endFiler removes the filer of a volume and its passwords.
func (c *Cluster) endFiler(ctx context.Context, app string, v platform.Volume) error {
	policy := metav1.DeletePropagationBackground
	err := c.core.BatchV1().Jobs(app).Delete(ctx, filerName(v), metav1.DeleteOptions{PropagationPolicy: &policy})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	err = c.core.CoreV1().Secrets(app).Delete(ctx, filerName(v), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	return nil
}
