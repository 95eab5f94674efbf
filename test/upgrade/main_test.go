//go:build e2e

package upgrade

import (
	"context"
	"fmt"
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
	domain      = "slipway.localhost"
	deployLimit = 2 * time.Minute
)

func TestMain(m *testing.M) {
	harness.Init()
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "these tests make hosts: run them as root")
		os.Exit(1)
	}
	if err := harness.Sweep(); err != nil {
		fmt.Fprintln(os.Stderr, "hosts of an earlier run:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// site is a host with the platform and what is known about it.
type site struct {
	host   *harness.Host
	m      *appliance.Machine
	client *appliance.Client
}

// newSite boots a bare host.
func newSite(t *testing.T, name, address string) *site {
	t.Helper()
	root, err := harness.RootFS(t.Context())
	require.NoError(t, err)
	h, err := harness.Boot(t.Context(), harness.Options{Name: name, Address: address, RootFS: root, Keep: os.Getenv("KEEP") != ""})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, h.Close()) })
	s := &site{host: h, m: appliance.At(h.Address, domain, h.Command)}
	t.Cleanup(func() {
		if t.Failed() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			t.Log(s.m.Report(ctx))
		}
	})
	return s
}

// must runs a step that later ones stand on.
func must(t *testing.T, name string, step func(t *testing.T)) {
	t.Helper()
	start := time.Now()
	if !t.Run(name, step) {
		t.FailNow()
	}
	t.Logf("%-50s %5.1fs", name, time.Since(start).Seconds())
}

// put copies a program of this machine to the host.
func (s *site) put(t *testing.T, program, path string) {
	t.Helper()
	require.NoError(t, s.host.Put(program, path, 0o755))
}

// run runs a program there and expects the exit code.
func (s *site) run(t *testing.T, code int, name string, args ...string) appliance.Result {
	t.Helper()
	r, err := s.m.Run(t.Context(), name, args...)
	require.NoError(t, err)
	require.Equal(t, code, r.Code, "%s %s:\n%s\n%s", name, strings.Join(args, " "), r.Stdout, r.Stderr)
	return r
}

// well waits until status says so.
func (s *site) well(t *testing.T) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), 3*time.Minute, func(ctx context.Context) error {
		_, err := s.m.Slipway(ctx, "status")
		return err
	}))
}

func (s *site) login(t *testing.T) {
	t.Helper()
	username, password, err := s.m.Credentials(t.Context())
	require.NoError(t, err)
	s.client = appliance.NewClient(s.m)
	require.NoError(t, s.client.Login(t.Context(), username, password))
}

// version is what the running server says it is.
func (s *site) version(t *testing.T) string {
	t.Helper()
	out, err := s.m.Slipway(t.Context(), "version")
	require.NoError(t, err)
	return strings.Fields(out)[1]
}

// file is a file of the host, as this machine sees it.
func (s *site) file(path string) string { return filepath.Join(s.host.Root(), path) }

// newest is the binary of this work tree, or the one that SLIPWAY names.
func newest(t *testing.T) string {
	t.Helper()
	path := os.Getenv("SLIPWAY")
	if path == "" {
		path = "../../bin/slipway"
	}
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	require.FileExists(t, path, "run make build first")
	return path
}
