package kube

import (
	"context"
	"encoding/json"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/slipway-paas/slipway/platform"
)

// Ptypes lists the app's Deployments, newest first.
func (c *Cluster) Ptypes(ctx context.Context, app string) ([]platform.PtypeStatus, error) {
	list, err := c.core.AppsV1().Deployments(app).List(ctx, metav1.ListOptions{LabelSelector: appSelector(app)})
	if err != nil {
		return nil, translate(ctx, "Ptypes", err)
	}
	out := make([]platform.PtypeStatus, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, asPtype(&list.Items[i]))
	}
	slices.SortStableFunc(out, func(a, b platform.PtypeStatus) int { return b.Started.Compare(a.Started) })
	return out, nil
}

func asPtype(d *appsv1.Deployment) platform.PtypeStatus {
	wanted := 1
	if d.Spec.Replicas != nil {
		wanted = int(*d.Spec.Replicas)
	}
	return platform.PtypeStatus{
		Name: d.Labels[labelType], Release: d.Spec.Template.Labels[labelVersion],
		Ready: int(d.Status.ReadyReplicas), Wanted: wanted,
		UpToDate: int(d.Status.UpdatedReplicas), Available: int(d.Status.AvailableReplicas),
		Started: d.CreationTimestamp.Time,
	}
}

// DescribePtype tells of the containers in a Deployment's template.
func (c *Cluster) DescribePtype(ctx context.Context, app, ptype string) ([]platform.Container, error) {
	d, err := c.core.AppsV1().Deployments(app).Get(ctx, workloadName(app, ptype), metav1.GetOptions{})
	if err != nil {
		return nil, translate(ctx, "DescribePtype", err)
	}
	spec := d.Spec.Template.Spec
	var out []platform.Container
	for _, cn := range spec.Containers {
		one := asContainer(cn)
		one.NodeSelector = spec.NodeSelector
		if one.LivenessProbe, err = asObject(numbered(cn, cn.LivenessProbe)); err != nil {
			return nil, err
		}
		if one.ReadinessProbe, err = asObject(numbered(cn, cn.ReadinessProbe)); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// numbered is a probe of c with the number of the port that it has by name:
// clients read a number there.
func numbered(c corev1.Container, probe *corev1.Probe) *corev1.Probe {
	probe = probe.DeepCopy()
	if probe == nil || probe.TCPSocket == nil {
		return probe // only the default, which asks a socket, names its port
	}
	for _, p := range c.Ports {
		if p.Name == probe.TCPSocket.Port.StrVal {
			probe.TCPSocket.Port = intstr.FromInt32(p.ContainerPort)
		}
	}
	return probe
}

func asContainer(c corev1.Container) platform.Container {
	out := platform.Container{Name: c.Name, Image: c.Image, Command: c.Command, Args: c.Args, Limits: map[string]string{}}
	for name, quantity := range c.Resources.Limits {
		out.Limits[string(name)] = quantity.String()
	}
	for _, m := range c.VolumeMounts {
		out.Mounts = append(out.Mounts, platform.ContainerMount{Name: m.Name, Path: m.MountPath})
	}
	return out
}

// asObject is a value in the cluster's own JSON; nil for nil.
func asObject[T any](v *T) (map[string]any, error) {
	if v == nil {
		return nil, nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	err = json.Unmarshal(raw, &out)
	return out, err
}

// DescribePod tells of the containers of a pod, or of a Job's newest pod; a
// Job without one yet has none.
func (c *Cluster) DescribePod(ctx context.Context, app, pod string) ([]platform.Container, error) {
	p, err := c.findPod(ctx, app, pod)
	if err != nil || p == nil {
		return nil, translate(ctx, "DescribePod", err)
	}
	var out []platform.Container
	for _, cn := range p.Spec.Containers {
		one := asContainer(cn)
		one.Status, one.Reason, one.Message = string(p.Status.Phase), p.Status.Reason, p.Status.Message
		for i := range p.Status.ContainerStatuses {
			if cs := &p.Status.ContainerStatuses[i]; cs.Name == cn.Name {
				if err := addStatus(&one, cs); err != nil {
					return nil, err
				}
			}
		}
		out = append(out, one)
	}
	return out, nil
}

func addStatus(c *platform.Container, cs *corev1.ContainerStatus) (err error) {
	c.Ready, c.Restarts = cs.Ready, int(cs.RestartCount)
	if c.State, err = asObject(&cs.State); err != nil {
		return err
	}
	c.LastState, err = asObject(&cs.LastTerminationState)
	return err
}

// findPod finds a pod of the app, or the newest of the Job of that name; nil,
// nil for a Job that has none yet.
func (c *Cluster) findPod(ctx context.Context, app, name string) (*corev1.Pod, error) {
	p, err := c.core.CoreV1().Pods(app).Get(ctx, name, metav1.GetOptions{})
	if err == nil && p.Labels[labelHeritage] == heritage {
		return p, nil
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	job, err := c.core.BatchV1().Jobs(app).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	if job.Labels[labelHeritage] != heritage {
		return nil, platform.Errorf(platform.NotFound, "the app has no pod %s", name)
	}
	list, err := c.core.CoreV1().Pods(app).List(ctx, metav1.ListOptions{LabelSelector: labelJob + "=" + name})
	if err != nil {
		return nil, err
	}
	pods := make([]*corev1.Pod, len(list.Items))
	for i := range list.Items {
		pods[i] = &list.Items[i]
	}
	return newest(pods, name), nil
}

// DeletePods has pods of the app end. A name that is none of them is NotFound
// before anything is done.
func (c *Cluster) DeletePods(ctx context.Context, app string, names []string) error {
	var found []string
	for _, name := range names {
		p, err := c.findPod(ctx, app, name)
		if err != nil {
			return translate(ctx, "DeletePods", err)
		}
		if p != nil {
			found = append(found, p.Name)
		}
	}
	for _, name := range found {
		err := c.core.CoreV1().Pods(app).Delete(ctx, name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return translate(ctx, "DeletePods", err)
		}
	}
	return nil
}
