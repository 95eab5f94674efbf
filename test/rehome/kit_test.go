//go:build e2e

package rehome

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
)

const (
	app   = "probe"
	limit = 4 * time.Minute // for anything that an app or the platform comes back from
)

func TestMain(m *testing.M) {
	harness.Init()
	os.Exit(m.Run())
}

// house is a host with an appliance on it, and one app.
type house struct {
	*harness.Host
	m      *appliance.Machine
	client *appliance.Client
	probe  string // the compiled app
}

// build makes a host, installs on it and deploys the app from its registry.
func build(t *testing.T, name, address, domain string) *house {
	t.Helper()
	program, err := filepath.Abs("../../bin/slipway")
	require.NoError(t, err)
	require.FileExists(t, program, "run make build first")
	root, err := harness.RootFS(t.Context())
	require.NoError(t, err)
	h, err := harness.Boot(t.Context(), harness.Options{Name: name, Address: address, RootFS: root, Keep: os.Getenv("KEEP") != ""})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, h.Close()) })
	a := &house{Host: h}
	a.at(address, domain)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(a.m.Report(context.Background()))
		}
	})
	require.NoError(t, h.Put(program, "/opt/slipway", 0o755))
	r, err := a.m.Run(t.Context(), "/opt/slipway", "install", "--domain", domain)
	require.NoError(t, err)
	require.Equal(t, 0, r.Code, r.Stderr)
	require.NoError(t, os.Remove(filepath.Join(h.Root(), "/opt/slipway")))
	a.login(t)
	_, err = a.client.CreateApp(t.Context(), app, "")
	require.NoError(t, err)
	a.probe, err = appliance.BuildProbe(t.Context(), t.TempDir())
	require.NoError(t, err)
	a.deploy(t, a.push(t, "v1"))
	a.answers(t, "v1")
	return a
}

// at says where the appliance is from now on.
func (a *house) at(address, domain string) {
	a.m = appliance.At(address, domain, a.Command)
	if a.client != nil {
		a.client = a.client.At(a.m)
	}
}

func (a *house) login(t *testing.T) {
	t.Helper()
	username, password, err := a.m.Credentials(t.Context())
	require.NoError(t, err)
	a.client = appliance.NewClient(a.m)
	require.NoError(t, a.client.Login(t.Context(), username, password))
}

// push puts a version of the app into the registry and returns its reference.
func (a *house) push(t *testing.T, version string) string {
	t.Helper()
	username, password, err := a.m.Credentials(t.Context())
	require.NoError(t, err)
	image, err := appliance.ProbeImage(a.probe, version)
	require.NoError(t, err)
	secure, err := a.m.HTTPS(t.Context())
	require.NoError(t, err)
	ref, err := a.m.Push(t.Context(), secure, image, "tests/probe", version, username, password)
	require.NoError(t, err)
	return ref
}

func (a *house) deploy(t *testing.T, ref string) {
	t.Helper()
	_, err := a.client.Deployed(t.Context(), app, ref, limit)
	require.NoError(t, err)
}

// answers waits until the app answers with a version, over HTTP and, trusting
// the platform's authority only, over HTTPS.
func (a *house) answers(t *testing.T, version string) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) error {
		secure, err := a.m.HTTPS(ctx)
		if err != nil {
			return err
		}
		url := a.m.URL(app, "/")
		for _, u := range []string{url, strings.Replace(url, "http://", "https://", 1)} {
			status, body, err := a.m.Get(ctx, secure, u)
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

// status is what slipway status says.
type status struct {
	Well                  bool
	Node, Address, Domain string
	PID                   int
	Moves, Problems       []string
}

func (a *house) status(ctx context.Context) (s status, err error) {
	r, err := a.m.Run(ctx, appliance.Binary, "status", "-o", "json")
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(r.Stdout), &s); err != nil {
		return s, fmt.Errorf("status: %w: %.200s", err, r.Stderr)
	}
	return s, nil
}

// well waits until all is well at an address and domain.
func (a *house) well(t *testing.T) (s status) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) (err error) {
		if s, err = a.status(ctx); err != nil {
			return err
		}
		if !s.Well || s.Address != a.m.Address || s.Domain != a.m.Domain {
			return fmt.Errorf("%s at %s: %s", s.Domain, s.Address, strings.Join(s.Problems, "; "))
		}
		return nil
	}))
	return s
}

// sh runs a line on the host.
func (a *house) sh(t *testing.T, line string) string {
	t.Helper()
	out, err := a.m.Output(t.Context(), "sh", "-c", line)
	require.NoError(t, err)
	return strings.TrimSpace(out)
}
