package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const domainColumns = `a.id, d.name, d.ptype, COALESCE(c.name, ''), COALESCE(d.cert, 0), d.created, d.updated`

const domainFrom = ` FROM domains d JOIN apps a ON a.number = d.app LEFT JOIN certs c ON c.id = d.cert`

func scanDomain(row rowScanner) (platform.Domain, error) {
	var d platform.Domain
	var created, updated int64
	err := row.Scan(&d.App, &d.Name, &d.Ptype, &d.Cert, &d.CertID, &created, &updated)
	d.Created, d.Updated = fromMicros(created), fromMicros(updated)
	return d, err
}

// AddDomain records a domain, which no app may have yet.
func (s *Store) AddDomain(ctx context.Context, d platform.Domain) error {
	return s.tx(ctx, "store.AddDomain", "Domain", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `INSERT INTO domains (name, app, ptype, created, updated) SELECT ?, number, ?, ?, ? FROM apps WHERE id = ?`,
			d.Name, d.Ptype, micros(d.Created), micros(d.Updated), d.App))
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: d.App, Object: "domain", Action: "create", Created: d.Created},
			map[string]any{"domain": d.Name, "ptype": d.Ptype})
	})
}

// FindDomain finds by name, whichever app has it.
func (s *Store) FindDomain(ctx context.Context, name string) (platform.Domain, error) {
	d, err := scanDomain(s.read.QueryRowContext(ctx, `SELECT `+domainColumns+domainFrom+` WHERE d.name = ?`, name))
	return d, fault("store.FindDomain", "Domain", err)
}

// DeleteDomain removes a domain of app.
func (s *Store) DeleteDomain(ctx context.Context, app, name string, at time.Time) error {
	return s.tx(ctx, "store.DeleteDomain", "Domain", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `DELETE FROM domains WHERE name = ? AND app = (SELECT number FROM apps WHERE id = ?)`, name, app))
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: app, Object: "domain", Action: "delete", Created: at}, map[string]any{"domain": name})
	})
}

// ListClaims lists which other apps speak for the names.
func (s *Store) ListClaims(ctx context.Context, app string, names []string) (list []control.Claim, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	args := make([]any, 0, len(names)+1)
	for _, n := range names {
		args = append(args, n)
	}
	args = append(args, app)
	const owner = ` JOIN apps a ON a.number = d.app JOIN workspaces w ON w.number = a.workspace WHERE `
	err = s.view(ctx, "store.ListClaims", "Domain", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT a.id, w.id, d.name FROM domains d`+owner+`d.name`+in(len(names))+` AND a.id <> ?`, args...)
		if list, err = collect(rows, err, scanClaim); err != nil {
			return err
		}
		rows, err = tx.QueryContext(ctx, `SELECT a.id, w.id, n.name FROM cert_names n JOIN domains d ON d.cert = n.cert`+
			owner+`n.name`+in(len(names))+` AND a.id <> ?`, args...)
		certs, err := collect(rows, err, scanClaim)
		for _, c := range certs {
			c.Cert = true
			list = append(list, c)
		}
		return err
	})
	return list, err
}

// ListBelow lists which apps outside a workspace have domains below name. It
// compares the ends of all names: a pattern would need its signs escaped.
func (s *Store) ListBelow(ctx context.Context, workspace, name string) (list []control.Claim, err error) {
	end := "." + name
	err = s.view(ctx, "store.ListBelow", "Domain", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT a.id, w.id, d.name FROM domains d JOIN apps a ON a.number = d.app JOIN workspaces w ON w.number = a.workspace
			WHERE substr(d.name, length(d.name) - ?) = ? AND w.id <> ? ORDER BY d.name`, len(end)-1, end, workspace)
		list, err = collect(rows, err, scanClaim)
		return err
	})
	return list, err
}

func scanClaim(row rowScanner) (c control.Claim, err error) {
	err = row.Scan(&c.App, &c.Workspace, &c.Name)
	return c, err
}

const certColumns = `c.id, COALESCE(a.id, ''), COALESCE(u.username, ''), c.name, c.chain, c.common_name, c.san, c.fingerprint, c.issuer, c.subject,
	c.starts, c.expires, c.created, c.updated`

const certFrom = ` FROM certs c LEFT JOIN apps a ON a.number = c.app LEFT JOIN users u ON u.id = c.owner`

func scanCert(row rowScanner) (platform.Cert, error) {
	var c platform.Cert
	var san, chain string
	var starts, expires, created, updated int64
	err := row.Scan(&c.ID, &c.App, &c.Owner, &c.Name, &chain, &c.CommonName, &san, &c.Fingerprint, &c.Issuer, &c.Subject,
		&starts, &expires, &created, &updated)
	if err != nil {
		return c, err
	}
	c.Chain, c.Starts, c.Expires = []byte(chain), fromMicros(starts), fromMicros(expires)
	c.Created, c.Updated = fromMicros(created), fromMicros(updated)
	return c, json.Unmarshal([]byte(san), &c.SAN)
}

