package main

import (
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/edge"
)

// openACME gets certificates of public authorities, when the settings want it;
// else both are of no effect.
func (c *controller) openACME(s *server) error {
	settings, err := edge.ParseACME(s.settings.ControllerSetting, os.ReadFile)
	if err != nil || !settings.Enabled {
		return err
	}
	c.acme, err = edge.NewACME(edge.ACMEOptions{
		Settings: settings, Shelf: c.store, Domain: s.settings.Domain, Logger: s.log,
		Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(controllerPort)),
	})
	return err
}

// authorities are the public ones; none is a nil interface.
func (c *controller) authorities() control.Authorities {
	if c.acme == nil {
		return nil
	}
	return c.acme
}

// challenges answers public authorities that ask domains back.
func (c *controller) challenges(s *server) http.Handler {
	if c.acme == nil {
		return http.NotFoundHandler()
	}
	return edge.NewChallenges(c.store, time.Now, s.log)
}

// ownNames tells of the certificate of the platform's own names.
func (c *controller) ownNames(s *server, own *edge.Authority) control.OwnNames {
	var wildcard *edge.Wildcard
	if c.acme != nil {
		wildcard = c.acme.Wildcard(own)
	}
	return edge.NewOwnNames(s.paths.CA, own, wildcard)
}

// wildcardIssuer signs the platform's own names, and fallback when it cannot.
func (c *controller) wildcardIssuer(own *edge.Authority) (issuer, fallback edge.Issuer) {
	if c.acme != nil {
		if w := c.acme.Wildcard(own); w != nil {
			return w, own
		}
	}
	return own, nil
}
