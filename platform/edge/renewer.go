package edge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sirupsen/logrus"
)

const storedFile = "wildcard.pem"

const (
	// lookEvery is how often the renewer looks at least: a machine that slept,
	// or whose clock was set, must not miss the day, and a Secret that somebody
	// deleted comes back.
	lookEvery = time.Hour
	// retryFirst and retryMost bound the waits after a failure.
	retryFirst = 2 * time.Second
	retryMost  = 5 * time.Minute
)

// RenewerOptions is all a Renewer needs. Dir, Domain, Issuer, Writer,
// Namespace, Name and Logger are required.
type RenewerOptions struct {
	Dir    string // where wildcard.pem lives
	Domain string // "slipway.localhost"; the certificate is for it and *.it
	Issuer Issuer
	// Former are domains the platform had before; the certificate is for them
	// too.
	Former    []string
	Writer    SecretWriter
	Namespace string // of the Secret
	Name      string // of the Secret
	Logger    *logrus.Logger
	// Fallback signs when Issuer cannot and nothing else is there to be served;
	// nil: nobody does.
	Fallback Issuer
	Now      func() time.Time                       // nil: time.Now
	After    func(d time.Duration) <-chan time.Time // nil: time.After
	Renewed  func(notAfter time.Time)               // nil: nobody is told
}

// Renewer keeps the platform's wildcard certificate fresh and the gateway's
// Secret filled with it.
type Renewer struct {
	opts RenewerOptions
}

// NewRenewer checks the options.
func NewRenewer(opts RenewerOptions) (*Renewer, error) {
	if opts.Dir == "" || opts.Domain == "" || opts.Namespace == "" || opts.Name == "" {
		return nil, errors.New("certificate renewer: directory, domain, namespace and name are required")
	}
	if opts.Issuer == nil || opts.Writer == nil || opts.Logger == nil {
		return nil, errors.New("certificate renewer: issuer, writer and logger are required")
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.After == nil {
		opts.After = time.After
	}
	if opts.Renewed == nil {
		opts.Renewed = func(time.Time) {}
	}
	return &Renewer{opts: opts}, nil
}

// Names are what the certificate is for: *.domain and domain, then the same of
// each former domain.
func (r *Renewer) Names() []string {
	names := []string{"*." + r.opts.Domain, r.opts.Domain}
	for _, d := range r.opts.Former {
		names = append(names, "*."+d, d)
	}
	return names
}

// Ensure makes the certificate when there is none, or when the stored one is
// damaged, for other names, by another issuer or two thirds through its life;
// writes it to the Secret; and returns when to come again. It may be called at
// any time, and again after an error.
func (r *Renewer) Ensure(ctx context.Context) (next time.Time, err error) {
	cert, next, why := r.stored()
	if why != "" {
		r.opts.Logger.WithFields(logrus.Fields{"domain": r.opts.Domain, "why": why}).Info("edge: making a certificate")
		have := cert
		if cert, next, err = r.renew(ctx, r.opts.Issuer); err != nil && r.opts.Fallback != nil && ctx.Err() == nil {
			cert, next, err = r.makeDo(ctx, have, err)
		}
		if err != nil {
			return time.Time{}, err
		}
	}
	if err := r.opts.Writer.WriteTLS(ctx, r.opts.Namespace, r.opts.Name, cert.Chain, cert.Key); err != nil {
		return time.Time{}, fmt.Errorf("certificate for %s: secret %s/%s: %w", r.opts.Domain, r.opts.Namespace, r.opts.Name, err)
	}
	return next, nil
}

// stored reads wildcard.pem. A non-empty why says why it will not do.
func (r *Renewer) stored() (c Certificate, next time.Time, why string) {
	data, err := os.ReadFile(filepath.Join(r.opts.Dir, storedFile))
	if errors.Is(err, os.ErrNotExist) {
		return Certificate{}, time.Time{}, "there is none yet"
	}
	if err != nil {
		return Certificate{}, time.Time{}, "the stored one cannot be read: " + err.Error()
	}
	c = split(data)
	leaf, err := c.leaf()
	switch {
	case err != nil:
		why = "the stored one is damaged"
	case !sameNames(leaf.DNSNames, r.Names()):
		why = "the stored one is for other names"
	case !r.opts.Issuer.Issued(leaf):
		why = "the stored one is from another authority"
	case !r.opts.Now().Before(renewAt(leaf)):
		why = "the stored one is two thirds through its life"
	case r.opts.Now().Before(leaf.NotBefore):
		why = "the stored one is from the future; the clock was wrong then or is now"
	default:
		next = renewAt(leaf)
	}
	return c, next, why
}

// LaterError says that an issuer is not to be asked before At.
type LaterError struct {
	At  time.Time
	Err error
}

// Error tells when.
func (e *LaterError) Error() string {
	return fmt.Sprintf("%v; next try at %s", e.Err, e.At.UTC().Format(time.RFC3339))
}

// Unwrap returns the cause.
func (e *LaterError) Unwrap() error { return e.Err }

// makeDo goes on with the certificate that there is, as long as it is good, or
// has the fallback sign one. It returns when to ask the issuer again.
func (r *Renewer) makeDo(ctx context.Context, have Certificate, cause error) (Certificate, time.Time, error) {
	next := r.opts.Now().Add(retryMost)
	var later *LaterError
	if errors.As(cause, &later) {
		next = later.At
	}
	r.opts.Logger.WithError(cause).WithField("domain", r.opts.Domain).Warn("edge: certificate of a public authority")
	leaf, err := have.leaf()
	if err == nil && sameNames(leaf.DNSNames, r.Names()) && r.opts.Now().After(leaf.NotBefore) && r.opts.Now().Before(leaf.NotAfter) {
		if !r.opts.Fallback.Issued(leaf) || r.opts.Now().Before(renewAt(leaf)) {
			return have, next, nil
		}
	}
	cert, _, err := r.renew(ctx, r.opts.Fallback)
	return cert, next, err
}

// renew gets a certificate and stores it.
func (r *Renewer) renew(ctx context.Context, issuer Issuer) (Certificate, time.Time, error) {
	cert, err := issuer.Issue(ctx, r.Names())
	if err != nil {
		return Certificate{}, time.Time{}, err
	}
	leaf, err := cert.leaf()
	if err != nil {
		return Certificate{}, time.Time{}, fmt.Errorf("certificate for %s: what the issuer gave: %w", r.opts.Domain, err)
	}
	path := filepath.Join(r.opts.Dir, storedFile)
	if err := os.MkdirAll(r.opts.Dir, 0o700); err != nil {
		return Certificate{}, time.Time{}, fmt.Errorf("certificate for %s: %w", r.opts.Domain, err)
	}
	if err := replaceFile(path, cert.join(), 0o600); err != nil {
		return Certificate{}, time.Time{}, fmt.Errorf("certificate for %s: store %s: %w", r.opts.Domain, path, err)
	}
	r.opts.Renewed(leaf.NotAfter)
	return cert, renewAt(leaf), nil
}

// Run keeps the certificate fresh and the Secret in place until ctx ends, then
// returns nil. Failures are logged and tried again, at growing intervals.
func (r *Renewer) Run(ctx context.Context) error {
	retry := retryFirst
	for {
		wait := lookEvery
		next, err := r.Ensure(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			r.opts.Logger.WithError(err).WithField("retry", retry.String()).Error("edge: certificate")
			wait, retry = retry, min(2*retry, retryMost)
		default:
			retry = retryFirst
			if until := next.Sub(r.opts.Now()); until > 0 {
				wait = min(wait, until)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.opts.After(wait):
		}
	}
}
