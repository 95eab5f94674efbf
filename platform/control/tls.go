package control

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
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
	t.Events = c.tlsEvents(e)
	return t, nil
}

// tlsEvents tells of each domain how its certificate is.
func (c *Controller) tlsEvents(e Edge) []platform.TLSEvent {
	leaves := map[string]Leaf{}
	for _, l := range e.Leaves {
		leaves[l.Domain] = l
	}
	var events []platform.TLSEvent
	for _, d := range e.Domains {
		leaf, made := leaves[d.Name]
		ev := platform.TLSEvent{Name: d.Name, Time: d.Updated}
		switch {
		case d.CertID != 0:
			ev.Ready, ev.Message = true, "served with the uploaded certificate "+d.Cert
		case !e.TLS.Auto():
			ev.Message = "no certificate: attach one, or turn automatic certificates on"
		case made:
			ev.Ready, ev.Time = true, leaf.Starts
			ev.Message = "served with a certificate of the platform's own authority, valid until " + leaf.Expires.Format(time.RFC3339)
		default:
			ev.Message = "waiting for a certificate"
		}
		events = append(events, ev)
	}
	return events
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

// issueLeaves gets certificates for the domains that want one and have none or
// an old one. What cannot be had is told in the events; the app is served all
// the same.
func (c *Controller) issueLeaves(ctx context.Context, app string, e Edge) error {
	if !e.TLS.Auto() {
		return nil
	}
	have := map[string]Leaf{}
	for _, l := range e.Leaves {
		have[l.Domain] = l
	}
	for _, d := range e.Domains {
		if l, ok := have[d.Name]; d.CertID != 0 || ok && c.now().Before(l.due()) {
			continue
		}
		err := c.issueLeaf(ctx, d.Name)
		if ctx.Err() != nil || platform.CodeOf(err) == platform.Unavailable {
			return err
		}
		if err != nil {
			if err := c.tellEdge(ctx, app, "certificate", map[string]string{"domain": d.Name}, err); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Controller) issueLeaf(ctx context.Context, domain string) error {
	if c.edge.Certifier == nil {
		return platform.Errorf(platform.Invalid, "no certificate authority is set up; upload a certificate for %s", domain)
	}
	chain, key, err := c.edge.Certifier.Certify(ctx, []string{domain})
	if err != nil {
		return fmt.Errorf("certificate for %s: %w", domain, err)
	}
	block, _ := pem.Decode(chain)
	if block == nil {
		return fmt.Errorf("certificate for %s: the authority gave none", domain)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("certificate for %s: %w", domain, err)
	}
	return c.store.SaveLeaf(ctx, Pair{Domain: domain, Chain: chain, Key: key}, Leaf{Domain: domain, Starts: leaf.NotBefore, Expires: leaf.NotAfter})
}

// renewLeaves makes the apps due whose certificates are to be replaced.
func (c *Controller) renewLeaves(ctx context.Context) error {
	apps, err := c.store.ListAuto(ctx)
	if err != nil {
		return err
	}
	for _, app := range apps {
		e, err := c.store.FindEdge(ctx, app)
		if err != nil {
			if platform.CodeOf(err) == platform.NotFound {
				continue
			}
			return err
		}
		for _, l := range e.Leaves {
			if c.now().Before(l.due()) {
				continue
			}
			if _, err := c.store.AddWork(ctx, Work{App: app, Kind: WorkEdge}); err != nil {
				return err
			}
			c.queue.add(app)
			break
		}
	}
	return nil
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
