package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/upgrade"
	"github.com/slipway-paas/slipway/embedded"
)

func TestPlanIsRefused(t *testing.T) {
	tests := []struct {
		name  string
		plan  upgradePlan
		force bool
		want  string // part of the refusal; empty: none
	}{
		{"nothing in the way", upgradePlan{}, false, ""},
		{"unwell", upgradePlan{Unwell: []string{"gateway is failed"}}, false, "not well now: gateway is failed"},
		{"unwell, all the same", upgradePlan{Unwell: []string{"gateway is failed"}}, true, ""},
		{"refused, all the same", upgradePlan{Refused: []string{"v1 is older"}}, true, "v1 is older"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.plan.refusal(tt.force)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, "nothing was changed")
		})
	}
}

func TestPlanIsPrinted(t *testing.T) {
	p := upgradePlan{
		From: upgrade.Version{Slipway: "v1.0.0", Kubernetes: "v1.35.1"}, To: upgrade.Version{Slipway: "v1.1.0", Kubernetes: "v1.36.0"},
		Charts: []string{"gateway"}, Added: []string{"a (1)"}, Need: 5 << 20, Free: 7 << 20,
	}
	var out strings.Builder
	require.NoError(t, p.print(&out))
	for _, part := range []string{"v1.0.0 -> v1.1.0", "v1.35.1 -> v1.36.0", "Charts that change: \n  gateway", "Database migrations: none", "5 MB needed, 7 MB free", "Nothing is in the way"} {
		require.Contains(t, out.String(), part)
	}
	p.Refused = []string{"too old"}
	out.Reset()
	require.NoError(t, p.print(&out))
	require.Contains(t, out.String(), "too old")
}

func TestImagesThatChange(t *testing.T) {
	was := imageNames([]embedded.Image{{Ref: "a:1", Digest: "sha256:aaaaaaaaaaaaaaaa"}, {Ref: "b:1", Digest: "sha256:bb"}})
	will := imageNames([]embedded.Image{{Ref: "a:1", Digest: "sha256:cccccccccccccccc"}, {Ref: "b:1", Digest: "sha256:bb"}})
	require.Equal(t, []string{"a:1 (cccccccccccc)"}, without(will, was), "another content under the same name")
	require.Equal(t, []string{"a:1 (aaaaaaaaaaaa)"}, without(was, will))
}

func TestHandOverRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "slipway")
	require.ErrorIs(t, handOver(file, []string{"slipway", "upgrade", file}), os.ErrNotExist)
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"), 0o644))
	require.ErrorContains(t, handOver(file, []string{"slipway", "upgrade", file}), "chmod +x")
}
