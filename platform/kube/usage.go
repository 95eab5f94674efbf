package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-paas/slipway/platform"
)

// nodesAtOnce bounds the requests that one question leads to.
const nodesAtOnce = 8

// summary is the part of a kubelet's statistics that is read here.
type summary struct {
	Pods []struct {
		PodRef struct{ Name, Namespace string }
		CPU    *struct {
			UsageCoreNanoSeconds *uint64
		}
		Memory *struct {
			WorkingSetBytes *uint64
		}
		Network *struct {
			RxBytes, TxBytes *uint64
		}
		Disk *struct {
			UsedBytes *uint64
		} `json:"ephemeral-storage"`
	}
}

// Usage asks the nodes of the app's pods, whose kubelets count for every pod
// whether or not a metrics server is installed. Nodes that do not answer are
// left out, unless none does.
func (c *Cluster) Usage(ctx context.Context, app string) ([]platform.PodUsage, error) {
	list, err := c.core.CoreV1().Pods(app).List(ctx, metav1.ListOptions{LabelSelector: appSelector(app)})
	if err != nil {
		return nil, translate(ctx, "Usage", err)
	}
	nodes, mine := map[string]bool{}, map[string]bool{}
	for _, p := range list.Items {
		if mine[p.Name] = true; p.Spec.NodeName != "" {
			nodes[p.Spec.NodeName] = true
		}
	}
	var (
		mu    sync.Mutex
		out   []platform.PodUsage
		last  error
		group errgroup.Group
		heard int
	)
	group.SetLimit(nodesAtOnce)
	for node := range nodes {
		group.Go(func() error {
			s, err := c.summary(ctx, node)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				last = fmt.Errorf("node %s: statistics: %w", node, err)
				return nil
			}
			heard++
			for _, p := range s.usage(app) {
				if mine[p.Pod] {
					out = append(out, p)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // every error is kept in last
	if heard == 0 && last != nil {
		return nil, translate(ctx, "Usage", last)
	}
	slices.SortFunc(out, func(a, b platform.PodUsage) int { return strings.Compare(a.Pod, b.Pod) })
	return out, nil
}

func (c *Cluster) summary(ctx context.Context, node string) (summary, error) {
	var s summary
	raw, err := c.core.CoreV1().RESTClient().Get().Resource("nodes").Name(node).SubResource("proxy").
		Suffix("stats", "summary").Do(ctx).Raw()
	if err != nil {
		return s, err
	}
	err = json.Unmarshal(raw, &s)
	return s, err
}

// usage picks the pods of a namespace.
func (s summary) usage(app string) []platform.PodUsage {
	var out []platform.PodUsage
	for _, p := range s.Pods {
		if p.PodRef.Namespace != app {
			continue
		}
		u := platform.PodUsage{Pod: p.PodRef.Name, CPUSeconds: -1, Memory: -1, Disk: -1, Received: -1, Sent: -1}
		if p.CPU != nil && p.CPU.UsageCoreNanoSeconds != nil {
			u.CPUSeconds = float64(*p.CPU.UsageCoreNanoSeconds) / 1e9
		}
		if p.Memory != nil {
			u.Memory = count(p.Memory.WorkingSetBytes)
		}
		if p.Disk != nil {
			u.Disk = count(p.Disk.UsedBytes)
		}
		if p.Network != nil {
			u.Received, u.Sent = count(p.Network.RxBytes), count(p.Network.TxBytes)
		}
		out = append(out, u)
	}
	return out
}

// count is n, or -1 for what was not told.
func count(n *uint64) int64 {
	if n == nil {
		return -1
	}
	return int64(*n)
}
