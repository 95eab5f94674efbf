package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Apply rolls d out and waits until every process type is ready.
//
// A release that does not become ready, or that the cluster refuses, is taken
// back before Apply returns: what served before serves on, and is what the
// Deployment says. When the cluster is away or ctx is over nothing is taken
// back; calling Apply again with the same deployment carries on.
func (c *Cluster) Apply(ctx context.Context, d control.Deployment) error {
	surroundings, err := c.surroundings(ctx)
	if err != nil {
		return translate(ctx, "Apply", err)
	}
	objects, err := Render(d, surroundings)
	if err != nil {
		return err
	}
	if err := c.ensure(ctx, objects); err != nil {
		return translate(ctx, "Apply", err)
	}
	for _, v := range d.Volumes {
		if err := c.EnsureVolume(ctx, d.App, v); err != nil {
			return err
		}
	}
	run := &deploy{c: c, d: d, app: d.App.ID, objects: objects}
	err = translate(ctx, "Apply", run.perform(ctx))
	if err == nil || ctx.Err() != nil || platform.CodeOf(err) == platform.Unavailable {
		return err
	}
	undone := translate(ctx, "Apply", run.restore(ctx))
	if undone != nil {
		return fmt.Errorf("%w; putting back what served before: %w", err, undone)
	}
	var failed *control.RolloutError
	if errors.As(err, &failed) {
		failed.Restored = true
	}
	return err
}

// deploy is one Apply.
type deploy struct {
	c       *Cluster
	d       control.Deployment
	app     string
	objects Objects

	rollouts   []*rollout
	autoscaled map[string]bool // Deployments that had an autoscaler when we began
	views      views
	changed    chan struct{}
}

type views struct {
	deployments *view[*appsv1.Deployment]
	pods        *view[*corev1.Pod]
}

func (r *deploy) perform(ctx context.Context) error {
	watching, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	if err := r.watch(watching, &group); err != nil {
		return err
	}
	now := r.c.now()
	for i, o := range r.objects.Processes {
		roll := newRollout(o, r.d, timeout(r.d.Processes[i]), now, r.c.patience)
		roll.remember(r.views.pods.all())
		r.rollouts = append(r.rollouts, roll)
	}
	if err := r.each(ctx, r.applyWorkload); err != nil {
		return err
	}
	if err := r.await(ctx); err != nil {
		return err
	}
	if err := r.each(ctx, r.applyAutoscaler); err != nil {
		return err
	}
	if err := r.expose(ctx); err != nil {
		return err
	}
	if err := r.each(ctx, r.markServing); err != nil {
		return err
	}
	r.prune(ctx)
	return nil
}

// watch opens the views before anything is applied, so that the waiting
// begins with no request of its own.
func (r *deploy) watch(ctx context.Context, group *sync.WaitGroup) error {
	r.changed = make(chan struct{}, 1)
	var opening errgroup.Group
	opening.Go(func() (err error) {
		r.views.deployments, err = follow(ctx, group, r.c.deployments(r.app), r.changed)
		return err
	})
	opening.Go(func() (err error) {
		r.views.pods, err = follow(ctx, group, r.c.pods(r.app), r.changed)
		return err
	})
	opening.Go(func() (err error) {
		r.autoscaled, err = r.c.autoscalers(ctx, r.app)
		return err
	})
	return opening.Wait()
}

// each does one thing for all process types at once. One that fails does not
// cut the others short: a request given up half way may still be carried out.
func (r *deploy) each(ctx context.Context, do func(context.Context, *rollout) error) error {
	var group errgroup.Group
	for _, roll := range r.rollouts {
		group.Go(func() error { return do(ctx, roll) })
	}
	return group.Wait()
}

func (r *deploy) applyWorkload(ctx context.Context, roll *rollout) error {
	for _, s := range []*corev1.Secret{roll.objects.Env, roll.objects.Pull} {
		if s == nil {
			continue
		}
		if err := r.c.applySecret(ctx, s); err != nil {
			return err
		}
	}
	applied, err := r.applyDeployment(ctx, roll)
	if err != nil {
		return err
	}
	roll.generation = applied.Generation
	return r.applyBudget(ctx, roll, applied)
}

// await returns nil when all are ready, and a *control.RolloutError for the
// first that cannot be.
func (r *deploy) await(ctx context.Context) error {
	for {
		var next time.Time
		open := 0
		now := r.c.now()
		pods := r.views.pods.all()
		for _, roll := range r.rollouts {
			if roll.done {
				continue
			}
			found, _ := r.views.deployments.get(roll.objects.Deployment.Name)
			t, again := roll.judge(now, found, pods)
			if t != nil && t.kind == kindTimeout {
				var err error
				if t, again, err = r.reconsider(ctx, roll); err != nil {
					return err
				}
			}
			if t != nil {
				return r.rolloutError(ctx, roll, *t)
			}
			if roll.done {
				continue
			}
			open++
			if next.IsZero() || again.Before(next) {
				next = again
			}
		}
		if open == 0 {
			return nil
		}
		if err := r.sleep(ctx, next.Sub(now)); err != nil {
			return err
		}
	}
}

// sleep until something changed, at most d.
func (r *deploy) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.changed:
	case <-timer.C:
	}
	return nil
}

// reconsider looks at the cluster itself before a deadline is held against a
// release: the watches may be behind, the cluster may be away, or a large
// image may be on its way.
func (r *deploy) reconsider(ctx context.Context, roll *rollout) (*trouble, time.Time, error) {
	found, err := r.c.core.AppsV1().Deployments(r.app).Get(ctx, roll.objects.Deployment.Name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, time.Time{}, err
	}
	if err == nil && complete(found, roll.generation) {
		roll.done = true
		return nil, time.Time{}, nil
	}
	source := r.c.pods(r.app)
	pods, _, err := source.list(ctx, source.opts)
	if err != nil {
		return nil, time.Time{}, err
	}
	late := &trouble{kind: kindTimeout, pods: roll.mine(pods)}
	if !roll.extended {
		for _, p := range late.pods {
			if r.c.pulling(ctx, p) {
				roll.extended = true
				roll.deadline = r.c.now().Add(r.c.patience.pulling)
				return nil, roll.deadline, nil
			}
		}
	}
	return late, time.Time{}, nil
}

// markServing records on the Deployment that this version is the one to come
// back to. It is a patch and no apply, so that the apply of a later release
// does not drop it.
func (r *deploy) markServing(ctx context.Context, roll *rollout) error {
	return mergePatch(ctx, r.c.core.AppsV1().Deployments(r.app), roll.objects.Deployment.Name, map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{annotationServing: roll.version}},
	})
}

// prune removes the Secrets of all other versions. The release is ready by
// now, so trouble here is not its: the next one prunes these as well.
func (r *deploy) prune(ctx context.Context) {
	var ptypes []string
	for _, roll := range r.rollouts {
		ptypes = append(ptypes, roll.objects.Ptype)
	}
	if len(ptypes) == 0 {
		return
	}
	err := r.c.core.CoreV1().Secrets(r.app).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{
		LabelSelector: appSelector(r.app) + "," +
			labelClass + " in (" + classEnv + "," + classPull + ")," +
			labelType + " in (" + strings.Join(ptypes, ",") + ")," +
			labelVersion + "!=" + r.rollouts[0].version,
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		r.c.log.WithError(err).WithField("app", r.app).Warn("kube: removing the secrets of old releases")
	}
}
