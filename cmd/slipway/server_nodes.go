package main

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/kube"
)

// nodeList is the nodes of the cluster as the leader knows them. Until it has
// asked, this server is the only one.
type nodeList struct {
	self string // address of this server

	mu      sync.Mutex
	nodes   []kube.Node
	changed chan struct{} // closed when nodes have come or gone
}

func newNodeList(self string) *nodeList {
	return &nodeList{self: self, changed: make(chan struct{})}
}

// set takes the nodes; those that come, go or change their addresses are told
// of, readiness is not.
func (l *nodeList) set(nodes []kube.Node) (changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed = !reflect.DeepEqual(lasting(l.nodes), lasting(nodes))
	l.nodes = nodes
	if changed {
		close(l.changed)
		l.changed = make(chan struct{})
	}
	return changed
}

// lasting are the facts of nodes that do not come and go with their health.
func lasting(nodes []kube.Node) []kube.Node {
	var out []kube.Node
	for _, n := range nodes {
		n.Ready = false
		out = append(out, n)
	}
	return out
}

// get returns the nodes and a channel that closes when they are others.
func (l *nodeList) get() ([]kube.Node, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nodes, l.changed
}

// told is what the charts are told of the nodes, to be compared. That the first
// look finds this server alone changes nothing, under whatever more addresses.
func (l *nodeList) told() string {
	nodes, _ := l.get()
	others := []string{}
	for _, n := range nodes {
		if !slices.Contains(n.Internal, l.self) {
			others = append(others, fmt.Sprint(n.Internal, n.External))
		}
	}
	return strings.Join(others, " ")
}

// addresses are those of all nodes, this server's first.
func (l *nodeList) addresses() []string {
	nodes, _ := l.get()
	out := []string{l.self}
	for _, n := range nodes {
		for _, a := range append(append([]string(nil), n.Internal...), n.External...) {
			if a != l.self {
				out = append(out, a)
			}
		}
	}
	return out
}

// networks are the addresses of all nodes as networks of one.
func (l *nodeList) networks() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range l.addresses() {
		if a, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return out
}

// reached is where the gateways take requests: on every node, by the address
// that is known outside where there is one.
func (l *nodeList) reached() []platform.Address {
	nodes, _ := l.get()
	var out []platform.Address
	for _, n := range nodes {
		list := n.External
		if len(list) == 0 {
			list = n.Internal
		}
		for _, a := range list {
			out = append(out, platform.Address{Type: "IPAddress", Value: a})
		}
	}
	if len(out) == 0 {
		return []platform.Address{{Type: "IPAddress", Value: l.self}}
	}
	return out
}

// nodesRetry is how long the cluster is left alone after it could not be told
// of its nodes.
const nodesRetry = 5 * time.Second

// followNodes keeps what depends on the nodes up with them while this server
// leads: who is believed as a gateway, the charts' values, the apps' network
// policies, and where git push is taken.
func (s *server) followNodes(ctx context.Context, cluster *kube.Cluster) error {
	for ctx.Err() == nil {
		following, again := context.WithCancel(ctx)
		err := cluster.FollowNodes(following, func(nodes []kube.Node) {
			if err := s.takeNodes(following, cluster, nodes); err != nil && ctx.Err() == nil {
				s.log.WithError(err).WithField("retry", nodesRetry.String()).Warn("telling the cluster of its nodes")
				time.AfterFunc(nodesRetry, again)
			}
		})
		again()
		if err != nil && ctx.Err() == nil {
			s.log.WithError(err).Warn("looking at the nodes")
			select {
			case <-ctx.Done():
			case <-time.After(nodesRetry):
			}
		}
	}
	return nil
}

func (s *server) takeNodes(ctx context.Context, cluster *kube.Cluster, nodes []kube.Node) error {
	s.nodes.set(nodes)
	if err := cluster.Announce(ctx, nodes); err != nil {
		return err
	}
	return cluster.RefreshPolicies(ctx)
}
