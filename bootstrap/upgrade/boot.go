package upgrade

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Verdict is what a server that starts has to do.
type Verdict string

// The verdicts.
const (
	// Serve: no upgrade is unfinished.
	Serve Verdict = "serve"
	// HoldChanges: an upgrade looks at this server; serve, but take no changes that a
	// rollback would lose. See Watch.
	HoldChanges Verdict = "hold changes"
	// GoBack: an upgrade was cut off; roll it back before anything else.
	GoBack Verdict = "go back"
)

// AtBoot decides what a server whose installed binary has the given SHA-256 has
// to do. binary is asked only when an upgrade is unfinished: it takes a moment.
// A record of what turned out to be nothing is closed.
func (r Record) AtBoot(binary func() (string, error), now time.Time) (Verdict, State, error) {
	s, err := r.Read()
	if err != nil || s.Phase.Ended() {
		return Serve, s, err
	}
	alive, err := r.Held()
	if err != nil {
		return Serve, s, err
	}
	sum, err := binary()
	if err != nil {
		return Serve, s, err
	}
	if sum == s.From.SHA256 || s.Checkpoint == "" {
		// Nothing was changed yet, or everything is back. Without a checkpoint
		// another binary is somebody's who put it there by hand.
		if alive {
			return Serve, s, nil
		}
		return Serve, s, r.close(s, now)
	}
	if alive && (s.Phase == Applying || s.Phase == Verifying) {
		return HoldChanges, s, nil
	}
	return GoBack, s, nil
}

// close ends the record of an upgrade with the old binary in its place.
func (r Record) close(s State, now time.Time) error {
	if s.Phase != RollingBack {
		s.Reason = CutOff + " before anything was changed"
	}
	s.Phase, s.Ended = RolledBack, now.UTC()
	return r.Write(s)
}

// CutOff is how the reason of an upgrade begins that was taken back because its
// program had gone.
const CutOff = "it was cut off"

// WasCutOff reports whether an upgrade was taken back because its program had
// gone, and not for what it found.
func (s State) WasCutOff() bool { return strings.HasPrefix(s.Reason, CutOff) }

// ErrCutOff says that the program which carried out an upgrade has gone without
// finishing it.
var ErrCutOff = errors.New("the upgrade was cut off: the version before is brought back at the next start of the service")

// graceLooks is how many looks in a row must find nobody, so that an upgrade
// that is begun again at once can take over.
const graceLooks = 10

// Watch returns nil when the upgrade that looks at this server is committed,
// ErrCutOff when its program is gone, and ctx's error. look gives a tick for
// each look; once a second is often enough.
func (r Record) Watch(ctx context.Context, look <-chan time.Time) error {
	for gone := 0; ; {
		s, err := r.Read()
		if err != nil {
			return err
		}
		if s.Phase == Committed || s.Phase == Stranded {
			return nil
		}
		alive, err := r.Held()
		if err != nil {
			return err
		}
		gone++
		if alive {
			gone = 0
		}
		if gone >= graceLooks {
			return ErrCutOff
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look:
		}
	}
}
