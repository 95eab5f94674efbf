package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const releaseColumns = `r.uuid, a.id, r.version, r.state, r.summary, r.exception, r.ptypes, r.config, COALESCE(r.build, ''), r.created, r.updated`

const releaseFrom = ` FROM releases r JOIN apps a ON a.number = r.app`

func scanRelease(row rowScanner) (platform.Release, error) {
	var r platform.Release
	var ptypes string
	var created, updated int64
	err := row.Scan(&r.UUID, &r.App, &r.Version, &r.State, &r.Summary, &r.Exception, &ptypes, &r.Config, &r.Build, &created, &updated)
	r.DeployedPtypes = splitList(ptypes)
	r.Created, r.Updated = fromMicros(created), fromMicros(updated)
	return r, err
}

// AddRelease gives r the next version of r.App and writes it with b and c.
func (s *Store) AddRelease(ctx context.Context, r platform.Release, b *platform.Build, c *platform.Config) (platform.Release, error) {
	err := s.tx(ctx, "store.AddRelease", "App", func(tx *sql.Tx) (err error) {
		r, err = s.addRelease(ctx, tx, r, b, c)
		return err
	})
	return r, err
}

func (s *Store) addRelease(ctx context.Context, tx *sql.Tx, r platform.Release, b *platform.Build, c *platform.Config) (platform.Release, error) {
	var app int64
	err := tx.QueryRowContext(ctx, `UPDATE apps SET last_version = last_version + 1, updated = ? WHERE id = ?
		RETURNING number, last_version`, micros(r.Created), r.App).Scan(&app, &r.Version)
	if err != nil {
		return r, err
	}
	if b != nil {
		if err := s.insertBuild(ctx, tx, app, *b); err != nil {
			return r, err
		}
	}
	if c != nil {
		if err := s.insertConfig(ctx, tx, app, *c); err != nil {
			return r, err
		}
	}
	build := sql.NullString{String: r.Build, Valid: r.Build != ""}
	_, err = tx.ExecContext(ctx, `INSERT INTO releases (uuid, app, version, state, summary, exception, ptypes, config, build, created, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.UUID, app, r.Version, string(r.State), r.Summary, r.Exception,
		joinList(r.DeployedPtypes), r.Config, build, micros(r.Created), micros(r.Updated))
	if err != nil {
		return r, err
	}
	if b != nil {
		if err := releaseRun(ctx, tx, *b, r.Version); err != nil {
			return r, err
		}
	}
	return r, logEvent(ctx, tx, control.Event{App: r.App, Object: "release", Action: "create", Created: r.Created},
		map[string]any{"version": r.Version, "summary": r.Summary})
}

// FindRelease finds by version, 0 being the newest.
func (s *Store) FindRelease(ctx context.Context, app string, version int) (platform.Release, error) {
	if version == 0 {
		return s.LatestRelease(ctx, app, control.ReleaseQuery{})
	}
	return s.findRelease(ctx, "store.FindRelease", ` WHERE a.id = ? AND r.version = ?`, app, version)
}

// LatestRelease is the newest release that q describes.
func (s *Store) LatestRelease(ctx context.Context, app string, q control.ReleaseQuery) (platform.Release, error) {
	where, args := ` WHERE a.id = ?`, []any{app}
	if q.Below > 0 {
		where, args = where+` AND r.version < ?`, append(args, q.Below)
	}
	if q.State != "" {
		where, args = where+` AND r.state = ?`, append(args, string(q.State))
	}
	if q.NotFailed {
		where, args = where+` AND r.state <> ?`, append(args, string(platform.ReleaseCrashed))
	}
	if q.Built {
		where += ` AND r.build IS NOT NULL`
	}
	if q.Build != "" {
		where, args = where+` AND r.build = ?`, append(args, q.Build)
	}
	if q.Config != "" {
		where, args = where+` AND r.config = ?`, append(args, q.Config)
	}
	if q.Ptype != "" {
		where, args = where+` AND r.ptypes LIKE ?`, append(args, "%,"+q.Ptype+",%")
	}
	return s.findRelease(ctx, "store.LatestRelease", where+` ORDER BY r.version DESC LIMIT 1`, args...)
}

func (s *Store) findRelease(ctx context.Context, op, where string, args ...any) (r platform.Release, err error) {
	err = s.view(ctx, op, "Release", func(tx *sql.Tx) error {
		if r, err = scanRelease(tx.QueryRowContext(ctx, `SELECT `+releaseColumns+releaseFrom+where, args...)); err != nil {
			return err
		}
		list := []platform.Release{r}
		err := addConditions(ctx, tx, list)
		r = list[0]
		return err
	})
	return r, err
}

// ListReleases lists newest first those that deployed all of ptypes.
func (s *Store) ListReleases(ctx context.Context, app string, ptypes []string, p control.Page) (list []platform.Release, total int, err error) {
	where, args := ` WHERE a.id = ?`, []any{app}
	for _, ptype := range ptypes {
		where += ` AND r.ptypes LIKE ? ESCAPE '\'`
		args = append(args, "%,"+escapeLike(ptype)+",%")
	}
	limit, offset := page(p)
	err = s.view(ctx, "store.ListReleases", "Release", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+releaseColumns+releaseFrom+where+` ORDER BY r.version DESC LIMIT ? OFFSET ?`,
			append(args[:len(args):len(args)], limit, offset)...)
		if list, err = collect(rows, err, scanRelease); err != nil {
			return err
		}
		total, err = countAll(ctx, tx, len(list), limit, offset, `SELECT count(*)`+releaseFrom+where, args)
		if err != nil {
			return err
		}
		return addConditions(ctx, tx, list)
	})
	return list, total, err
}

