package follow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/join"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
)

const (
	// first is how long an agent that starts has for itself before it looks.
	first = 5 * time.Second
	// every is the time between two looks.
	every = 30 * time.Second
	// busyEvery is that time while something is under way here.
	busyEvery = 5 * time.Second
	// Spread is the longest that an agent waits for its turn. Each takes another
	// moment of it, so that not all nodes restart at once.
	Spread = time.Minute
	// silence is how long a server may be away before the board says so: it is
	// when it is upgraded itself.
	silence = 10 * time.Minute
	// soon and late are when a program is tried again that failed: one that was
	// never looked at, and one that was and is not well here.
	soon = 2 * time.Minute
	late = 6 * time.Hour
	// goneLooks is how many looks in a row must find nobody who carries out what
	// the record says: one program may take over from another.
	goneLooks = 2
)

// Door is the server's node door, as join.Client is one.
type Door interface {
	Offer(ctx context.Context) (join.Offer, error)
	Binary(ctx context.Context, want join.Binary, w io.Writer, progress func(done int64)) error
	Close()
}

// Agent is the side of the program that runs. It is used by one goroutine.
type Agent struct {
	Record      upgrade.Record
	Checkpoints string          // folder of what an upgrade keeps
	Running     upgrade.Version // this program
	// Installed is the sum of the program that is installed, which is another
	// while it is replaced.
	Installed func() (string, error)
	Dial      func(ctx context.Context) (Door, error)
	// Free is how many bytes there are on the disk of a folder.
	Free func(dir string) (uint64, error)
	// Start runs a program that outlives this one. alive reports whether it
	// still runs.
	Start func(program string) (alive func() (bool, error), err error)
	// Tell says how following goes on. An empty message is a node that runs what
	// its server runs.
	Tell func(state lifecycle.State, message string)
	// Chance is a time between zero and most.
	Chance func(most time.Duration) time.Duration
	Clock  func() time.Time
	Log    string // file that programs which are started write to

	silent time.Time // since when the server has not answered
	busy   bool      // something is under way here
	gone   int       // looks in a row that found nobody
	turn   turn
	child  *child
}

// turn is when this node follows to a program.
type turn struct {
	sum  string
	from time.Time
}

// child is a program that was started here.
type child struct {
	offer   join.Offer
	alive   func() (bool, error)
	started time.Time
}

// Run looks again and again until ctx ends. It returns upgrade.ErrCutOff when
// this process has to start anew for the old program to be brought back.
func (a *Agent) Run(ctx context.Context) error {
	for wait := first; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		err := a.Look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, upgrade.ErrCutOff):
			return err
		case err != nil:
			a.Tell(lifecycle.Failed, err.Error())
		}
		wait = every
		if a.busy {
			wait = busyEvery
		}
		if left := a.turn.from.Sub(a.Clock()); left > 0 {
			wait = min(wait, left+time.Second)
		}
	}
}

// Look asks once what the server runs, and does what follows from it.
func (a *Agent) Look(ctx context.Context) error {
	state, busy, err := a.unfinished()
	a.busy = busy
	if err != nil || busy {
		a.tellUnfinished(state)
		return err
	}
	door, offer, err := a.ask(ctx)
	if err != nil || door == nil {
		return err
	}
	defer door.Close()
	if offer.Binary.SHA256 == a.Running.SHA256 {
		return a.same(state)
	}
	failed := state.Phase == upgrade.RolledBack && state.To.SHA256 == offer.Binary.SHA256
	again := retry(state)
	now := a.Clock()
	switch {
	case offer.Arch != runtime.GOARCH:
		a.tellOfArch(offer)
		return nil
	case offer.Unsettled:
		a.Tell(lifecycle.Working, fmt.Sprintf("the server is being upgraded to %s; this node follows when that is settled", offer.Version))
		return nil
	case failed && now.Before(again):
		a.Tell(lifecycle.Failed, fmt.Sprintf("%s: %s; it is tried again at %s, or as soon as the server runs another program",
			a.behind(offer), state.Reason, again.UTC().Format(time.RFC3339)))
		return nil
	case !a.itsTurn(offer.Binary.SHA256, now):
		a.Tell(lifecycle.Working, a.behind(offer)+": this node follows within a minute or two")
		return nil
	}
	return a.begin(ctx, door, offer)
}

// unfinished looks at an upgrade that has not ended, here or by a program that
// was started here.
func (a *Agent) unfinished() (state upgrade.State, busy bool, err error) {
	alive := false
	if a.child != nil {
		if alive, err = a.child.alive(); err != nil {
			return state, true, err
		}
	}
	verdict, _, err := a.Record.AtBoot(a.Installed, a.Clock())
	if err != nil {
		return state, true, err
	}
	held, err := a.Record.Held()
	if err == nil {
		state, err = a.Record.Read() // AtBoot may have closed it
	}
	if err != nil {
		return state, true, err
	}
	if verdict != upgrade.GoBack || held || alive {
		a.gone = 0
	} else if a.gone++; a.gone >= goneLooks {
		return state, true, upgrade.ErrCutOff
	}
	if alive || held || !state.Phase.Ended() {
		return state, true, nil
	}
	return a.reaped(state)
}

