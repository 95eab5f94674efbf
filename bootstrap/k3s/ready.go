package k3s

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	watchtools "k8s.io/client-go/tools/watch"
)

// probeEvery is how often an API server that is not there yet is asked; there
// is nothing to watch before it answers.
const probeEvery = 200 * time.Millisecond

// WaitAPI returns when the API server behind kubeconfig says it is ready, or
// with ctx's error and the last reason.
func WaitAPI(ctx context.Context, kubeconfig string) error {
	var last error
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		if last = probe(ctx, kubeconfig); last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kubernetes API: %w (last answer: %v)", ctx.Err(), last)
		case <-tick.C:
		}
	}
}

func probe(ctx context.Context, kubeconfig string) error {
	if _, err := os.Stat(kubeconfig); err != nil {
		return err
	}
	client, err := clientFor(kubeconfig)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
}

func clientFor(kubeconfig string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", kubeconfig, err)
	}
	return kubernetes.NewForConfig(config)
}

// Node is what the platform needs to know of a node.
type Node struct {
	Name    string
	Address string // internal IP
	Version string // kubelet's
}

// WaitNode returns when the node called name is ready and free of the taint
// that keeps pods away until the cloud controller has seen it. progress gets
// the reason why it is not, whenever that changes.
func WaitNode(ctx context.Context, kubeconfig, name string, progress func(string)) (Node, error) {
	var found Node
	reason := "node " + name + " has not registered"
	progress(reason)
	err := eachNode(ctx, kubeconfig, name, func(node *corev1.Node) (bool, error) {
		now := notReady(node)
		if now != reason && now != "" {
			progress(now)
		}
		reason = now
		found = Node{Name: node.Name, Address: internalIP(node), Version: node.Status.NodeInfo.KubeletVersion}
		return now == "", nil
	})
	if err != nil {
		return Node{}, fmt.Errorf("node %s: %s: %w", name, reason, err)
	}
	return found, nil
}

// WatchNode tells now and after each change why pods can't run on the node;
// empty when they can. What its kubelet has said before since does not count: the
// cluster believes for most of a minute that one is there which has gone. It
// returns nil when ctx ends.
func WatchNode(ctx context.Context, kubeconfig, name string, since time.Time, tell func(reason string)) error {
	err := eachNode(ctx, kubeconfig, name, func(node *corev1.Node) (bool, error) {
		reason := notReady(node)
		if reason == "" && !reported(node, since) {
			reason = "the kubelet has not reported since it was started"
		}
		tell(reason)
		return false, nil
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// eachNode calls f with the node now and after each change, until it says stop.
func eachNode(ctx context.Context, kubeconfig, name string, f func(*corev1.Node) (stop bool, err error)) error {
	client, err := clientFor(kubeconfig)
	if err != nil {
		return err
	}
	selector := fields.OneTermEqualSelector("metadata.name", name).String()
	nodes := client.CoreV1().Nodes()
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = selector
			return nodes.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = selector
			return nodes.Watch(ctx, o)
		},
	}
	_, err = watchtools.UntilWithSync(ctx, source, &corev1.Node{}, nil, func(e watch.Event) (bool, error) {
		node, ok := e.Object.(*corev1.Node)
		if !ok || e.Type == watch.Deleted {
			return false, nil
		}
		return f(node)
	})
	return err
}

// reported reports whether the kubelet has said since a time whether the node is
// ready. Both are told by the clock of its host.
func reported(node *corev1.Node, since time.Time) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return !c.LastHeartbeatTime.Time.Before(since.Truncate(time.Second))
		}
	}
	return false
}

// notReady says why pods can't run on the node yet; empty when they can.
func notReady(node *corev1.Node) string {
	reason := "the kubelet has not reported"
	for _, c := range node.Status.Conditions {
		if c.Type != corev1.NodeReady {
			continue
		}
		if c.Status != corev1.ConditionTrue {
			return c.Message
		}
		reason = ""
	}
	for _, t := range node.Spec.Taints {
		if t.Key == "node.cloudprovider.kubernetes.io/uninitialized" || t.Key == corev1.TaintNodeNotReady {
			return "taint " + t.Key
		}
	}
	if reason == "" && internalIP(node) == "" {
		return "no address yet"
	}
	return reason
}

func internalIP(node *corev1.Node) string {
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}
