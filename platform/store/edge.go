package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func tlsPlace(app string) string     { return "tls/" + app }
func leafPlace(domain string) string { return "leaves/" + domain }

// FindEdge reads all records of an app but private keys.
func (s *Store) FindEdge(ctx context.Context, app string) (e control.Edge, err error) {
	err = s.view(ctx, "store.FindEdge", "App", func(tx *sql.Tx) error {
		var number int64
		if err := tx.QueryRowContext(ctx, `SELECT number FROM apps WHERE id = ?`, app).Scan(&number); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+domainColumns+domainFrom+` WHERE d.app = ? ORDER BY d.name`, number)
		if e.Domains, err = collect(rows, err, scanDomain); err != nil {
			return err
		}
		if e.TLS, err = s.findTLS(ctx, tx, app, number); err != nil {
			return err
		}
		rows, err = tx.QueryContext(ctx, `SELECT ptype, ports, created, updated FROM services WHERE app = ? ORDER BY ptype`, number)
		e.Services, err = collect(rows, err, func(row rowScanner) (platform.Service, error) { return scanService(row, app) })
		if err != nil {
			return err
		}
		if e.Gateways, e.Routes, err = findRouting(ctx, tx, app, number); err != nil {
			return err
		}
		e.Leaves, e.Attempts, err = findLeaves(ctx, tx, number)
		return err
	})
	return e, err
}

func findRouting(ctx context.Context, tx *sql.Tx, app string, number int64) (g []platform.Gateway, r []platform.Route, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, name, ports, created, updated FROM gateways WHERE app = ? ORDER BY id`, number)
	g, err = collect(rows, err, func(row rowScanner) (platform.Gateway, error) { return scanGateway(row, app) })
	if err != nil {
		return nil, nil, err
	}
	rows, err = tx.QueryContext(ctx, `SELECT id, name, kind, body, created, updated FROM routes WHERE app = ? ORDER BY id`, number)
	r, err = collect(rows, err, func(row rowScanner) (platform.Route, error) { return scanRoute(row, app) })
	return g, r, err
}

func scanService(row rowScanner, app string) (platform.Service, error) {
	v := platform.Service{App: app}
	var ports string
	var created, updated int64
	if err := row.Scan(&v.Ptype, &ports, &created, &updated); err != nil {
		return v, err
	}
	v.Created, v.Updated = fromMicros(created), fromMicros(updated)
	return v, json.Unmarshal([]byte(ports), &v.Ports)
}

func scanGateway(row rowScanner, app string) (platform.Gateway, error) {
	v := platform.Gateway{App: app}
	var ports string
	var created, updated int64
	if err := row.Scan(&v.ID, &v.Name, &ports, &created, &updated); err != nil {
		return v, err
	}
	v.Created, v.Updated = fromMicros(created), fromMicros(updated)
	return v, json.Unmarshal([]byte(ports), &v.Ports)
}

// routeBody is the part of a route that is kept as JSON.
type routeBody struct {
	Parents []platform.ParentRef
	Rules   []platform.RouteRule
}

func scanRoute(row rowScanner, app string) (platform.Route, error) {
	v := platform.Route{App: app}
	var text string
	var created, updated int64
	if err := row.Scan(&v.ID, &v.Name, &v.Kind, &text, &created, &updated); err != nil {
		return v, err
	}
	v.Created, v.Updated = fromMicros(created), fromMicros(updated)
	var body routeBody
	err := json.Unmarshal([]byte(text), &body)
	v.Parents, v.Rules = body.Parents, body.Rules
	return v, err
}

func (s *Store) findTLS(ctx context.Context, tx *sql.Tx, app string, number int64) (platform.TLS, error) {
	t := platform.TLS{App: app}
	var enforced, auto sql.NullBool
	var sealed []byte
	var created, updated int64
	err := tx.QueryRowContext(ctx, `SELECT https_enforced, auto_certs, sealed, created, updated FROM tls WHERE app = ?`, number).
		Scan(&enforced, &auto, &sealed, &created, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	if enforced.Valid {
		t.HTTPSEnforced = &enforced.Bool
	}
	if auto.Valid {
		t.AutoCerts = &auto.Bool
	}
	t.Created, t.Updated = fromMicros(created), fromMicros(updated)
	plain, err := s.seal.open(tlsPlace(app), sealed)
	if err != nil {
		return t, fmt.Errorf("tls of %s: %w", app, err)
	}
	return t, json.Unmarshal(plain, &t.Issuer)
}

// SaveTLS replaces the TLS settings of t.App.
func (s *Store) SaveTLS(ctx context.Context, t platform.TLS) error {
	issuer, err := json.Marshal(t.Issuer)
	if err != nil {
		return fault("store.SaveTLS", "App", err)
	}
	return s.tx(ctx, "store.SaveTLS", "App", func(tx *sql.Tx) error {
		enforced, auto := sql.NullBool{}, sql.NullBool{}
		if t.HTTPSEnforced != nil {
			enforced = sql.NullBool{Bool: *t.HTTPSEnforced, Valid: true}
		}
		if t.AutoCerts != nil {
			auto = sql.NullBool{Bool: *t.AutoCerts, Valid: true}
		}
		err := one(tx.ExecContext(ctx, `INSERT INTO tls (app, https_enforced, auto_certs, sealed, created, updated)
			SELECT number, ?, ?, ?, ?, ? FROM apps WHERE id = ?
			ON CONFLICT (app) DO UPDATE SET https_enforced = excluded.https_enforced, auto_certs = excluded.auto_certs,
				sealed = excluded.sealed, updated = excluded.updated`,
			enforced, auto, s.seal.seal(tlsPlace(t.App), issuer), micros(t.Created), micros(t.Updated), t.App))
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: t.App, Object: "tls", Action: "update", Created: t.Updated},
			map[string]any{"https_enforced": t.HTTPSEnforced, "certs_auto_enabled": t.AutoCerts, "issuer": t.Issuer.Server})
	})
}

// ListAuto lists the apps whose domains get certificates by themselves.
func (s *Store) ListAuto(ctx context.Context) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT a.id FROM tls t JOIN apps a ON a.number = t.app WHERE t.auto_certs = TRUE`)
	list, err := collect(rows, err, func(row rowScanner) (id string, err error) { err = row.Scan(&id); return id, err })
	return list, fault("store.ListAuto", "App", err)
}

