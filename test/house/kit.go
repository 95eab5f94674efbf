package house

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
)

// Brought is where a host has the program before it is installed.
const Brought = "/opt/slipway"

// Program is the path of the program under test: the one that SLIPWAY names, or
// bin/slipway of this work tree.
func Program(t *testing.T) string {
	t.Helper()
	path := os.Getenv("SLIPWAY")
	if path == "" {
		path = "../../bin/slipway"
	}
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	require.FileExists(t, path, "no program to test: run make build first")
	return path
}

// Bare boots a Debian host without anything, for one test, and hands it out as
// a machine to install on too. Without a RootFS it has the smallest.
func Bare(t *testing.T, o harness.Options, domain string) (*harness.Host, *appliance.Machine) {
	t.Helper()
	start := time.Now()
	var err error
	if o.RootFS == "" {
		o.RootFS, err = harness.RootFS(t.Context())
		require.NoError(t, err)
	}
	o.Keep = Keep()
	h, err := harness.Boot(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, h.Close()) })
	m := appliance.At(h.Address, domain, h.Command)
	Explain(t, m) // cleanups run in reverse: this one first
	t.Logf("bare host %s after %.1fs", o.Name, time.Since(start).Seconds())
	return h, m
}

// Explain prints the state of a machine when the test has failed.
func Explain(t *testing.T, m *appliance.Machine) {
	t.Cleanup(func() {
		if t.Failed() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			t.Logf("%s\n%s", m.Address, m.Report(ctx))
		}
	})
}

// Install installs the program under test on a bare host, with more environment
// and arguments. Only what was installed is there from then on.
func Install(t *testing.T, h *harness.Host, m *appliance.Machine, env []string, args ...string) appliance.Result {
	t.Helper()
	require.NoError(t, h.Put(Program(t), Brought, 0o755))
	r, err := m.RunEnv(t.Context(), env, Brought, append([]string{"install"}, args...)...)
	require.NoError(t, err)
	require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	require.NoError(t, os.Remove(filepath.Join(h.Root(), Brought)))
	t.Logf("installed in %.1fs", r.Took.Seconds())
	return r
}

// Login returns a client for the admin.
func Login(t *testing.T, m *appliance.Machine) *appliance.Client {
	t.Helper()
	username, password, err := m.Credentials(t.Context())
	require.NoError(t, err)
	c := appliance.NewClient(m)
	require.NoError(t, c.Login(t.Context(), username, password))
	return c
}

// Well waits until status says that all is well.
func Well(t *testing.T, m *appliance.Machine, limit time.Duration) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) error {
		_, err := m.Slipway(ctx, "status")
		return err
	}))
}

// Carried is the reference of an image inside the program.
func Carried(t *testing.T, m *appliance.Machine, name string) string {
	t.Helper()
	out, err := m.Slipway(t.Context(), "version", "--images", "-o", "json")
	require.NoError(t, err)
	var images []struct{ Name, Ref string }
	require.NoError(t, json.Unmarshal([]byte(out), &images))
	for _, i := range images {
		if i.Name == name {
			return i.Ref
		}
	}
	t.Fatalf("no image %s in %s", name, out)
	return ""
}

// Photograph takes a picture of a machine without Slipway's help.
func Photograph(t *testing.T, m *appliance.Machine) appliance.Picture {
	t.Helper()
	p, err := m.Photograph(t.Context())
	require.NoError(t, err)
	return p
}

// Unchanged checks that a machine looks as in the picture from before, but for
// lines that hold one of some texts. What the kernel does in the background after
// a removal may take a moment.
func Unchanged(t *testing.T, m *appliance.Machine, before appliance.Picture, but ...string) {
	t.Helper()
	assert.NoError(t, appliance.Eventually(t.Context(), 20*time.Second, func(ctx context.Context) error {
		after, err := m.Photograph(ctx)
		if err != nil {
			return err
		}
		diff := slices.DeleteFunc(before.Diff(after), func(line string) bool {
			return slices.ContainsFunc(but, func(b string) bool { return strings.Contains(line, b) })
		})
		if len(diff) > 0 {
			return fmt.Errorf("%s: %d differences:\n%s", m.Address, len(diff), strings.Join(diff, "\n"))
		}
		return nil
	}))
}

// Must runs a step and ends the whole test when it fails: the steps build on one
// another.
func Must(t *testing.T, name string, step func(t *testing.T)) {
	t.Helper()
	start := time.Now()
	if !t.Run(name, step) {
		t.FailNow()
	}
	Took(t, name, start)
}

// Took logs how long a step took.
func Took(t *testing.T, name string, start time.Time) {
	t.Helper()
	t.Logf("%-60s %6.1fs", name, time.Since(start).Seconds())
}
