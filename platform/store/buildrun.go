package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const runColumns = `r.uuid, a.id, r.username, r.origin, r.ref, r.sha, r.stack, r.state, r.message, r.version, r.created, r.started, r.ended`

const runFrom = ` FROM build_runs r JOIN apps a ON a.number = r.app`

// openRun is the condition of the index of runs that have not ended.
const openRun = `state IN ('queued', 'running')`

func scanRun(row rowScanner) (platform.BuildRun, error) {
	var r platform.BuildRun
	var created, started, ended int64
	err := row.Scan(&r.UUID, &r.App, &r.User, &r.Origin, &r.Ref, &r.SHA, &r.Stack, &r.State, &r.Message, &r.Version, &created, &started, &ended)
	r.Created, r.Started, r.Ended = fromMicros(created), fromMicros(started), fromMicros(ended)
	return r, err
}

// AddBuildRun records a run that waits for its turn.
func (s *Store) AddBuildRun(ctx context.Context, r platform.BuildRun, runner string) error {
	return s.tx(ctx, "store.AddBuildRun", "App", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `INSERT INTO build_runs (uuid, app, runner, username, origin, ref, sha, state, created, delivery)
			SELECT ?, number, ?, ?, ?, ?, ?, ?, ?, ? FROM apps WHERE id = ?`,
			r.UUID, runner, r.User, r.Origin, r.Ref, r.SHA, string(platform.BuildQueued), micros(r.Created), r.Delivery, r.App))
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: r.App, Object: "build", Action: "create", Created: r.Created},
			map[string]any{"run": r.UUID, "user": r.User, "origin": r.Origin, "sha": r.SHA})
	})
}

// StartBuildRun records that a run's turn has come.
func (s *Store) StartBuildRun(ctx context.Context, uuid string, at time.Time) error {
	return s.tx(ctx, "store.StartBuildRun", "BuildRun", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE build_runs SET state = ?, started = ? WHERE uuid = ? AND state = ?`,
			string(platform.BuildRunning), micros(at), uuid, string(platform.BuildQueued))
		return changedRun(ctx, tx, uuid, res, err)
	})
}

// EndBuildRun records how a run has ended, once.
func (s *Store) EndBuildRun(ctx context.Context, r platform.BuildRun) error {
	return s.tx(ctx, "store.EndBuildRun", "BuildRun", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE build_runs SET state = ?, message = ?, ended = ? WHERE uuid = ? AND `+openRun,
			string(r.State), r.Message, micros(r.Ended), r.UUID)
		if err := changedRun(ctx, tx, r.UUID, res, err); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: r.App, Object: "build", Action: string(r.State), Created: r.Ended},
			map[string]any{"run": r.UUID, "message": r.Message})
	})
}

// changedRun turns a change that met no row into NotFound or Conflict.
func changedRun(ctx context.Context, tx *sql.Tx, uuid string, res sql.Result, err error) error {
	if err = one(res, err); !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var state platform.BuildState
	if err := tx.QueryRowContext(ctx, `SELECT state FROM build_runs WHERE uuid = ?`, uuid).Scan(&state); err != nil {
		return err
	}
	return ranAlready(state)
}

func ranAlready(state platform.BuildState) error {
	if state.Ended() {
		return platform.Errorf(platform.Conflict, "The build has ended already: %s.", state)
	}
	return platform.Errorf(platform.Conflict, "The build is %s already.", state)
}

// releaseRun ends the run that a new build comes from, if there is one.
func releaseRun(ctx context.Context, tx *sql.Tx, b platform.Build, version int) error {
	res, err := tx.ExecContext(ctx, `UPDATE build_runs SET state = ?, version = ?, stack = ?, ended = ? WHERE uuid = ? AND state = ?`,
		string(platform.BuildSucceeded), version, b.Stack, micros(b.Created), b.UUID, string(platform.BuildRunning))
	err = changedRun(ctx, tx, b.UUID, res, err)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // an image that was made elsewhere
	}
	return err
}

// FindBuildRun finds a run of an app.
func (s *Store) FindBuildRun(ctx context.Context, app, uuid string) (platform.BuildRun, error) {
	r, err := scanRun(s.read.QueryRowContext(ctx, `SELECT `+runColumns+runFrom+` WHERE r.uuid = ? AND a.id = ?`, uuid, app))
	return r, fault("store.FindBuildRun", "BuildRun", err)
}

