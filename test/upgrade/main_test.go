//go:build e2e

package upgrade

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

const (
	domain      = "slipway.localhost"
	deployLimit = 2 * time.Minute
)

func TestMain(m *testing.M) { os.Exit(house.Main(m, "make test-upgrade")) }

// site is a host with the platform and what is known about it.
type site struct {
	host   *harness.Host
	m      *appliance.Machine
	client *appliance.Client
}

// newSite boots a bare host.
func newSite(t *testing.T, name, address string) *site {
	t.Helper()
	h, m := house.Bare(t, harness.Options{Name: name, Address: address}, domain)
	return &site{host: h, m: m}
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
	house.Well(t, s.m, 3*time.Minute)
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
