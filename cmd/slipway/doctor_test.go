package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/platform"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNodesAreJudged(t *testing.T) {
	well := k3s.NodeHealth{Name: "a", Server: true, Ready: true}
	assert.Empty(t, judgeNodes([]k3s.NodeHealth{well}))
	ill := k3s.NodeHealth{Name: "b", Reason: "no route", Trouble: []string{"DiskPressure: full"}}
	found := judgeNodes([]k3s.NodeHealth{well, ill})
	require.Len(t, found, 2)
	assert.Equal(t, "b: no route", found[0].Evidence)
	assert.Equal(t, "b: DiskPressure: full", found[1].Evidence)

	assert.Empty(t, judgeServers([]k3s.NodeHealth{well, ill}), "agents do not count")
	assert.Len(t, judgeServers([]k3s.NodeHealth{well, well}), 1)
	assert.Empty(t, judgeServers([]k3s.NodeHealth{well, well, well}))

	assert.Empty(t, judgeClocks([]k3s.NodeHealth{{Name: "a", Ahead: time.Second}}))
	assert.Contains(t, judgeClocks([]k3s.NodeHealth{{Name: "a", Ahead: time.Minute}})[0].Evidence, "a is 1m0s ahead")
}

func TestUploadedCertificatesAreJudged(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	found := judgeCerts([]platform.Cert{
		{Name: "unused", Expires: now},
		{Name: "shop", Owner: "ann", Domains: []string{"shop.example.com"}, Expires: now.Add(48 * time.Hour)},
		{Name: "blog", Owner: "bob", Domains: []string{"blog.example.com"}, Expires: now.Add(-time.Hour)},
	}, now)
	require.Len(t, found, 2)
	assert.Equal(t, "shop of ann, for shop.example.com, ends on 2030-01-03", found[0].Evidence)
	assert.Equal(t, "an uploaded certificate has ended", found[1].Title)
}

// What a platform that comes up has not got yet is no finding; one that does not
// come up is looked at all the same.
func TestRoundsLeaveAStartAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{board: lifecycle.NewBoard(time.Now, lineController, lineGit)}
		began := time.Now()
		go func() {
			time.Sleep(time.Minute)
			s.board.Set(lineController, lifecycle.Ready, "")
			time.Sleep(time.Minute)
			s.board.Set(lineGit, lifecycle.Ready, "")
		}()
		s.awaitStart(t.Context())
		assert.Equal(t, 2*time.Minute, time.Since(began))
		s.awaitStart(t.Context())
		assert.Equal(t, 2*time.Minute, time.Since(began))
		s.board.Set(lineGit, lifecycle.Failed, "the port is taken")
		s.awaitStart(t.Context())
		assert.Equal(t, 2*time.Minute+roundPatience, time.Since(began))
	})
}

func TestStatusShowsFindings(t *testing.T) {
	o := overview{Report: lifecycle.Report{Findings: []doctor.Finding{
		{Severity: doctor.Error, Title: "it burns", Evidence: "smoke", Cure: "water"},
		{Severity: doctor.Warning, Title: "it is warm", Evidence: "31 C"},
		{Severity: doctor.Note, Title: "it is summer"}}}}
	assert.Equal(t, []string{"it burns: smoke; water (slipway doctor)"}, problems(o, time.Now(), "logs"))
	var b bytes.Buffer
	require.NoError(t, printOverview(&b, o))
	assert.Contains(t, b.String(), "- it is warm: 31 C")
	assert.NotContains(t, b.String(), "summer")
}

func TestFixesAreAskedFor(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, "Yes\n": true, "n\n": false, "\n": false, "what\n": false} {
		got, err := agree(io.Discard, strings.NewReader(answer), false)
		require.NoError(t, err, "%q", answer)
		assert.Equal(t, want, got, "%q", answer)
	}
	_, err := agree(io.Discard, strings.NewReader(""), false)
	require.ErrorContains(t, err, "--yes")
	got, err := agree(io.Discard, strings.NewReader(""), true)
	require.NoError(t, err)
	assert.True(t, got)
}

func TestChecksAreChosenByName(t *testing.T) {
	checks := func() []doctor.Check {
		return []doctor.Check{{ID: "disk", Scope: doctor.BeforeInstall}, {ID: "disk-use", Scope: doctor.Running}, {ID: "ports", Scope: doctor.Always}}
	}
	k := &clinic{scope: doctor.RunningServer, checks: checks(), remote: (&server{}).platformChecks()}
	require.NoError(t, k.choose(newDoctorCmd(), nil))
	assert.Len(t, k.checks, 2)
	assert.NotEmpty(t, k.remote)
	k = &clinic{scope: doctor.RunningServer, checks: checks(), remote: (&server{}).platformChecks()}
	require.NoError(t, k.choose(newDoctorCmd(), []string{"ports"}))
	require.Len(t, k.checks, 1)
	assert.Empty(t, k.remote)
	var usage usageError
	require.ErrorAs(t, k.choose(newDoctorCmd(), []string{"prots"}), &usage)
}

func TestTheRegistryHasNoDoubles(t *testing.T) {
	m, err := openMachine(nil, nil)
	require.NoError(t, err)
	checks, err := m.checks(false)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, c := range append(checks, (&server{}).platformChecks()...) {
		assert.False(t, seen[c.ID], c.ID)
		seen[c.ID] = true
	}
	var out bytes.Buffer
	require.NoError(t, listChecks(&out, checks, false))
	assert.Contains(t, out.String(), "certificates")
}
