package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/edge"
	"github.com/slipway-paas/slipway/platform/edge/diagnose"
)

// newDoctor looks at domains from outside, with nonces that challenges answers.
func (s *server) newDoctor(nonces *diagnose.Nonces) (*diagnose.Doctor, error) {
	authorities, err := edge.ParseACME(s.settings.ControllerSetting, os.ReadFile)
	if err != nil {
		return nil, err
	}
	return diagnose.New(diagnose.Options{
		Roots:      authorities.Roots,
		ResolvConf: "/etc/resolv.conf", Nonces: nonces,
		Forbidden:    []netip.Prefix{s.settings.ClusterCIDR, s.settings.ServiceCIDR},
		AuthorityURL: "http://drycc." + s.settings.Domain + "/ca.crt",
	})
}

// newNonces makes nonces that every server with the same key answers.
func newNonces(key string) *diagnose.Nonces { return diagnose.NewNonces([]byte(key), time.Now) }

// plainDialect is a handler that is no API.
type plainDialect struct{ http.Handler }

var _ api.Dialect = plainDialect{}

// Fail implements api.Dialect.
func (plainDialect) Fail(w http.ResponseWriter, _ *http.Request, _ error) {
	http.Error(w, "internal error", http.StatusInternalServerError)
}

// challengeMount has nonces answered for every host, and next answer what
// else public authorities ask for.
func challengeMount(nonces *diagnose.Nonces, next http.Handler) api.Mount {
	return api.Mount{Prefix: control.ChallengePath, Dialect: plainDialect{nonces.Handler(next)}}
}

// tlsHandler lets "slipway doctor tls" ask over the socket.
func (s *server) tlsHandler() http.Handler {
	return diagnose.Serve(func(ctx context.Context, domain string, found func(platform.Diagnosis)) error {
		core := s.core.Load()
		if core == nil {
			if leader := s.leaderName(); leader != "" && leader != s.nodeName {
				return fmt.Errorf("the controller works on %s: run the command there", leader)
			}
			return errors.New("the controller is still starting: look with \"slipway status\" until it is ready")
		}
		return core.CheckAll(ctx, domain, found)
	})
}
