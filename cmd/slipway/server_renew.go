package main

import (
	"context"
	"fmt"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/expiry"
)

// renewLook is how often the certificates of Kubernetes are looked at. It is a
// part of the quiet hours, so that those are not missed.
const renewLook = 30 * time.Minute

// runRenewal ends the server when certificates of Kubernetes come near their
// end: the service manager starts it again, and k3s renews them then. Apps do
// not notice. What a start could not renew is told by status.
func (s *server) runRenewal(ctx context.Context) error {
	tick := time.NewTicker(renewLook)
	defer tick.Stop()
	for {
		first, ok := s.firstToEnd()
		if ok && expiry.Due(first.NotAfter, s.started, time.Now()) {
			return fmt.Errorf("the certificate %s ends at %s: starting again, which renews it", first.Path, first.NotAfter.UTC().Format(time.RFC3339))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// firstToEnd is the certificate of Kubernetes on this node that ends first.
func (s *server) firstToEnd() (expiry.Leaf, bool) {
	leaves, err := expiry.Scan(expiry.Folders(s.settings.DataDir)...)
	if err != nil {
		s.log.WithError(err).Warn("looking when certificates of Kubernetes end")
	}
	return expiry.First(leaves)
}