// SaveService replaces the ports of a service; without ports it is deleted.
func (s *Store) SaveService(ctx context.Context, v platform.Service) error {
	ports, err := toJSON(v.Ports)
	if err != nil {
		return fault("store.SaveService", "Service", err)
	}
	return s.tx(ctx, "store.SaveService", "App", func(tx *sql.Tx) error {
		action := "update"
		if len(v.Ports) == 0 {
			action = "delete"
			err = one(tx.ExecContext(ctx, `DELETE FROM services WHERE app = (SELECT number FROM apps WHERE id = ?) AND ptype = ?`, v.App, v.Ptype))
		} else {
			err = one(tx.ExecContext(ctx, `INSERT INTO services (app, ptype, ports, created, updated) SELECT number, ?, ?, ?, ? FROM apps WHERE id = ?
				ON CONFLICT (app, ptype) DO UPDATE SET ports = excluded.ports, updated = excluded.updated`,
				v.Ptype, ports, micros(v.Created), micros(v.Updated), v.App))
		}
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: v.App, Object: "service", Action: action, Created: v.Updated},
			map[string]any{"ptype": v.Ptype, "ports": v.Ports})
	})
}

// SaveGateway adds or replaces a gateway and returns it with its ID.
func (s *Store) SaveGateway(ctx context.Context, g platform.Gateway) (platform.Gateway, error) {
	ports, err := toJSON(g.Ports)
	if err != nil {
		return g, fault("store.SaveGateway", "Gateway", err)
	}
	err = s.tx(ctx, "store.SaveGateway", "App", func(tx *sql.Tx) error {
		if err := checkExclusive(ctx, tx, g); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, `INSERT INTO gateways (app, name, ports, created, updated) SELECT number, ?, ?, ?, ? FROM apps WHERE id = ?
			ON CONFLICT (app, name) DO UPDATE SET ports = excluded.ports, updated = excluded.updated RETURNING id`,
			g.Name, ports, micros(g.Created), micros(g.Updated), g.App).Scan(&g.ID)
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: g.App, Object: "gateway", Action: "update", Created: g.Updated},
			map[string]any{"name": g.Name, "ports": g.Ports})
	})
	return g, err
}

