package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// ListApps lists apps by id and counts all that f describes. A page costs the
// same however many there are: each workspace has its apps in order, and as
// many are read as are returned.
func (s *Store) ListApps(ctx context.Context, f control.AppFilter, p control.Page) (list []platform.App, total int, err error) {
	limit, offset := page(p)
	err = s.view(ctx, "store.ListApps", "App", func(tx *sql.Tx) error {
		q := appQuery{}
		if err := q.narrow(ctx, tx, f); err != nil || q.none {
			return err
		}
		query, args := q.page()
		rows, err := tx.QueryContext(ctx, query, append(args, limit, offset)...)
		numbers, err := collect(rows, err, scanNumber)
		if err != nil {
			return err
		}
		where, args := q.all()
		total, err = countAll(ctx, tx, len(numbers), limit, offset, `SELECT count(*) FROM apps a`+where, args)
		if err != nil || len(numbers) == 0 {
			return err
		}
		rows, err = tx.QueryContext(ctx, `SELECT `+appColumns+appFrom+` WHERE a.number`+in(len(numbers))+` ORDER BY a.id`, numbers...)
		list, err = collect(rows, err, scanApp)
		return err
	})
	return list, total, err
}

// countAll is how long a list is of which a page has got entries. Only when the
// page does not tell is it asked.
func countAll(ctx context.Context, tx *sql.Tx, got, limit, offset int, query string, args []any) (total int, err error) {
	if got < limit && (got > 0 || offset == 0) {
		return offset + got, nil
	}
	err = tx.QueryRowContext(ctx, query, args...).Scan(&total)
	return total, err
}

// scanNumber reads the number that something has and passes its id over.
func scanNumber(row rowScanner) (any, error) {
	var number int64
	var rest any
	err := row.Scan(&number, &rest)
	return number, err
}

// in is a list of n parameters.
func in(n int) string { return ` IN (?` + strings.Repeat(`, ?`, n-1) + `)` }

// appQuery is which apps are wanted.
type appQuery struct {
	none       bool  // no app can match
	bounded    bool  // only those in workspaces
	workspaces []any // their numbers
	granted    []any // numbers of apps elsewhere that the user is let into
	search     string
}

// mergeLimit is how many workspaces are read side by side. Who is in more has
// the ids of all their apps sorted for every page.
const mergeLimit = 40

// narrow finds the workspaces that the filter leaves.
func (q *appQuery) narrow(ctx context.Context, tx *sql.Tx, f control.AppFilter) error {
	q.search, q.bounded = f.Search, f.Username != "" || f.Workspace != ""
	if !q.bounded {
		return nil
	}
	from, conds, args := ` FROM workspaces w`, []string(nil), []any(nil)
	if f.Username != "" {
		from += ` JOIN members m ON m.workspace = w.number JOIN users u ON u.id = m.user_id`
		conds, args = append(conds, `u.username = ?`), append(args, f.Username)
	}
	if f.Workspace != "" {
		conds, args = append(conds, `w.id = ?`), append(args, f.Workspace)
	}
	rows, err := tx.QueryContext(ctx, `SELECT w.number, w.id`+from+` WHERE `+strings.Join(conds, ` AND `), args...)
	q.workspaces, err = collect(rows, err, scanNumber)
	if err != nil {
		return err
	}
	if f.Username != "" && f.Workspace == "" {
		rows, err := tx.QueryContext(ctx, grantedApps, f.Username)
		if q.granted, err = collect(rows, err, scanNumber); err != nil {
			return err
		}
	}
	q.none = len(q.workspaces)+len(q.granted) == 0
	return nil
}

// grantedApps are those that a user is let into without being a member of
// their workspace.
const grantedApps = `SELECT a.number, a.id FROM grants g JOIN apps a ON a.number = g.app JOIN users u ON u.id = g.user_id
	WHERE u.username = ? AND NOT EXISTS (SELECT 1 FROM members m WHERE m.workspace = a.workspace AND m.user_id = u.id)`

// all is the condition for every app that is wanted.
func (q *appQuery) all() (string, []any) {
	if !q.bounded {
		return q.where(nil)
	}
	switch {
	case len(q.granted) == 0:
		return q.where([]string{`a.workspace` + in(len(q.workspaces))}, q.workspaces...)
	case len(q.workspaces) == 0:
		return q.where([]string{`a.number` + in(len(q.granted))}, q.granted...)
	}
	either := `(a.workspace` + in(len(q.workspaces)) + ` OR a.number` + in(len(q.granted)) + `)`
	return q.where([]string{either}, append(slices.Clone(q.workspaces), q.granted...)...)
}

// where adds the search to conditions. A prefix is searched as a range: that
// uses the index, and no character is special.
func (q *appQuery) where(conds []string, args ...any) (string, []any) {
	args = args[:len(args):len(args)]
	if q.search != "" {
		conds, args = append(conds, `a.id >= ?`, `a.id < ?`), append(args, q.search, q.search+"\U0010FFFF")
	}
	if len(conds) == 0 {
		return "", args
	}
	return ` WHERE ` + strings.Join(conds, ` AND `), args
}

// page is the numbers of one page of the apps; limit and offset come last. The
// apps of each workspace come in order from its index and are merged.
func (q *appQuery) page() (string, []any) {
	const columns, order = `SELECT a.number, a.id FROM apps a`, ` ORDER BY id LIMIT ? OFFSET ?`
	if !q.bounded || len(q.workspaces) > mergeLimit {
		where, args := q.all()
		return columns + where + order, args
	}
	var parts []string
	var args []any
	for _, number := range q.workspaces {
		where, more := q.where([]string{`a.workspace = ?`}, number)
		parts, args = append(parts, columns+where), append(args, more...)
	}
	if len(q.granted) > 0 {
		where, more := q.where([]string{`a.number` + in(len(q.granted))}, q.granted...)
		parts, args = append(parts, columns+where), append(args, more...)
	}
	return strings.Join(parts, ` UNION ALL `) + order, args
}