// tellUnfinished shows what is under way here.
func (a *Agent) tellUnfinished(s upgrade.State) {
	if s.Phase.Ended() {
		return // it has not begun, or is over in a moment
	}
	a.Tell(lifecycle.Working, fmt.Sprintf("from %s to %s: %s", s.From.Slipway, s.To.Slipway, s.Phase))
}

// reaped writes down what became of a program that has ended without a word.
func (a *Agent) reaped(state upgrade.State) (upgrade.State, bool, error) {
	c := a.child
	if c == nil {
		return state, false, nil
	}
	a.child = nil
	if !state.Began.Before(c.started) {
		return state, false, nil // it has said itself
	}
	state, err := a.failed(c.offer, fmt.Errorf("it ended before it had begun: see %s", a.Log))
	return state, err != nil, err
}

// ask returns no door while the server is away for no longer than it may.
func (a *Agent) ask(ctx context.Context) (Door, join.Offer, error) {
	door, err := a.Dial(ctx)
	var offer join.Offer
	if err == nil {
		if offer, err = door.Offer(ctx); err != nil {
			door.Close()
		}
	}
	if err == nil {
		a.silent = time.Time{}
		return door, offer, nil
	}
	now := a.Clock()
	if a.silent.IsZero() {
		a.silent = now
	}
	if now.Sub(a.silent) < silence {
		return nil, offer, nil
	}
	return nil, offer, fmt.Errorf("whether the server runs another version is not known since %s: %w", a.silent.UTC().Format(time.RFC3339), err)
}

// same is a node that runs what its server runs. What failed before is
// forgotten: should the server come to run it again, it may be tried again.
func (a *Agent) same(state upgrade.State) error {
	a.turn = turn{}
	a.Tell(lifecycle.Ready, "")
	if state.Phase == upgrade.RolledBack {
		if err := a.Record.Write(upgrade.State{}); err != nil {
			return err
		}
	}
	return a.tidy()
}

// behind says what runs here and what should.
func (a *Agent) behind(offer join.Offer) string {
	if offer.Version == a.Running.Slipway {
		return fmt.Sprintf("runs %s, the cluster another build of it", offer.Version)
	}
	return fmt.Sprintf("runs %s, the cluster %s", a.Running.Slipway, offer.Version)
}

// tellOfArch is for a host that can't run what the server runs.
func (a *Agent) tellOfArch(offer join.Offer) {
	if offer.Version == a.Running.Slipway {
		a.Tell(lifecycle.Ready, "")
		return
	}
	a.Tell(lifecycle.Failed, fmt.Sprintf("%s, whose program is for %s: bring slipway %s for %s here and run it with \"join\"",
		a.behind(offer), offer.Arch, offer.Version, runtime.GOARCH))
}

// itsTurn reports whether this node may follow now.
func (a *Agent) itsTurn(sum string, now time.Time) bool {
	if a.turn.sum != sum {
		a.turn = turn{sum: sum, from: now.Add(a.Chance(Spread))}
	}
	return !now.Before(a.turn.from)
}

// begin hands over to the server's program.
func (a *Agent) begin(ctx context.Context, door Door, offer join.Offer) error {
	a.Tell(lifecycle.Working, a.behind(offer)+": downloading it")
	program, err := a.download(ctx, door, offer)
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		started := a.Clock()
		var alive func() (bool, error)
		if alive, err = a.Start(program); err == nil {
			a.child = &child{offer: offer, alive: alive, started: started}
			a.Tell(lifecycle.Working, a.behind(offer)+": it is being installed")
			return nil
		}
	}
	if _, recorded := a.failed(offer, err); recorded != nil {
		return errors.Join(err, recorded)
	}
	return fmt.Errorf("%s: %w", a.behind(offer), err)
}

// failed writes down that a program could not be begun with.
func (a *Agent) failed(offer join.Offer, cause error) (upgrade.State, error) {
	now := a.Clock().UTC()
	s := upgrade.State{
		Phase: upgrade.RolledBack, From: a.Running, Began: now, Ended: now, Reason: cause.Error(),
		To: upgrade.Version{Slipway: offer.Version, Kubernetes: offer.Kubernetes, SHA256: offer.Binary.SHA256},
	}
	return s, a.Record.Write(s)
}

// retry is when a program that failed may be tried again.
func retry(s upgrade.State) time.Time {
	if s.Checkpoint == "" || s.WasCutOff() {
		return s.Ended.Add(soon)
	}
	return s.Ended.Add(late)
}
