package k3s

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/k3s-io/k3s/pkg/agent/cri"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const criSocket = "/run/k3s/containerd/containerd.sock"

// WaitPods returns when no pod of the node is said to run a container that
// does not. After a power cut the API server still tells of the containers
// from before until the kubelet has looked at each, so neither "ready" of a
// pod nor of what counts pods can be believed earlier.
func WaitPods(ctx context.Context, kubeconfig, node string, progress func(string)) error {
	// Two systems are compared and one of them has no watch.
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		stale, err := stalePods(ctx, kubeconfig, node)
		if err == nil && len(stale) == 0 {
			return nil
		}
		if err != nil {
			progress(err.Error())
		} else {
			progress("waiting for the kubelet to look at " + strings.Join(stale, ", "))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("pods of node %s: %w", node, ctx.Err())
		case <-tick.C:
		}
	}
}

// stalePods lists the pods that are said to run a container which containerd
// does not run.
func stalePods(ctx context.Context, kubeconfig, node string) ([]string, error) {
	running, err := runningContainers(ctx)
	if err != nil {
		return nil, err
	}
	client, err := clientFor(kubeconfig)
	if err != nil {
		return nil, err
	}
	pods, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", node).String(),
	})
	if err != nil {
		return nil, fmt.Errorf("pods: %w", err)
	}
	var stale []string
	for _, pod := range pods.Items {
		if saysTooMuch(pod, running) {
			stale = append(stale, pod.Namespace+"/"+pod.Name)
		}
	}
	return stale, nil
}

// saysTooMuch reports whether a pod's status has a running container that is
// not among those that run.
func saysTooMuch(pod corev1.Pod, running map[string]bool) bool {
	for _, c := range pod.Status.ContainerStatuses {
		_, id, _ := strings.Cut(c.ContainerID, "://")
		if c.State.Running != nil && !running[id] {
			return true
		}
	}
	return false
}

// runningContainers asks containerd for the ids of the containers that run.
func runningContainers(ctx context.Context) (map[string]bool, error) {
	conn, err := cri.Connection(ctx, criSocket)
	if err != nil {
		return nil, fmt.Errorf("containerd: %w", err)
	}
	defer conn.Close()
	list, err := runtimeapi.NewRuntimeServiceClient(conn).ListContainers(ctx, &runtimeapi.ListContainersRequest{
		Filter: &runtimeapi.ContainerFilter{State: &runtimeapi.ContainerStateValue{State: runtimeapi.ContainerState_CONTAINER_RUNNING}},
	})
	if err != nil {
		return nil, fmt.Errorf("containerd: %w", err)
	}
	running := map[string]bool{}
	for _, c := range list.Containers {
		running[c.Id] = true
	}
	return running, nil
}