func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// addConditions reads the conditions of all releases in list, newest first.
// The index has those of each release in their order.
func addConditions(ctx context.Context, tx *sql.Tx, list []platform.Release) error {
	if len(list) == 0 {
		return nil
	}
	index := make(map[string]int, len(list))
	args := make([]any, len(list))
	for i, r := range list {
		index[r.UUID], args[i] = i, r.UUID
	}
	type found struct {
		release string
		c       platform.Condition
	}
	rows, err := tx.QueryContext(ctx, `SELECT release, state, action, ptypes, exception, created FROM conditions
		WHERE release`+in(len(list))+` ORDER BY release, id`, args...)
	all, err := collect(rows, err, func(row rowScanner) (f found, err error) {
		var ptypes string
		var created int64
		err = row.Scan(&f.release, &f.c.State, &f.c.Action, &ptypes, &f.c.Exception, &created)
		f.c.Ptypes, f.c.Created = splitList(ptypes), fromMicros(created)
		return f, err
	})
	for _, f := range all {
		r := &list[index[f.release]]
		r.Conditions = append(r.Conditions, f.c)
	}
	for i := range list {
		slices.Reverse(list[i].Conditions)
	}
	return err
}

// SetReleaseState records c.State, and c itself when it ends the release.
func (s *Store) SetReleaseState(ctx context.Context, app string, version int, c platform.Condition, deployed []string) error {
	return s.tx(ctx, "store.SetReleaseState", "Release", func(tx *sql.Tx) error {
		var uuid, ptypes string
		err := tx.QueryRowContext(ctx, `SELECT r.uuid, r.ptypes`+releaseFrom+` WHERE a.id = ? AND r.version = ?`, app, version).Scan(&uuid, &ptypes)
		if err != nil {
			return err
		}
		if deployed != nil {
			ptypes = joinList(deployed)
		}
		state, err := stateAfter(ctx, tx, app, version, c.State)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE releases SET state = ?, exception = ?, ptypes = ?, updated = ? WHERE uuid = ?`,
			string(state), c.Exception, ptypes, micros(c.Created), uuid)
		if err != nil {
			return err
		}
		if c.State == platform.ReleaseSucceeded || c.State == platform.ReleaseCrashed {
			_, err = tx.ExecContext(ctx, `INSERT INTO conditions (release, state, action, ptypes, exception, created) VALUES (?, ?, ?, ?, ?, ?)`,
				uuid, string(c.State), c.Action, joinList(c.Ptypes), c.Exception, micros(c.Created))
			if err != nil {
				return err
			}
		}
		return logEvent(ctx, tx, control.Event{App: app, Object: "release", Action: string(c.State), Created: c.Created},
			map[string]any{"version": version, "ptypes": c.Ptypes, "exception": c.Exception})
	})
}

// stateAfter is the state of a release that enters one: a release that has
// ended and is to be deployed again is still being deployed.
func stateAfter(ctx context.Context, tx *sql.Tx, app string, version int, state platform.ReleaseState) (platform.ReleaseState, error) {
	if state != platform.ReleaseSucceeded && state != platform.ReleaseCrashed {
		return state, nil
	}
	var wanted int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM work WHERE app = ? AND kind = ? AND version = ?`, app, string(control.WorkDeploy), version).Scan(&wanted)
	if wanted > 0 {
		state = platform.ReleaseDeploying
	}
	return state, err
}

// Supersede ends every unfinished release with a build below version.
func (s *Store) Supersede(ctx context.Context, app string, version int, at time.Time) error {
	return s.tx(ctx, "store.Supersede", "Release", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+releaseColumns+releaseFrom+`
			WHERE a.id = ? AND r.version < ? AND r.build IS NOT NULL AND r.state IN ('pending', 'deploying') ORDER BY r.version`, app, version)
		list, err := collect(rows, err, scanRelease)
		if err != nil {
			return err
		}
		if err := addConditions(ctx, tx, list); err != nil {
			return err
		}
		for _, r := range list {
			if r.State == platform.ReleasePending {
				r.DeployedPtypes = nil // not one of them
			}
			state, text := platform.ReleaseSuperseded, "Superseded: a newer release came before this one was deployed"
			if len(r.Conditions) > 0 {
				state, text = r.Conditions[0].State, r.Conditions[0].Exception
			}
			_, err := tx.ExecContext(ctx, `UPDATE releases SET state = ?, exception = ?, ptypes = ?, updated = ? WHERE uuid = ?`,
				string(state), text, joinList(r.DeployedPtypes), micros(at), r.UUID)
			if err != nil {
				return err
			}
			err = logEvent(ctx, tx, control.Event{App: app, Object: "release", Action: string(platform.ReleaseSuperseded), Created: at},
				map[string]any{"version": r.Version, "by": version})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// ListUnfinished lists pending and deploying releases that have a build.
func (s *Store) ListUnfinished(ctx context.Context, app string) (list []platform.Release, err error) {
	where, args := ` WHERE r.state IN ('pending', 'deploying') AND r.build IS NOT NULL`, []any(nil)
	if app != "" {
		where, args = where+` AND a.id = ?`, []any{app}
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+releaseColumns+releaseFrom+where+` ORDER BY a.id, r.version`, args...)
	list, err = collect(rows, err, scanRelease)
	return list, fault("store.ListUnfinished", "Release", err)
}
