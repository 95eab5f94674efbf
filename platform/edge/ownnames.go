package edge

import (
	"context"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// OwnNames tells of the certificate of the platform's own names.
type OwnNames struct {
	dir      string
	own      *Authority
	wildcard *Wildcard // nil: the own authority signs
}

var _ control.OwnNames = OwnNames{}

// NewOwnNames tells of the certificate that a Renewer keeps in dir. The
// wildcard is nil where the own authority signs it.
func NewOwnNames(dir string, own *Authority, wildcard *Wildcard) OwnNames {
	return OwnNames{dir: dir, own: own, wildcard: wildcard}
}

// OwnCert reads what there is and how the last try went. It asks nobody.
func (o OwnNames) OwnCert(ctx context.Context) (control.OwnCert, error) {
	if o.wildcard == nil {
		return control.OwnCert{}, nil
	}
	c := control.OwnCert{Public: true}
	data, err := os.ReadFile(filepath.Join(o.dir, storedFile))
	if err != nil && !os.IsNotExist(err) {
		return c, fmt.Errorf("certificate of the platform: %w", err)
	}
	if block, _ := pem.Decode(split(data).Chain); block != nil {
		c.Leaf = block.Bytes
	}
	if leaf, err := split(data).leaf(); err == nil {
		c.Interim = o.own.Issued(leaf)
	}
	acc := o.wildcard.acme.of(platform.Issuer{})
	c.ACME = control.ACMESubject{Directory: acc.server, Email: acc.email, KeyID: acc.keyID, External: acc.keyID != ""}
	last, err := o.wildcard.last(ctx)
	if err != nil {
		return c, err
	}
	if last.Failures > 0 && last.Account == acc.id() {
		c.ACME.Last = &control.ACMEFailure{Time: last.Time, Problem: last.Problem, Message: last.Message, Next: last.Next}
	}
	return c, nil
}

// failed notes what a try ended with.
func (t *wildcardTry) failed(known *control.CertError, now time.Time) {
	t.Message, t.Problem, t.Time = known.Message, known.Problem, now
	if known.Until.After(t.Next) {
		t.Next = known.Until
	}
}