// certPlace binds a key to the certificate that it belongs to.
func certPlace(fingerprint string) string { return "certs/" + fingerprint }

// AddCert records a certificate and its key and gives it an ID.
func (s *Store) AddCert(ctx context.Context, c platform.Cert, key []byte) (platform.Cert, error) {
	san, err := toJSON(append([]string{}, c.SAN...))
	if err != nil {
		return c, fault("store.AddCert", "Certificate", err)
	}
	err = s.tx(ctx, "store.AddCert", "Certificate", func(tx *sql.Tx) error {
		app := sql.NullInt64{}
		if c.App != "" {
			if err := tx.QueryRowContext(ctx, `SELECT number FROM apps WHERE id = ?`, c.App).Scan(&app); err != nil {
				return err
			}
		}
		err := tx.QueryRowContext(ctx, `INSERT INTO certs (app, owner, name, chain, sealed, common_name, san, fingerprint, issuer, subject,
			starts, expires, created, updated) SELECT ?, id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM users WHERE username = ? RETURNING id`,
			app, c.Name, string(c.Chain), s.seal.seal(certPlace(c.Fingerprint), key), c.CommonName, san, c.Fingerprint, c.Issuer, c.Subject,
			micros(c.Starts), micros(c.Expires), micros(c.Created), micros(c.Updated), c.Owner).Scan(&c.ID)
		if err != nil {
			return err
		}
		if err := insertCertNames(ctx, tx, c); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: c.App, Object: "certificate", Action: "create", Created: c.Created},
			map[string]any{"name": c.Name, "fingerprint": c.Fingerprint, "expires": c.Expires})
	})
	return c, err
}

// ListCerts lists by ID those that the filter lets through and counts them.
// The certificates of one app or user are few: their ids are read whole.
func (s *Store) ListCerts(ctx context.Context, f control.CertFilter, p control.Page) (list []platform.Cert, total int, err error) {
	limit, offset := page(p)
	err = s.view(ctx, "store.ListCerts", "Certificate", func(tx *sql.Tx) error {
		ids, err := certIDs(ctx, tx, f)
		if err != nil {
			return err
		}
		total = len(ids)
		offset = min(offset, total)
		if ids = ids[offset:min(offset+limit, total)]; len(ids) == 0 {
			return nil
		}
		args := make([]any, len(ids))
		for i, id := range ids {
			args[i] = id
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+certColumns+certFrom+` WHERE c.id`+in(len(ids))+` ORDER BY c.id`, args...)
		if list, err = collect(rows, err, scanCert); err != nil {
			return err
		}
		return addCertDomains(ctx, tx, list)
	})
	return list, total, err
}

// certIDs finds what the filter lets through, in order.
func certIDs(ctx context.Context, tx *sql.Tx, f control.CertFilter) (ids []int64, err error) {
	const (
		ofApp = `SELECT c.id FROM certs c JOIN apps a ON a.number = c.app WHERE a.id = ?`
		own   = `SELECT c.id FROM certs c JOIN users u ON u.id = c.owner WHERE c.app IS NULL AND u.username = ?`
		apps  = `SELECT c.id FROM users u JOIN members m ON m.user_id = u.id JOIN apps a ON a.workspace = m.workspace
			JOIN certs c ON c.app = a.number WHERE u.username = ?`
	)
	type query struct{ text, arg string }
	queries := []query{{own, f.Username}, {apps, f.Username}}
	switch {
	case f.OfApp && f.App != "":
		queries = []query{{ofApp, f.App}}
	case f.OfApp:
		queries = queries[:1]
	}
	for _, q := range queries {
		args := []any{q.arg}
		if f.Name != "" {
			q.text, args = q.text+` AND c.name = ?`, append(args, f.Name)
		}
		rows, err := tx.QueryContext(ctx, q.text, args...)
		found, err := collect(rows, err, func(row rowScanner) (id int64, err error) { err = row.Scan(&id); return id, err })
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	slices.Sort(ids)
	return ids, nil
}

func insertCertNames(ctx context.Context, tx *sql.Tx, c platform.Cert) error {
	for _, name := range append([]string{c.CommonName}, c.SAN...) {
		if name == "" {
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO cert_names (cert, name) VALUES (?, ?) ON CONFLICT (cert, name) DO NOTHING`, c.ID, strings.ToLower(name))
		if err != nil {
			return err
		}
	}
	return nil
}

func addCertDomains(ctx context.Context, tx *sql.Tx, list []platform.Cert) error {
	if len(list) == 0 {
		return nil
	}
	index, args := make(map[int64]int, len(list)), make([]any, len(list))
	for i, c := range list {
		index[c.ID], args[i] = i, c.ID
	}
	type link struct {
		cert   int64
		domain string
	}
	rows, err := tx.QueryContext(ctx, `SELECT cert, name FROM domains WHERE cert IN (?`+strings.Repeat(`, ?`, len(list)-1)+`) ORDER BY name`, args...)
	links, err := collect(rows, err, func(row rowScanner) (l link, err error) {
		err = row.Scan(&l.cert, &l.domain)
		return l, err
	})
	for _, l := range links {
		c := &list[index[l.cert]]
		c.Domains = append(c.Domains, l.domain)
	}
	return err
}

// DeleteCert removes a certificate and detaches it.
func (s *Store) DeleteCert(ctx context.Context, id int64, at time.Time) error {
	return s.tx(ctx, "store.DeleteCert", "Certificate", func(tx *sql.Tx) error {
		c, err := scanCert(tx.QueryRowContext(ctx, `SELECT `+certColumns+certFrom+` WHERE c.id = ?`, id))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM certs WHERE id = ?`, id); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: c.App, Object: "certificate", Action: "delete", Created: at}, map[string]any{"name": c.Name})
	})
}