// checkExclusive refuses a port that only one app can have and another one has.
func checkExclusive(ctx context.Context, tx *sql.Tx, g platform.Gateway) error {
	if !slices.ContainsFunc(g.Ports, platform.GatewayPort.Exclusive) {
		return nil
	}
	rows, err := tx.QueryContext(ctx, `SELECT g.ports FROM gateways g JOIN apps a ON a.number = g.app WHERE a.id <> ? AND g.ports LIKE '%"TCP"%'`, g.App)
	taken, err := collect(rows, err, func(row rowScanner) (ports []platform.GatewayPort, err error) {
		var text string
		if err := row.Scan(&text); err != nil {
			return nil, err
		}
		return ports, json.Unmarshal([]byte(text), &ports)
	})
	if err != nil {
		return err
	}
	for _, p := range g.Ports {
		if p.Exclusive() && slices.ContainsFunc(taken, func(list []platform.GatewayPort) bool { return slices.Contains(list, p) }) {
			return platform.FieldErrorf("ports", "port %d (%s) is taken by another app.", p.Port, p.Protocol)
		}
	}
	return nil
}

// SaveRoute adds or replaces a route and returns it with its ID.
func (s *Store) SaveRoute(ctx context.Context, r platform.Route) (platform.Route, error) {
	body, err := toJSON(routeBody{Parents: r.Parents, Rules: r.Rules})
	if err != nil {
		return r, fault("store.SaveRoute", "Route", err)
	}
	err = s.tx(ctx, "store.SaveRoute", "App", func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `INSERT INTO routes (app, name, kind, body, created, updated) SELECT number, ?, ?, ?, ?, ? FROM apps WHERE id = ?
			ON CONFLICT (app, name) DO UPDATE SET kind = excluded.kind, body = excluded.body, updated = excluded.updated RETURNING id`,
			r.Name, r.Kind, body, micros(r.Created), micros(r.Updated), r.App).Scan(&r.ID)
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: r.App, Object: "route", Action: "update", Created: r.Updated},
			map[string]any{"name": r.Name, "kind": r.Kind})
	})
	return r, err
}

// DeleteGateway removes a gateway.
func (s *Store) DeleteGateway(ctx context.Context, app, name string, at time.Time) error {
	return s.deleteNamed(ctx, "store.DeleteGateway", "Gateway", `DELETE FROM gateways`, app, name, at)
}

// DeleteRoute removes a route.
func (s *Store) DeleteRoute(ctx context.Context, app, name string, at time.Time) error {
	return s.deleteNamed(ctx, "store.DeleteRoute", "Route", `DELETE FROM routes`, app, name, at)
}

func (s *Store) deleteNamed(ctx context.Context, op, what, statement, app, name string, at time.Time) error {
	return s.tx(ctx, op, what, func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, statement+` WHERE app = (SELECT number FROM apps WHERE id = ?) AND name = ?`, app, name))
		if err != nil {
			return err
		}
		object := map[string]string{"Gateway": "gateway", "Route": "route"}[what]
		return logEvent(ctx, tx, control.Event{App: app, Object: object, Action: "delete", Created: at}, map[string]any{"name": name})
	})
}
