// Package lifecycle owns what runs for long in the server process: a group of
// parts that start and stop together, a board where each says how it is
// doing, and the socket over which the board is read.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
)

// Part is one long-lived piece of the server. Run works until ctx ends and
// returns when all it started has stopped; a return before that stops the
// whole server.
type Part struct {
	Name string
	Run  func(ctx context.Context) error
}

// Run runs all parts until ctx ends or one of them returns, stops the
// others, waits for each, and joins their errors. The last part is stopped
// first: later parts stand on earlier ones.
func Run(ctx context.Context, parts []Part) error {
	type exit struct {
		index int
		err   error
	}
	exits := make(chan exit, len(parts))
	cancels := make([]context.CancelFunc, len(parts))
	done := make([]chan struct{}, len(parts))
	for i, p := range parts {
		// WithoutCancel: the end of ctx stops the parts in order, below.
		partCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		cancels[i], done[i] = cancel, make(chan struct{})
		go func() {
			err := p.Run(partCtx)
			close(done[i])
			exits <- exit{i, err}
		}()
	}
	var errs []error
	left := len(parts)
	select {
	case <-ctx.Done():
	case e := <-exits:
		left--
		errs = append(errs, exitError(parts[e.index], e.err))
	}
	for i := len(parts) - 1; i >= 0; i-- {
		cancels[i]()
		<-done[i]
	}
	for ; left > 0; left-- {
		e := <-exits
		if e.err != nil && !errors.Is(e.err, context.Canceled) {
			errs = append(errs, fmt.Errorf("%s: %w", parts[e.index].Name, e.err))
		}
	}
	return errors.Join(errs...)
}

func exitError(p Part, err error) error {
	if err == nil {
		return fmt.Errorf("%s: stopped by itself", p.Name)
	}
	return fmt.Errorf("%s: %w", p.Name, err)
}