// AttachCert serves a domain with a certificate; 0 detaches.
func (s *Store) AttachCert(ctx context.Context, app, domain string, cert int64, at time.Time) error {
	return s.tx(ctx, "store.AttachCert", "Domain", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `UPDATE domains SET cert = ?, updated = ? WHERE name = ? AND app = (SELECT number FROM apps WHERE id = ?)`,
			sql.NullInt64{Int64: cert, Valid: cert != 0}, micros(at), domain, app))
		if err != nil {
			return err
		}
		action := "attach"
		if cert == 0 {
			action = "detach"
		}
		return logEvent(ctx, tx, control.Event{App: app, Object: "certificate", Action: action, Created: at}, map[string]any{"domain": domain})
	})
}

// SaveLeaf keeps the certificate that a domain got by itself.
func (s *Store) SaveLeaf(ctx context.Context, p control.Pair, l control.Leaf, seen time.Time) error {
	return s.tx(ctx, "store.SaveLeaf", "Domain", func(tx *sql.Tx) error {
		var starts int64
		err := tx.QueryRowContext(ctx, `SELECT starts FROM leaves WHERE domain = ?`, p.Domain).Scan(&starts)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if starts != micros(seen) {
			return platform.Errorf(platform.Conflict, "%s has got another certificate", p.Domain)
		}
		return s.putLeaf(ctx, tx, p, l)
	})
}

func (s *Store) putLeaf(ctx context.Context, tx *sql.Tx, p control.Pair, l control.Leaf) error {
	return one(tx.ExecContext(ctx, `INSERT INTO leaves (domain, chain, sealed, starts, expires, issuer) SELECT name, ?, ?, ?, ?, ? FROM domains WHERE name = ?
		ON CONFLICT (domain) DO UPDATE SET chain = excluded.chain, sealed = excluded.sealed, starts = excluded.starts, expires = excluded.expires,
			issuer = excluded.issuer`,
		string(p.Chain), s.seal.seal(leafPlace(p.Domain), p.Key), micros(l.Starts), micros(l.Expires), l.Issuer, p.Domain))
}

// ListPairs lists what the app's domains are served with: the certificate that
// is attached, else the one that came by itself.
func (s *Store) ListPairs(ctx context.Context, app string) (list []control.Pair, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT d.name, COALESCE(c.name, ''), COALESCE(c.fingerprint, ''),
			COALESCE(c.chain, l.chain), COALESCE(c.sealed, l.sealed)
		FROM domains d JOIN apps a ON a.number = d.app LEFT JOIN certs c ON c.id = d.cert LEFT JOIN leaves l ON l.domain = d.name
		WHERE a.id = ? AND (c.id IS NOT NULL OR l.domain IS NOT NULL) ORDER BY d.name`, app)
	list, err = collect(rows, err, func(row rowScanner) (p control.Pair, err error) {
		var chain, fingerprint string
		var sealed []byte
		if err := row.Scan(&p.Domain, &p.Name, &fingerprint, &chain, &sealed); err != nil {
			return p, err
		}
		p.Chain = []byte(chain)
		place := leafPlace(p.Domain)
		if fingerprint != "" {
			place = certPlace(fingerprint)
		}
		if p.Key, err = s.seal.open(place, sealed); err != nil {
			err = fmt.Errorf("certificate of %s: %w", p.Domain, err)
		}
		return p, err
	})
	return list, fault("store.ListPairs", "Certificate", err)
}
