package main

import (
	"context"

	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
)

// runStandby is the platform of a server that has joined another: the control
// plane runs here too, the controller and the charts are the first one's.
func (s *server) runStandby(ctx context.Context) error {
	_, err := k3s.WaitNode(ctx, s.paths.Kubeconfig, s.nodeName, func(reason string) {
		s.board.Set(lineKubernetes, lifecycle.Working, reason)
	})
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	s.board.Set(lineKubernetes, lifecycle.Ready, "")
	entries, _ := s.board.Snapshot()
	for _, e := range entries {
		if e.State == lifecycle.Waiting && e.Name != lineDoor {
			s.board.Set(e.Name, lifecycle.Ready, "runs on "+s.settings.JoinURL)
		}
	}
	<-ctx.Done()
	return nil
}
