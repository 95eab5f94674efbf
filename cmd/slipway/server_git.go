package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/gitssh"
	"github.com/slipway-paas/slipway/platform/kube"
)

const (
	lineGit = "git"
	// gitUser is the number of the user that git runs as. It has no name, no
	// files but repositories, and lies where no system gives numbers to people.
	gitUser  = 65522
	gitGrace = 10 * time.Second
	gitRetry = 10 * time.Second
)

// gitPart is the door for git push. Apps run and the API answers without it,
// so what keeps it from opening is shown and tried again.
func (s *server) gitPart(verbs *control.Controller) lifecycle.Part {
	return lifecycle.Part{Name: lineGit, Run: func(ctx context.Context) error {
		for {
			s.board.Set(lineGit, lifecycle.Working, "opening the door for git push")
			err := s.runGit(ctx, verbs)
			if ctx.Err() != nil {
				return err
			}
			s.log.WithError(err).Error("git push is not possible")
			s.board.Set(lineGit, lifecycle.Failed, err.Error())
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(gitRetry):
			}
		}
	}}
}

// runGit serves until ctx ends.
func (s *server) runGit(ctx context.Context, verbs *control.Controller) error {
	limits, err := gitssh.ParseLimits(s.settings.ControllerSetting)
	if err != nil {
		return err
	}
	git, err := carriedGit(s.paths.Bin)
	if err != nil {
		return err
	}
	door, err := gitssh.New(gitssh.Options{
		Addrs: []string{net.JoinHostPort("", strconv.Itoa(s.settings.GitPort()))},
		Dir:   s.paths.Git, KeyDir: s.paths.GitKeys, Hook: s.paths.Binary, Git: git,
		Control: heldPushes{verbs, s.held}, Logger: s.log, Limits: limits, Grace: gitGrace,
	})
	if err != nil {
		return err
	}
	if _, err := door.Listen(ctx); err != nil {
		return err
	}
	s.board.Set(lineGit, lifecycle.Ready, "")
	return door.Run(ctx)
}

// newFetcher makes what gets source from repositories elsewhere. Without git
// there is none, and the rest of the platform does without.
func (s *server) newFetcher() (control.Fetcher, error) {
	limits, err := gitssh.ParseLimits(s.settings.ControllerSetting)
	if err != nil {
		return nil, err
	}
	git, err := carriedGit(s.paths.Bin)
	if err != nil {
		s.log.WithError(err).Warn("nothing can be fetched from git repositories elsewhere")
		return nil, nil
	}
	return gitssh.NewFetcher(gitssh.FetchOptions{
		Dir: s.paths.Git, Git: git, Limits: limits, Allowed: s.settings.FetchAllowed(), Forbidden: s.ownAddresses,
	})
}

// ownAddresses are those of this node and its cluster.
func (s *server) ownAddresses() []netip.Prefix {
	list := []netip.Prefix{s.settings.ClusterCIDR, s.settings.ServiceCIDR}
	for _, text := range kube.HostAddresses() {
		if a, err := netip.ParseAddr(text); err == nil {
			list = append(list, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return list
}

// carriedGit is the git of the payload; a program without one uses the host's.
func carriedGit(bin string) (gitssh.Git, error) {
	if embedded.Available() {
		c := embedded.Git(bin)
		return gitssh.Git{Path: c.Path, Args: c.Args, Env: c.Env, UID: gitUser}, nil
	}
	path, err := exec.LookPath("git")
	if err != nil {
		return gitssh.Git{}, errors.New("this slipway was built without its payload, and the host has no git")
	}
	return gitssh.Git{Path: path, Args: []string{"git"}, Env: []string{"PATH=/usr/bin:/bin"}, UID: gitUser}, nil
}
