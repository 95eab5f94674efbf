package edge

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// wildcardItem is where the shelf keeps how it goes with the wildcard.
const wildcardItem = "platform/wildcard"

// Wildcard has a public authority sign the platform's own names, which DNS
// records prove. It is an Issuer for a Renewer that asks as often as it likes:
// after a failure the authority is left alone, also by the next process.
type Wildcard struct {
	acme *ACME
	own  *Authority
}

var _ Issuer = (*Wildcard)(nil)

// Wildcard is nil without a DNS provider: nothing else proves a wildcard.
func (a *ACME) Wildcard(own *Authority) *Wildcard {
	if a.dns == nil {
		return nil
	}
	return &Wildcard{acme: a, own: own}
}

// Issued reports whether somebody else than the platform's own authority
// signed.
func (w *Wildcard) Issued(leaf *x509.Certificate) bool { return !w.own.Issued(leaf) }

// wildcardTry is the last try.
type wildcardTry struct {
	Failures int
	Next     time.Time
	Time     time.Time // when it was, or began
	Account  string
	Problem  control.CertProblem
	Message  string
}

// Issue tries once: record, act, record. Errors are *LaterError.
func (w *Wildcard) Issue(ctx context.Context, names []string) (Certificate, error) {
	now, acc := w.acme.opts.Now(), w.acme.of(platform.Issuer{})
	last, err := w.last(ctx)
	if err != nil {
		return Certificate{}, err
	}
	if last.Account != acc.id() {
		last = wildcardTry{} // other settings
	}
	if now.Before(last.Next) {
		return Certificate{}, &LaterError{At: last.Next, Err: errors.New(last.Message)}
	}
	try := wildcardTry{Failures: last.Failures + 1, Time: now, Account: acc.id(),
		Problem: control.CertRunning, Message: "a try was under way when the server ended"}
	try.Next = now.Add(control.CertBackoff(try.Failures))
	if err := w.save(ctx, try); err != nil {
		return Certificate{}, err
	}
	log := w.acme.opts.Logger.WithField("domain", w.acme.opts.Domain)
	chain, key, err := w.acme.issue(ctx, acc, names, true, log)
	// What came of it is kept, also when the server ends now.
	done, cancel := context.WithTimeout(context.WithoutCancel(ctx), hookTimeout)
	defer cancel()
	if err == nil {
		return Certificate{Chain: chain, Key: key}, w.save(done, wildcardTry{Account: acc.id()})
	}
	if ctx.Err() != nil {
		try.Failures, try.Next = last.Failures, now
	}
	var known *control.CertError
	if errors.As(err, &known) {
		try.failed(known, w.acme.opts.Now())
	}
	if failed := w.save(done, try); failed != nil {
		return Certificate{}, failed
	}
	return Certificate{}, &LaterError{At: try.Next, Err: err}
}

func (w *Wildcard) last(ctx context.Context) (t wildcardTry, err error) {
	data, _, err := w.acme.opts.Shelf.FindItem(ctx, wildcardItem)
	if platform.CodeOf(err) == platform.NotFound {
		return t, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err != nil {
		return t, fmt.Errorf("last try for the wildcard: %w", err)
	}
	return t, nil
}

func (w *Wildcard) save(ctx context.Context, t wildcardTry) error {
	data, err := json.Marshal(t)
	if err == nil {
		err = w.acme.opts.Shelf.PutItem(ctx, wildcardItem, data, w.acme.opts.Now())
	}
	if err != nil {
		return fmt.Errorf("try for the wildcard: %w", err)
	}
	return nil
}
