package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/spf13/cobra"
)

func newAgentCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "agent",
		Short: "Run a node without control plane in the foreground",
		Long: `Runs the node's part of Kubernetes in this process until it gets SIGINT or
SIGTERM. "slipway join" prepares the host for it and has the host's service
manager run it.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := unfinishedUpgrade(c.Context(), logrus.StandardLogger()); err != nil {
				return err
			}
			s, err := newAgent()
			if err != nil {
				return err
			}
			return s.runAgent(c.Context())
		},
	}
}

// newAgent is a server without its platform.
func newAgent() (*server, error) {
	h := host.NewLinux(host.Options{})
	settings, _, err := bootstrap.LoadHost(h, nil, nil)
	if err != nil {
		return nil, err
	}
	if settings.Role != bootstrap.RoleAgent {
		return nil, errors.New("this host is not prepared as an agent: run \"slipway join TOKEN\" first")
	}
	s := &server{settings: settings, paths: bootstrap.NewPaths(settings), log: logrus.StandardLogger(), started: time.Now()}
	name, err := nodeName(h, settings) // a host that is called otherwise one day keeps its node
	if err != nil {
		return nil, err
	}
	if s.nodeName, s.address, err = k3s.NodeIdentity(name, settings.NodeIP); err != nil {
		return nil, err
	}
	s.board = lifecycle.NewBoard(time.Now, lineKubernetes)
	return s, nil
}

func (s *server) runAgent(ctx context.Context) error {
	if err := k3s.PrependPath(s.paths.Bin, auxDir(s.paths.Bin)); err != nil {
		return err
	}
	if err := tuneMemory(); err != nil {
		return err
	}
	status := lifecycle.StatusServer{Socket: socketFile(s.paths), Board: s.board, Report: s.report}
	return lifecycle.Run(ctx, []lifecycle.Part{
		{Name: "status", Run: status.Run},
		{Name: "kubernetes", Run: func(ctx context.Context) error {
			s.board.Set(lineKubernetes, lifecycle.Working, "starting")
			return k3s.Run(ctx, k3s.Agent, append(kernelArgs(host.NewLinux(host.Options{}), s.log), s.settings.K3sArgs...)...)
		}},
		{Name: "node", Run: s.watchNode},
		{Name: "memory", Run: s.runTrim},
		{Name: "renewal", Run: s.runRenewal},
		{Name: "doctor", Run: s.runRounds},
		{Name: "follow", Run: s.runFollow},
	})
}

// watchNode shows on the board how the cluster sees this node, until ctx ends.
func (s *server) watchNode(ctx context.Context) error {
	kubeconfig := filepath.Join(s.settings.DataDir, "agent", "kubelet.kubeconfig")
	s.board.Set(lineKubernetes, lifecycle.Working, "asking "+s.settings.JoinURL)
	for ctx.Err() == nil {
		err := k3s.WaitAPI(ctx, kubeconfig)
		if err == nil {
			err = k3s.WatchNode(ctx, kubeconfig, s.nodeName, s.started, s.showNode)
		}
		if err == nil || ctx.Err() != nil {
			break
		}
		s.log.WithError(err).Warn("looking how the cluster sees this node")
		select {
		case <-ctx.Done():
		case <-time.After(chartRetryFirst):
		}
	}
	return nil
}

func (s *server) showNode(reason string) {
	if reason == "" {
		s.board.Set(lineKubernetes, lifecycle.Ready, "")
		return
	}
	s.board.Set(lineKubernetes, lifecycle.Working, reason)
}
