package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/k3s/kine"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/platform/store"
)

const (
	// roundEvery is how often a running server looks at itself and its host;
	// after a round that found an error, the next one comes sooner, so that
	// status does not tell of what is mended.
	roundEvery = 5 * time.Minute
	roundSoon  = 30 * time.Second
	// roundPatience is how long a platform that starts is left alone. What the
	// board calls not ready for longer keeps nobody from looking at the rest.
	roundPatience = 10 * time.Minute
)

// rounds are the running server's own visits to the doctor.
type rounds struct {
	mu     sync.Mutex
	last   doctor.Report
	at     time.Time
	stored *store.Store // nil unless this server's controller works
}

func (r *rounds) set(report doctor.Report, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.at = report, at
}

func (r *rounds) findings() ([]doctor.Finding, time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last.Findings, r.at
}

func (r *rounds) database() *store.Store {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stored
}

func (r *rounds) hold(s *store.Store) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stored = s
}

// lend lets the checks look at the store for as long as it is open here.
func (r *rounds) lend(s *store.Store) lifecycle.Part {
	return lifecycle.Part{Name: "store for the doctor", Run: func(ctx context.Context) error {
		r.hold(s)
		<-ctx.Done()
		r.hold(nil)
		return nil
	}}
}

// runRounds looks at host and platform now and then, until ctx ends. While the
// platform starts there is nothing to say that the board does not say better.
func (s *server) runRounds(ctx context.Context) error {
	m, err := openMachine(nil, nil)
	if err != nil {
		return err
	}
	s.awaitStart(ctx)
	for ctx.Err() == nil {
		pause := roundEvery
		report, err := s.round(ctx, m)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			s.log.WithError(err).Warn("looking at this host")
		default:
			s.rounds.set(report, time.Now())
			if report.Err() != nil {
				pause = roundSoon
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
	return nil
}

// awaitStart returns when the platform has started, or ought to have.
func (s *server) awaitStart(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, roundPatience)
	defer cancel()
	_ = s.board.Watch(ctx, lifecycle.AllReady) // the end of ctx is the caller's to see
}

// round asks the cheap checks of the host, then those of the platform.
func (s *server) round(ctx context.Context, m *machine) (doctor.Report, error) {
	m.inServer = true
	checks, err := m.checks(true)
	if err != nil {
		return doctor.Report{}, err
	}
	chosen := doctor.Select(checks, doctor.RunningAgent)
	if s.settings.Role == bootstrap.RoleServer {
		chosen = append(doctor.Select(checks, doctor.RunningServer), s.platformChecks()...)
	}
	var cheap []doctor.Check
	for _, c := range chosen {
		if !c.Costly {
			cheap = append(cheap, c)
		}
	}
	return doctor.Run(ctx, cheap)
}

// doctorHandlers answer "slipway doctor" over the socket:
//
//	GET /doctor        a report of the checks that only this process can ask
//	POST /doctor/fix   ?check=ID carries out what it alone can mend
func (s *server) doctorHandlers(handlers map[string]http.Handler) map[string]http.Handler {
	handlers["GET /doctor"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		report, err := doctor.Run(r.Context(), s.platformChecks())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(report) // the asker has gone
	})
	handlers["POST /doctor/fix"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.mend(r.Context(), r.URL.Query().Get("check")); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
		}
	})
	return handlers
}

// mend carries out a fix that is in this process's hands.
func (s *server) mend(ctx context.Context, check string) error {
	if check != "controller-database" {
		return fmt.Errorf("the server has no fix for the check %q", check)
	}
	db := s.rounds.database()
	if db == nil {
		return errors.New("compact the controller's database: the controller does not work on this server, or is still starting")
	}
	if err := db.Compact(ctx); err != nil {
		return fmt.Errorf("compact the controller's database: %w", err)
	}
	s.log.Info("the controller's database was compacted")
	return nil
}

// kineLeast is how much has to be free in the cluster's database for it to be
// compacted at start: reading and writing it takes a second or two.
const kineLeast = 64 << 20

// compactCluster gives back the room in the cluster's database while nobody
// uses it. That it cannot be done is no reason not to start.
func (s *server) compactCluster(ctx context.Context) {
	done, err := kine.Compact(ctx, kine.File(s.settings.DataDir), kineLeast)
	if err != nil {
		s.log.WithError(err).Warn("compacting the cluster's database")
	} else if done {
		s.log.Info("the cluster's database was compacted")
	}
}

// askServer gets the report of what only the running server can look at.
func askServer(ctx context.Context, p bootstrap.Paths) (doctor.Report, error) {
	body, err := lifecycle.Ask(ctx, socketFile(p), "/doctor")
	if err != nil {
		return doctor.Report{}, err
	}
	defer body.Close()
	var r doctor.Report
	if err := json.NewDecoder(body).Decode(&r); err != nil {
		return doctor.Report{}, fmt.Errorf("the running server's answer: %w", err)
	}
	return r, nil
}
