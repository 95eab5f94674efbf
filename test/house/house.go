// Package house is what the tests share that make hosts: their TestMain, a bare
// host for one test, how to install on it, what to ask it, and how to go through
// steps. A House is such a host with an appliance and one app, for tests that do
// things to hosts: move them, pull their plugs, let their certificates end.
//
// bin/slipway of this work tree has to be there, or what SLIPWAY names; with KEEP
// set, hosts stay when the tests have ended.
package house

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
)

const (
	App   = "probe"         // the name of the app
	Limit = 4 * time.Minute // for anything that an app or the platform comes back from
)

// House is a host with an appliance on it, and one app.
type House struct {
	*harness.Host
	M      *appliance.Machine
	Client *appliance.Client
	probe  string // the compiled app
}

// Build makes a host, installs on it, with more environment, and deploys the app
// from its registry.
func Build(t *testing.T, name, address, domain string, env ...string) *House {
	t.Helper()
	h, m := Bare(t, harness.Options{Name: name, Address: address}, domain)
	a := &House{Host: h, M: m}
	Install(t, h, m, env, "--domain", domain)
	a.Client = Login(t, m)
	_, err := a.Client.CreateApp(t.Context(), App, "")
	require.NoError(t, err)
	a.probe, err = appliance.BuildProbe(t.Context(), t.TempDir())
	require.NoError(t, err)
	a.Deploy(t, a.Push(t, "v1"))
	a.Answers(t, "v1")
	return a
}

// At says where the appliance is from now on.
func (a *House) At(address, domain string) {
	a.M = appliance.At(address, domain, a.Command)
	a.Client = a.Client.At(a.M)
}

// Push puts a version of the app into the registry and returns its reference.
func (a *House) Push(t *testing.T, version string) string {
	t.Helper()
	username, password, err := a.M.Credentials(t.Context())
	require.NoError(t, err)
	image, err := appliance.ProbeImage(a.probe, version)
	require.NoError(t, err)
	secure, err := a.M.HTTPS(t.Context())
	require.NoError(t, err)
	ref, err := a.M.Push(t.Context(), secure, image, "tests/probe", version, username, password)
	require.NoError(t, err)
	return ref
}

// Deploy deploys an image and waits until it runs.
func (a *House) Deploy(t *testing.T, ref string) {
	t.Helper()
	_, err := a.Client.Deployed(t.Context(), App, ref, Limit)
	require.NoError(t, err)
}

// Answers waits until the app answers with a version, over HTTP and, trusting
// the platform's authority only, over HTTPS.
func (a *House) Answers(t *testing.T, version string) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), Limit, func(ctx context.Context) error {
		secure, err := a.M.HTTPS(ctx)
		if err != nil {
			return err
		}
		url := a.M.URL(App, "/")
		for _, u := range []string{url, strings.Replace(url, "http://", "https://", 1)} {
			status, body, err := a.M.Get(ctx, secure, u)
			if err != nil {
				return err
			}
			if status != http.StatusOK || !strings.Contains(body, version) {
				return fmt.Errorf("%s: HTTP %d: %.200s", u, status, body)
			}
		}
		return nil
	}))
}

// Status is what slipway status says.
type Status struct {
	Well                  bool
	Node, Address, Domain string
	PID                   int
	Moves, Problems       []string
}

// Status asks the server; it is an error that none answers.
func (a *House) Status(ctx context.Context) (s Status, err error) {
	r, err := a.M.Run(ctx, appliance.Binary, "status", "-o", "json")
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(r.Stdout), &s); err != nil {
		return s, fmt.Errorf("status: %w: %.200s", err, r.Stderr)
	}
	return s, nil
}

// Well waits until all is well at an address and domain.
func (a *House) Well(t *testing.T) (s Status) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), Limit, func(ctx context.Context) (err error) {
		if s, err = a.Status(ctx); err != nil {
			return err
		}
		if !s.Well || s.Address != a.M.Address || s.Domain != a.M.Domain {
			return fmt.Errorf("%s at %s: %s", s.Domain, s.Address, strings.Join(s.Problems, "; "))
		}
		return nil
	}))
	return s
}

// Sh runs a line on the host.
func (a *House) Sh(t *testing.T, line string) string {
	t.Helper()
	out, err := a.M.Output(t.Context(), "sh", "-c", line)
	require.NoError(t, err)
	return strings.TrimSpace(out)
}
