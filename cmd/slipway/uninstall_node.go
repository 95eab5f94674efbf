package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
)

// memberPatience is how long a cluster may take to say who its servers are. One
// that is gone does not keep a host from being cleared.
const memberPatience = 10 * time.Second

// mayUninstall refuses to clear a host that others still count on: a member of
// etcd that goes without a word takes the majority with it.
func (m *machine) mayUninstall(ctx context.Context) error {
	if m.settings.Role == bootstrap.RoleAgent {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, memberPatience)
	defer cancel()
	fleet, err := k3s.OpenFleet(m.paths.Kubeconfig)
	if err != nil {
		return nil // there is no cluster to ask
	}
	list, err := fleet.List(ctx)
	if err != nil {
		return nil // it does not answer
	}
	name, err := nodeName(m.host, m.settings)
	if err != nil {
		return err
	}
	return lastWord(list, name)
}

// lastWord refuses for a server among several.
func lastWord(list []k3s.NodeInfo, name string) error {
	others, member := "", false
	for _, n := range list {
		switch {
		case n.Role != string(k3s.Server):
		case n.Name == name:
			member = true
		default:
			others = n.Name
		}
	}
	if !member || others == "" {
		return nil
	}
	return fmt.Errorf("this host is one of several servers of its cluster (nothing was changed): take it out first, on another server (%s) with "+
		"\"slipway node remove %s\", or give --force when the others are given up too", others, name)
}

// farewell says what is left of a node elsewhere.
func (m *machine) farewell(w io.Writer) error {
	if m.settings.JoinURL == "" {
		return nil
	}
	name, err := nodeName(m.host, m.settings)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "If the cluster still lists this node, take it out on a server (%s): slipway node remove %s\n", m.settings.JoinURL, name)
	return err
}
