package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/slipway-paas/slipway/platform"
)

// TLSChange holds what to change; nil fields stay.
type TLSChange struct {
	HTTPSEnforced *bool
	AutoCerts     *bool
	Issuer        *platform.Issuer
}

// FindTLS returns how an app is served over HTTPS.
func (c *Controller) FindTLS(ctx context.Context, actor Actor, app string) (platform.TLS, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return platform.TLS{}, err
	}
	e, err := c.store.FindEdge(ctx, app)
	if err != nil {
		return platform.TLS{}, err
	}
	return c.completeTLS(ctx, e)
}

// completeTLS fills in what is not recorded. Settings that were never changed
// are as old as the app's switches.
func (c *Controller) completeTLS(ctx context.Context, e Edge) (platform.TLS, error) {
	t := e.TLS
	s, err := c.store.FindSettings(ctx, t.App)
	if err != nil {
		return t, err
	}
	own, err := uuid.Parse(s.UUID)
	if err != nil {
		own = uuid.NewSHA1(uuid.Nil, []byte(s.UUID))
	}
	t.UUID = uuid.NewSHA1(own, []byte("tls")).String()
	if t.Created.IsZero() {
		t.Created, t.Updated = s.Created, s.Created
	}
	holds, err := c.holds(ctx)
	t.Events = c.tlsEvents(e, holds)
	return t, err
}

// ChangeTLS changes how an app is served over HTTPS. A change without effect
// is a Conflict.
func (c *Controller) ChangeTLS(ctx context.Context, actor Actor, app string, ch TLSChange) (platform.TLS, error) {
	if ch.Issuer != nil {
		if err := platform.ValidateIssuer(*ch.Issuer); err != nil {
			return platform.TLS{}, err
		}
	}
	a, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return platform.TLS{}, err
	}
	defer unlock()
	e, err := c.store.FindEdge(ctx, app)
	if err != nil {
		return platform.TLS{}, err
	}
	changed := setSwitch(&e.TLS.HTTPSEnforced, ch.HTTPSEnforced)
	changed = setSwitch(&e.TLS.AutoCerts, ch.AutoCerts) || changed
	if ch.Issuer != nil && *ch.Issuer != e.TLS.Issuer {
		e.TLS.Issuer, changed = *ch.Issuer, true
	}
	if !changed {
		return platform.TLS{}, platform.Errorf(platform.Conflict, "%s changed nothing", a.Workspace)
	}
	e.TLS.Updated = c.now()
	if e.TLS.Created.IsZero() {
		e.TLS.Created = e.TLS.Updated
	}
	if err := c.changeEdge(ctx, app, func() error { return c.store.SaveTLS(ctx, e.TLS) }); err != nil {
		return platform.TLS{}, err
	}
	return c.completeTLS(ctx, e)
}

func setSwitch(have **bool, want *bool) bool {
	if want == nil || *have != nil && **have == *want {
		return false
	}
	value := *want
	*have = &value
	return true
}

// due is when a certificate that came by itself is to be replaced: after two
// thirds of its life.
func (l Leaf) due() time.Time { return l.Starts.Add(l.Expires.Sub(l.Starts) / 3 * 2) }

// issueLeaves has the platform's own authority sign for the domains that want
// a certificate and have none or an old one; a public one takes longer and is
// asked beside (keepCerts). What cannot be had is told in the events; the app
// is served all the same.
func (c *Controller) issueLeaves(ctx context.Context, app string, e Edge) error {
	if !e.TLS.Auto() || c.edge.Certifier == nil && c.edge.Authorities != nil {
		return nil
	}
	have := map[string]Leaf{}
	for _, l := range e.Leaves {
		have[l.Domain] = l
	}
	for _, d := range e.Domains {
		l, ok := have[d.Name]
		if d.CertID != 0 || ok && c.now().Before(c.ownDue(l)) {
			continue
		}
		err := c.issueLeaf(ctx, d.Name, l.Starts)
		if ctx.Err() != nil || platform.CodeOf(err) == platform.Unavailable {
			return err
		}
		if err != nil && platform.CodeOf(err) != platform.Conflict {
			if err := c.tellEdge(ctx, app, "certificate", map[string]string{"domain": d.Name}, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// issueLeaf replaces the certificate that began at seen, zero for none.
func (c *Controller) issueLeaf(ctx context.Context, domain string, seen time.Time) error {
	if c.edge.Certifier == nil {
		return platform.Errorf(platform.Invalid, "no certificate authority is set up; upload a certificate for %s", domain)
	}
	chain, key, err := c.edge.Certifier.Certify(ctx, []string{domain})
	if err != nil {
		return fmt.Errorf("certificate for %s: %w", domain, err)
	}
	got, err := readIssued(wantedCert{domain: domain}, chain, key)
	if err != nil {
		return err
	}
	return c.store.SaveLeaf(ctx, got.Pair, got.Leaf, seen)
}

// tellEdge appends an event on something that could not be shown outside.
func (c *Controller) tellEdge(ctx context.Context, app, object string, data map[string]string, cause error) error {
	log := c.log.WithField("app", app)
	for k, v := range data {
		log = log.WithField(k, v)
	}
	log.WithError(cause).Warn(object + " failed")
	data["message"] = "the controller's log says why"
	var e *platform.Error
	if errors.As(cause, &e) && e.Code != platform.Internal {
		data["message"] = e.Message
	}
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	_, err = c.store.AppendEvent(ctx, Event{App: app, Object: object, Action: "fail", Data: text, Created: c.now()})
	return err
}