// ListBuildRuns lists an app's runs, newest first, and counts them all.
func (s *Store) ListBuildRuns(ctx context.Context, app string, p control.Page) (list []platform.BuildRun, total int, err error) {
	limit, offset := page(p)
	err = s.view(ctx, "store.ListBuildRuns", "BuildRun", func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+runFrom+` WHERE a.id = ?`, app).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+runColumns+runFrom+` WHERE a.id = ? ORDER BY r.number DESC LIMIT ? OFFSET ?`, app, limit, offset)
		list, err = collect(rows, err, scanRun)
		return err
	})
	return list, total, err
}

// ListOpenBuildRuns lists what has not ended of a runner, oldest first.
func (s *Store) ListOpenBuildRuns(ctx context.Context, runner string) ([]platform.BuildRun, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+runColumns+runFrom+` WHERE r.runner = ? AND r.`+openRun+` ORDER BY r.number`, runner)
	list, err := collect(rows, err, scanRun)
	return list, fault("store.ListOpenBuildRuns", "BuildRun", err)
}

// PruneBuildRuns forgets the ended runs of an app but for the newest keep.
func (s *Store) PruneBuildRuns(ctx context.Context, app string, keep int) error {
	return s.tx(ctx, "store.PruneBuildRuns", "BuildRun", func(tx *sql.Tx) error {
		var last int64
		err := tx.QueryRowContext(ctx, `SELECT r.number FROM build_runs r JOIN apps a ON a.number = r.app
			WHERE a.id = ? ORDER BY r.number DESC LIMIT 1 OFFSET ?`, app, keep).Scan(&last)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM build_runs WHERE app = (SELECT number FROM apps WHERE id = ?)
			AND number <= ? AND NOT (`+openRun+`)`, app, last)
		return err
	})
}

func logPlace(run int64, start int64) string { return fmt.Sprintf("build_logs/%d/%d", run, start) }

// AddBuildLog adds a piece to the log of a run and takes from its middle.
func (s *Store) AddBuildLog(ctx context.Context, uuid string, p control.LogPiece, head, tail int64) (state platform.BuildState, err error) {
	err = s.tx(ctx, "store.AddBuildLog", "BuildRun", func(tx *sql.Tx) error {
		var run int64
		if err := tx.QueryRowContext(ctx, `SELECT number, state FROM build_runs WHERE uuid = ?`, uuid).Scan(&run, &state); err != nil {
			return err
		}
		// The same piece may come again when the answer to the first got lost.
		_, err := tx.ExecContext(ctx, `INSERT INTO build_logs (run, start, size, sealed) VALUES (?, ?, ?, ?) ON CONFLICT (run, start) DO NOTHING`,
			run, p.Start, len(p.Text), s.seal.seal(logPlace(run, p.Start), p.Text))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM build_logs WHERE run = ? AND start >= ? AND start < ?`,
			run, head, p.Start+int64(len(p.Text))-tail)
		return err
	})
	return state, err
}

// ReadBuildLog lists pieces from the one that has byte from on.
func (s *Store) ReadBuildLog(ctx context.Context, uuid string, from int64, limit int) ([]control.LogPiece, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT l.run, l.start, l.sealed FROM build_logs l
		WHERE l.run = (SELECT number FROM build_runs WHERE uuid = ?)
		AND l.start >= COALESCE((SELECT max(b.start) FROM build_logs b WHERE b.run = (SELECT number FROM build_runs WHERE uuid = ?)
			AND b.start <= ? AND b.start + b.size > ?), ?)
		ORDER BY l.start LIMIT ?`, uuid, uuid, from, from, from, limit)
	list, err := collect(rows, err, func(row rowScanner) (p control.LogPiece, err error) {
		var run int64
		var sealed []byte
		if err := row.Scan(&run, &p.Start, &sealed); err != nil {
			return p, err
		}
		p.Text, err = s.seal.open(logPlace(run, p.Start), sealed)
		return p, err
	})
	return list, fault("store.ReadBuildLog", "BuildRun", err)
}
