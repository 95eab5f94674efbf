//go:build e2e

package backup

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

const deployLimit = 3 * time.Minute

func TestMain(m *testing.M) { os.Exit(house.Main(m, "make test-backup")) }

// site is a host with the platform's file on it.
type site struct {
	host *harness.Host
	m    *appliance.Machine
}

func newSite(t *testing.T, name, address, domain string) site {
	t.Helper()
	h, m := house.Bare(t, harness.Options{Name: name, Address: address}, domain)
	require.NoError(t, h.Put(house.Program(t), house.Brought, 0o755))
	return site{h, m}
}

// path is a path of the host as seen from here.
func (s site) path(p string) string { return filepath.Join(s.host.Root(), p) }

// run runs the file that was brought, which has to end with the code.
func (s site) run(t *testing.T, code int, args ...string) appliance.Result {
	t.Helper()
	r, err := s.m.Run(t.Context(), house.Brought, args...)
	require.NoError(t, err)
	require.Equal(t, code, r.Code, "%v\n%s\n%s", args, r.Stdout, r.Stderr)
	return r
}

// put writes a file on the host.
func (s site) put(t *testing.T, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(s.path(path), data, 0o600))
}

func (s site) read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(s.path(path))
	require.NoError(t, err)
	return data
}

// served is the certificate that a host shows for a name.
func (s site) served(t *testing.T, name string) []byte {
	t.Helper()
	leaf, err := house.Served(t.Context(), s.m, name)
	require.NoError(t, err)
	return leaf.Raw
}

// answers waits until a URL on the host answers with a page that has the text.
func (s site) answers(t *testing.T, url, text string) {
	t.Helper()
	client := &http.Client{Transport: s.m.Transport(), Timeout: 10 * time.Second}
	require.NoError(t, appliance.Eventually(t.Context(), deployLimit, func(ctx context.Context) error {
		status, body, err := s.m.Get(ctx, client, url)
		if err != nil {
			return err
		}
		if status != http.StatusOK || !bytes.Contains([]byte(body), []byte(text)) {
			return fmt.Errorf("%s: HTTP %d %.200s", url, status, body)
		}
		return nil
	}))
}
