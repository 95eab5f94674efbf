package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The registry's Deployment, its container, and the two files that it is
// configured with: the chart has both.
const (
	registryName     = "registry"
	registryProgram  = "/usr/bin/registry"
	registryConfig   = "/etc/distribution/config.yml"
	registryReadOnly = "/etc/distribution/readonly.yml"

	registryPatience = 3 * time.Minute
	registryLook     = 500 * time.Millisecond
)

// RegistryValve opens and shuts the platform's registry for pushes.
type RegistryValve struct{ cluster *Cluster }

// RegistryValve is the one of the cluster's registry.
func (c *Cluster) RegistryValve() RegistryValve { return RegistryValve{c} }

// Shut replaces the registry by one that takes no pushes, and returns when no
// other runs.
func (v RegistryValve) Shut(ctx context.Context) error {
	return v.serve(ctx, registryReadOnly)
}

// Open replaces a registry that was shut. One that is open stays as it is.
func (v RegistryValve) Open(ctx context.Context) error {
	have, err := v.cluster.core.AppsV1().Deployments(v.cluster.opts.GatewayNamespace).Get(ctx, registryName, metav1.GetOptions{})
	if err != nil {
		return translate(ctx, "RegistryValve.Open", err)
	}
	if slices.Equal(have.Spec.Template.Spec.Containers[0].Args, []string{"serve", registryConfig}) {
		return nil
	}
	return v.serve(ctx, registryConfig)
}

func (v RegistryValve) serve(ctx context.Context, config string) error {
	ctx, cancel := context.WithTimeout(ctx, registryPatience)
	defer cancel()
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
		"containers": []map[string]any{{"name": registryName, "args": []string{"serve", config}}},
	}}}})
	if err != nil {
		return err
	}
	deployments := v.cluster.core.AppsV1().Deployments(v.cluster.opts.GatewayNamespace)
	if _, err := deployments.Patch(ctx, registryName, types.StrategicMergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager}); err != nil {
		return translate(ctx, "RegistryValve", err)
	}
	tick := time.NewTicker(registryLook)
	defer tick.Stop()
	for {
		done, err := v.serves(ctx, config)
		if done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the registry was not replaced by one with %s: %w", config, ctx.Err())
		}
	}
}

// serves reports that all pods of the registry, of which there is one, have the
// configuration and are ready.
func (v RegistryValve) serves(ctx context.Context, config string) (bool, error) {
	pods, err := v.cluster.core.CoreV1().Pods(v.cluster.opts.GatewayNamespace).List(ctx, metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/name=" + registryName,
	})
	if err != nil {
		return false, translate(ctx, "RegistryValve", err)
	}
	ready := 0
	for i := range pods.Items {
		pod := &pods.Items[i]
		if !slices.Equal(pod.Spec.Containers[0].Args, []string{"serve", config}) || pod.DeletionTimestamp != nil {
			return false, nil // an old one, which may still take pushes
		}
		if slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		}) {
			ready++
		}
	}
	return ready > 0 && ready == len(pods.Items), nil
}

// Collect removes what no image has.
func (v RegistryValve) Collect(ctx context.Context) error {
	err := v.cluster.Program(registryName, registryPatience).Exec(ctx, []string{registryProgram, "garbage-collect", "--quiet", registryConfig}, nil, io.Discard)
	if err != nil {
		return fmt.Errorf("collecting the registry's garbage: %w", err)
	}
	return nil
}
