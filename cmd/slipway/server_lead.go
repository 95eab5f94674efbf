package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/charts"
	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/edge"
	"github.com/slipway-paas/slipway/platform/kube"
	"github.com/slipway-paas/slipway/platform/kube/lease"
)

const (
	// leadRetry is how long a server that could not begin to lead lets others try.
	leadRetry = 10 * time.Second
	// leadGrace is how long the parts of a controller that lost the lease may take
	// to end. They can write nothing meanwhile; one that hangs ends the process,
	// and the service manager starts a new one.
	leadGrace = 30 * time.Second
)

// unfitError says why this server cannot lead although it holds the lease.
type unfitError struct{ err error }

// Error implements error.
func (e *unfitError) Error() string { return e.err.Error() }

// Unwrap implements errors.
func (e *unfitError) Unwrap() error { return e.err }

// runLeadership has this server's controller work whenever it holds the lease.
// The controllers of other servers stand by, and so does this one's when the
// database is on another server's disk.
func (s *server) runLeadership(ctx context.Context) error {
	options := lease.Options{
		Kubeconfig: s.paths.Kubeconfig, Identity: s.nodeName, Logger: s.log,
		Seen: func(holder string) { s.sees(holder) },
	}
	if !s.failsOver() {
		options.Timing = lease.Bound()
	}
	elector, err := lease.New(options)
	if err != nil {
		return err
	}
	if s.bystander() {
		return elector.Watch(ctx)
	}
	for {
		err := elector.Lead(ctx, func(ctx context.Context, term *lease.Term) error { return s.lead(ctx, elector, term) })
		var unfit *unfitError
		switch {
		case ctx.Err() != nil:
			return ignoreEnd(ctx, err)
		case errors.Is(err, lease.ErrLost):
			s.log.Warn("the lease was lost: this server's controller has stopped, another server's may work")
			s.standBy(s.leaderName())
			continue
		case !errors.As(err, &unfit):
			return err
		}
		s.log.WithError(err).WithField("retry", leadRetry.String()).Error("this server's controller cannot work")
		s.board.Set(lineController, lifecycle.Failed, err.Error())
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(leadRetry):
		}
	}
}

// bystander reports whether this server can never lead: it joined another, and
// the database is on that one's disk.
func (s *server) bystander() bool { return s.settings.JoinURL != "" && !s.failsOver() }

// failsOver reports whether several servers have the controller's database.
func (s *server) failsOver() bool { return !s.settings.DatabaseURL.Empty() }

// mayWrite is asked before every change to the cluster.
func (s *server) mayWrite() error {
	if term := s.term.Load(); term != nil {
		return term.Check()
	}
	return platform.Errorf(platform.Unavailable, "this server's controller does not lead")
}

// lead runs the controller and what goes with it until ctx ends.
func (s *server) lead(ctx context.Context, elector *lease.Elector, term *lease.Term) error {
	s.term.Store(term)
	defer s.term.Store(nil)
	defer context.AfterFunc(ctx, func() { s.boundEnd(ctx) })()
	s.board.Set(lineController, lifecycle.Working, "opening the store")
	for _, line := range s.ledLines() {
		s.board.Set(line, lifecycle.Waiting, "")
	}
	c, parts, err := s.openPlatform(ctx, elector)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return &unfitError{err}
	}
	s.core.Store(c.control)
	s.board.Set(lineController, lifecycle.Ready, "")
	err = lifecycle.Run(ctx, parts)
	s.core.Store(nil)
	err = errors.Join(err, c.store.Close())
	if errors.Is(context.Cause(ctx), lease.ErrLost) {
		if err != nil {
			s.log.WithError(err).Info("the controller that lost the lease ended")
		}
		return lease.ErrLost
	}
	return err
}

// boundEnd ends the process when a controller that lost the lease does not end.
func (s *server) boundEnd(ctx context.Context) {
	if !errors.Is(context.Cause(ctx), lease.ErrLost) {
		return
	}
	term := s.term.Load()
	time.AfterFunc(leadGrace, func() {
		if term != nil && s.term.Load() == term {
			s.log.Fatal("the controller lost the lease and does not end: ending this process")
		}
	})
}

// openPlatform makes the controller and the parts that work while it leads.
func (s *server) openPlatform(ctx context.Context, elector *lease.Elector) (*controller, []lifecycle.Part, error) {
	options, err := s.clusterOptions()
	if err != nil {
		return nil, nil, err
	}
	cluster, err := kube.New(options)
	if err != nil {
		return nil, nil, err
	}
	authority, err := edge.OpenAuthority(s.paths.CA, time.Now)
	if err != nil {
		return nil, nil, err
	}
	c, err := s.openController(ctx, cluster, authority)
	if err != nil {
		return nil, nil, err
	}
	renewer, err := s.newRenewer(c.wildcardIssuer(authority))
	if err == nil {
		err = s.sameDatabase(ctx, elector, c)
	}
	if err != nil {
		return nil, nil, errors.Join(err, c.close())
	}
	return c, append(c.parts(s), s.gitPart(c.control), s.rounds.lend(c.store),
		lifecycle.Part{Name: "nodes", Run: func(ctx context.Context) error { return s.followNodes(ctx, cluster) }},
		lifecycle.Part{Name: "charts", Run: s.runCharts},
		lifecycle.Part{Name: "certificate", Run: renewer.Run}), nil
}

// sameDatabase refuses to take over from a controller with another database: its
// apps would be gone from the platform's view. The first server may: it is where
// an operator moves the platform to another database.
func (s *server) sameDatabase(ctx context.Context, elector *lease.Elector, c *controller) error {
	mine, err := c.store.Identity(ctx)
	if err != nil {
		return err
	}
	holder, err := elector.Holder(ctx)
	if err != nil {
		return err
	}
	if holder.Database != "" && holder.Database != mine && s.settings.JoinURL != "" {
		return errors.New("DATABASE_URL names another database than the one that the platform has: give it the same as on the first server (/etc/slipway/credentials) and run \"slipway install\" here")
	}
	return elector.SetDatabase(ctx, mine)
}

// ledLines are the lines of the board that the leader's parts write.
func (s *server) ledLines() []string {
	lines := []string{lineCertificate}
	for _, c := range charts.List() {
		lines = append(lines, c.Name)
	}
	return append(lines, lineDeploys, lineGit)
}

// sees is told whose controller works.
func (s *server) sees(holder string) {
	s.leader.Store(&holder)
	if holder != s.nodeName {
		s.standBy(holder)
	}
}

func (s *server) leaderName() string {
	if name := s.leader.Load(); name != nil {
		return *name
	}
	return ""
}

// standBy puts on the board that others work. A server that stands by is well.
func (s *server) standBy(holder string) {
	state, where := lifecycle.Ready, "on "+holder
	if holder == "" || holder == s.nodeName {
		state, where = lifecycle.Working, "no server's controller works just now"
		if s.bystander() {
			where = "no controller works: the server whose disk has its database is away; " +
				"apps run on, deploys wait for it (docs/servers.md)"
		}
	}
	for _, line := range slices.Concat(s.ledLines(), []string{lineController}) {
		message := where
		if line == lineController && state == lifecycle.Ready {
			message = s.standing(holder)
		}
		s.board.Set(line, state, message)
	}
}

// standing says what this server's controller does while another one works.
func (s *server) standing(holder string) string {
	if s.bystander() {
		return fmt.Sprintf("on %s, whose disk has its database: it does not fail over (docs/servers.md)", holder)
	}
	return fmt.Sprintf("on %s; this server takes over when that one ends", holder)
}
