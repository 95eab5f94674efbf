//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

// TestGuide walks the Drycc Workflow guide's chapters 4 and 5, command by
// command, with the client that the appliance itself gives out. What a section
// says stands in testdata/guide, in the form that walk.go describes. What needs
// a source build (git push) is not among it: the appliance has no builder yet.
func TestGuide(t *testing.T) {
	m := thisMachine(t)
	before := house.Photograph(t, m)
	house.Must(t, "install", func(t *testing.T) {
		r := install(t, m)
		require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
		house.Well(t, m, time.Minute)
	})
	w := newWalker(t, m)
	house.Must(t, "4.1 the client is downloaded from the appliance", w.download)
	guide(t, m, w)
	house.Must(t, "uninstall", func(t *testing.T) { uninstall(t, m, before) })
}

// guide is the walk itself. Sections that others need have to go well.
func guide(t *testing.T, m *appliance.Machine, w *walker) {
	house.Must(t, "4.1 the client", func(t *testing.T) { w.walk(t, "4.1-client.txt") })
	house.Must(t, "4.2 users and registration", func(t *testing.T) { w.walk(t, "4.2-users.txt") })
	should(t, m, "4.3 SSH keys", func(t *testing.T) { w.walk(t, "4.3-keys.txt") })
	house.Must(t, "5.4 container images", func(t *testing.T) { w.walk(t, "5.4-images.txt") })
	should(t, m, "5.5 processes", func(t *testing.T) { w.walk(t, "5.5-processes.txt"); w.follow(t) })
	should(t, m, "5.6 configuration", func(t *testing.T) { w.walk(t, "5.6-config.txt") })
	should(t, m, "5.6 health checks, deploys, tags", func(t *testing.T) { w.walk(t, "5.6-deploys.txt") })
	should(t, m, "5.7 metrics", func(t *testing.T) { w.walk(t, "5.7-metrics.txt") })
	should(t, m, "5.8 lifecycle", func(t *testing.T) { w.walk(t, "5.8-lifecycle.txt") })
	should(t, m, "5.9 volumes", func(t *testing.T) { w.walk(t, "5.9-volumes.txt") })
	should(t, m, "5.10 gateways", func(t *testing.T) { w.walk(t, "5.10-gateways.txt") })
	should(t, m, "5.11 resources", func(t *testing.T) { w.walk(t, "5.11-resources.txt") })
	should(t, m, "5.13 limits", func(t *testing.T) { w.walk(t, "5.13-limits.txt") })
	should(t, m, "5.14 domains and routing", func(t *testing.T) { w.walk(t, "5.14-domains.txt") })
	should(t, m, "5.15 certificates", func(t *testing.T) { w.certificate(t); w.walk(t, "5.15-certs.txt") })
	should(t, m, "5.16 the .drycc folder", func(t *testing.T) { w.walk(t, "5.16-path.txt") })
	should(t, m, "what is wrong is said", func(t *testing.T) { w.walk(t, "errors.txt") })
	house.Must(t, "the end", func(t *testing.T) { w.walk(t, "end.txt") })
	t.Logf("%d commands of the guide were run", w.commands)
}

// download fetches the client as the guide does. The script checks its sha256;
// a client that differs from what the controller names is not installed.
func (w *walker) download(t *testing.T) {
	t.Helper()
	w.env = append(w.env, "PREFIX="+w.home)
	w.walk(t, "4.1-download.txt")
	info, err := os.Stat(filepath.Join(w.home, "bin", "drycc"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o755), info.Mode().Perm())
	assert.LessOrEqual(t, info.Size(), int64(20<<20), "the client is small")
}

// certificate makes a key pair for the domain of the walk: server.crt and
// server.key in the working folder.
func (w *walker) certificate(t *testing.T) {
	t.Helper()
	cert, key := house.SelfSigned(t, "guide.example.com")
	require.NoError(t, os.WriteFile(filepath.Join(w.work, "server.crt"), cert, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(w.work, "server.key"), key, 0o600))
}

// follow reads the log of a pod as it comes, until Ctrl-C.
func (w *walker) follow(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := w.command(ctx, "cd steely-mainsail; exec drycc ps logs -f $(pod web)")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	asking := make(chan error, 1)
	go func() { // the program tells of each request
		client := &http.Client{Transport: w.m.Transport()}
		for ctx.Err() == nil {
			if _, _, err := w.m.Get(ctx, client, w.m.URL("steely-mainsail", "/followed")); err != nil && ctx.Err() == nil {
				asking <- err
				return
			}
		}
		asking <- nil
	}()
	heard := 0
	for lines := bufio.NewScanner(out); heard < 5 && lines.Scan(); {
		if strings.Contains(lines.Text(), "/followed") {
			heard++
		}
	}
	assert.Equal(t, 5, heard, "the log goes on")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	_, err = io.Copy(io.Discard, out)
	require.NoError(t, err)
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	assert.Equal(t, 130, exit.ExitCode(), "as shells show Ctrl-C")
	cancel()
	assert.NoError(t, <-asking)
}
