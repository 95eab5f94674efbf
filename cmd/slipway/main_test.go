package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWrongUsageExitsWithTwo(t *testing.T) {
	tests := map[string][]string{
		"unknown command":   {"bogus"},
		"unknown flag":      {"install", "--bogus"},
		"surplus argument":  {"uninstall", "now"},
		"unknown output":    {"status", "-o", "xml"},
		"k3s without role":  {"k3s"},
		"k3s unknown role":  {"k3s", "master"},
		"version, surplus":  {"version", "please"},
		"version, bad form": {"version", "-o", "yaml"},
	}
	for name, args := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, 2, execute(args)) })
	}
}

func TestHelpAndVersionExitWithZero(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"install", "--help"}, {"version"}, {"version", "-o", "json"}} {
		assert.Equal(t, 0, execute(args), args)
	}
}

func TestStatusProblemsNameWhatToDo(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	well := overview{
		Report: lifecycle.Report{Certificate: now.Add(48 * time.Hour), Parts: []lifecycle.Entry{{Name: "gateway", State: lifecycle.Ready}}},
		Disks:  []diskUse{{Path: "/", Total: 100 << 30, Free: 50 << 30}},
	}
	assert.Empty(t, problems(well, now, "logs"))

	part := well
	part.Parts = []lifecycle.Entry{{Name: "registry", State: lifecycle.Failed, Message: "no room"}}
	assert.Equal(t, []string{"registry is failed: no room (log: logs)"}, problems(part, now, "logs"))

	old := well
	old.Certificate = now.Add(time.Hour)
	require.Len(t, problems(old, now, "logs"), 1)
	assert.Contains(t, problems(old, now, "logs")[0], "was not renewed")

	full := well
	full.Disks = []diskUse{{Path: "/", Total: 100 << 30, Free: 5 << 30}}
	require.Len(t, problems(full, now, "logs"), 1)
	assert.Contains(t, problems(full, now, "logs")[0], "free some")
}

func TestOverviewIsReadable(t *testing.T) {
	var b bytes.Buffer
	o := overview{Well: true, URL: "http://drycc.example.com", Report: lifecycle.Report{Node: "vm", Parts: []lifecycle.Entry{{Name: "gateway", State: lifecycle.Ready}}}}
	require.NoError(t, printOverview(&b, o))
	assert.Contains(t, b.String(), "http://drycc.example.com")
	assert.Contains(t, b.String(), "All is well.")
	b.Reset()
	o.Well, o.Problems = false, []string{"it rains"}
	require.NoError(t, printOverview(&b, o))
	assert.Contains(t, b.String(), "- it rains")
}

// A library in this binary runs iptables-restore before main: what stands in
// for it must never be this binary.
func TestCarriedToolsAreNotThisBinary(t *testing.T) {
	script := string(carriedScript("/var/lib/it's/bin", "iptables-restore"))
	assert.Contains(t, script, "#!/bin/sh\n")
	assert.Contains(t, script, `'/var/lib/it'\''s/bin/iptables/lib/ld.so'`)
	assert.Contains(t, script, "'iptables-restore'")
	assert.NotContains(t, programs(), "iptables-restore")
}

func TestExitCodePassesThrough(t *testing.T) {
	var code exitCode
	require.True(t, errors.As(error(exitCode(3)), &code))
	assert.Equal(t, 3, int(code))
}

func TestTouchKeepsWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	require.NoError(t, os.WriteFile(path, []byte("known"), 0o600))
	require.NoError(t, touch(path))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "known", string(data))
}

func TestSharedRoot(t *testing.T) {
	tests := map[string]struct {
		info string
		want bool
	}{
		"shared":     {"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n", true},
		"private":    {"22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n", false},
		"slave":      {"22 1 8:1 / / rw,relatime master:3 - ext4 /dev/sda1 rw\n", false},
		"other path": {"22 1 8:1 / /srv rw shared:1 - ext4 /dev/sda1 rw\n", false},
		"odd source": {"22 1 8:1 / / rw - ext4 shared:9 rw\n", false},
		"empty":      {"", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mountinfo")
			require.NoError(t, os.WriteFile(path, []byte(tt.info), 0o600))
			assert.Equal(t, tt.want, sharedRoot(path))
		})
	}
	assert.False(t, sharedRoot(filepath.Join(t.TempDir(), "absent")))
}

func TestPlatformProcess(t *testing.T) {
	paths := bootstrap.NewPaths(bootstrap.DefaultSettings())
	pod := []string{"/kubepods/burstable/pod1/abc"}
	tests := map[string]struct {
		process host.Process
		want    bool
	}{
		"server":             {host.Process{Exe: "/usr/local/bin/slipway"}, true},
		"shim":               {host.Process{Exe: "/var/lib/slipway/bin/containerd-shim-runc-v2"}, true},
		"gateway":            {host.Process{Exe: "/usr/bin/traefik", Cgroups: pod}, true},
		"the host's traefik": {host.Process{Exe: "/usr/bin/traefik", Cgroups: []string{"/system.slice/traefik.service"}}, false},
		"an app":             {host.Process{Exe: "/app", Cgroups: pod}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, platformProcess(tt.process, paths, []string{"/usr/bin/traefik"}))
		})
	}
}
