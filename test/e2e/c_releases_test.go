//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

func (s *story) scale(t *testing.T) {
	for _, n := range []int{3, 1} {
		require.NoError(t, s.client.Scale(t.Context(), s.app, n))
		_, err := s.client.WaitPods(t.Context(), s.app, n, deployLimit)
		require.NoError(t, err)
		pods := map[string]bool{}
		// Every pod gets its turn, and no other.
		s.answers(t, s.app, 30*time.Second, shows(func(p page) bool { pods[p.Pod] = true; return len(pods) >= n }))
	}
}

func (s *story) configAndRollback(t *testing.T) {
	ctx := t.Context()
	first, err := s.client.Latest(ctx, s.app)
	require.NoError(t, err)
	require.NoError(t, s.client.SetConfig(ctx, s.app, map[string]string{"GREETING": "good morning"}))
	changed, err := s.client.WaitRelease(ctx, s.app, first.Version, deployLimit)
	require.NoError(t, err)
	assert.Equal(t, first.Version+1, changed.Version)
	s.answers(t, s.app, 10*time.Second, shows(func(p page) bool { return p.Greeting == "good morning" }))

	made, err := s.client.Rollback(ctx, s.app, first.Version)
	require.NoError(t, err)
	assert.Equal(t, changed.Version+1, made, "a rollback is a new release")
	_, err = s.client.WaitRelease(ctx, s.app, changed.Version, deployLimit)
	require.NoError(t, err)
	s.answers(t, s.app, 10*time.Second, shows(func(p page) bool { return p.Greeting == "" && p.Version == "v1" }))
	err = s.client.SetConfig(ctx, s.app, map[string]string{"PORT": "eighty"})
	refused(t, err, []int{400}, "PORT can only be a numeric value")
}

// tenDeploys is the promise to visitors: nobody notices a deploy.
func (s *story) tenDeploys(t *testing.T) {
	ctx := t.Context()
	stop := appliance.Prober{URL: s.m.URL(s.app, "/"), PerSecond: 60, Machine: s.m, Check: shows(func(p page) bool { return p.App == s.app })}.Start(ctx)
	var times []string
	var failure error
	for i := range 10 {
		start := time.Now()
		version := 1 - i%2 // v2, v1, v2 …
		if _, err := s.client.Deployed(ctx, s.app, s.images[version], deployLimit); err != nil {
			failure = fmt.Errorf("deploy %d: %w", i+1, err)
			break
		}
		s.answers(t, s.app, 10*time.Second, shows(func(p page) bool { return p.Version == fmt.Sprintf("v%d", version+1) }))
		times = append(times, fmt.Sprintf("%.1fs", time.Since(start).Seconds()))
	}
	tally := stop()
	t.Logf("deploys took %s; prober: %s", strings.Join(times, " "), tally)
	require.NoError(t, failure)
	assert.Zero(t, tally.Failed, "%s", strings.Join(tally.Reasons, "\n"))
	assert.GreaterOrEqual(t, tally.Rate(), 50.0)
}

// keepsServing runs a deploy that has to crash with the given reason, while
// visitors go on being served by the release before.
func (s *story) keepsServing(t *testing.T, image string, reason *regexp.Regexp) {
	t.Helper()
	ctx := t.Context()
	before, err := s.client.Latest(ctx, s.app)
	require.NoError(t, err)
	stop := appliance.Prober{URL: s.m.URL(s.app, "/"), PerSecond: 50, Machine: s.m}.Start(ctx)
	r, err := s.client.Deployed(ctx, s.app, image, deployLimit)
	tally := stop()
	require.ErrorIs(t, err, appliance.ErrCrashed)
	t.Logf("v%d: %v; prober: %s", r.Version, err, tally)
	assert.Greater(t, r.Version, before.Version)
	assert.True(t, r.Failed)
	assert.Regexp(t, reason, err.Error())
	assert.Zero(t, tally.Failed, "%s", strings.Join(tally.Reasons, "\n"))
	_, err = s.client.WaitPods(ctx, s.app, 1, time.Minute)
	assert.NoError(t, err, "nothing of the failed release stays")
}

func (s *story) unknownImage(t *testing.T) {
	s.keepsServing(t, "registry."+domain+"/"+s.app+":nosuchtag", regexp.MustCompile(`(?i)pull|not found`))
}

func (s *story) crashingImage(t *testing.T) {
	s.keepsServing(t, s.images[2], regexp.MustCompile(`no database at db\.example`))
}

// once checks that a deploy over a crash happened once: no number missing or
// twice, one Deployment, the wanted pods.
func (s *story) once(t *testing.T, before []appliance.Release) {
	t.Helper()
	after, err := s.client.Releases(t.Context(), s.app)
	require.NoError(t, err)
	want := append(appliance.Versions(before), len(before)+1)
	assert.Equal(t, want, appliance.Versions(after))
	out, err := s.m.Slipway(t.Context(), "kubectl", "get", "deployments", "-n", s.app, "-o", "name")
	require.NoError(t, err)
	assert.Len(t, strings.Fields(out), 1)
	_, err = s.client.WaitPods(t.Context(), s.app, 1, deployLimit)
	require.NoError(t, err)
	charts(t, s.m)
}

func (s *story) crashInDeploy(t *testing.T) {
	ctx := t.Context()
	for i, image := range []string{s.images[1], s.images[0]} {
		before, err := s.client.Releases(ctx, s.app)
		require.NoError(t, err)
		stop := appliance.Prober{URL: s.m.URL(s.app, "/"), PerSecond: 50, Machine: s.m}.Start(ctx)
		require.NoError(t, s.client.Deploy(ctx, s.app, image))
		_, err = s.m.KillServer(ctx)
		require.NoError(t, err)
		house.Well(t, s.m, 3*time.Minute)
		_, err = s.client.WaitRelease(ctx, s.app, before[0].Version, deployLimit)
		assert.NoError(t, err)
		s.answers(t, s.app, 30*time.Second, shows(func(p page) bool { return p.Version == []string{"v2", "v1"}[i] }))
		tally := stop()
		// Kubernetes goes on with a rollout that was under way as soon as it is
		// back, the gateway hears of it when its watches are: visitors may meet
		// a pod that has ended. How many did is reported, not judged.
		t.Logf("over crash %d of the server in a deploy: %s", i+1, tally)
		s.once(t, before)
	}
}

// crashAtRest kills the server while nothing is being deployed.
func (s *story) crashAtRest(t *testing.T) {
	stop := appliance.Prober{URL: s.m.URL(s.app, "/"), PerSecond: 50, Machine: s.m}.Start(t.Context())
	_, err := s.m.KillServer(t.Context())
	require.NoError(t, err)
	house.Well(t, s.m, 3*time.Minute)
	tally := stop()
	t.Logf("over a crash of the server at rest: %s", tally)
	assert.Zero(t, tally.Failed, "apps do not depend on the server: %s", strings.Join(tally.Reasons, "\n"))
}

func (s *story) crashOfAll(t *testing.T) {
	ctx := t.Context()
	before, err := s.client.Releases(ctx, s.app)
	require.NoError(t, err)
	require.NoError(t, s.client.Deploy(ctx, s.app, s.images[1]))
	supervisors, err := s.m.Servers(ctx, "supervise")
	require.NoError(t, err)
	for _, role := range []string{"supervise", "server"} {
		pids, err := s.m.Servers(ctx, role)
		require.NoError(t, err)
		for _, pid := range pids {
			_, err := s.m.Output(ctx, "sh", "-c", fmt.Sprintf("kill -9 %d 2>/dev/null || true", pid))
			require.NoError(t, err)
		}
	}
	if len(supervisors) > 0 { // else an init system has it running again
		r, err := s.m.Run(ctx, appliance.Binary, "status")
		require.NoError(t, err)
		assert.Equal(t, 1, r.Code, "a dead server is not well")
	}
	again := install(t, s.m)
	require.Equal(t, 0, again.Code, again.Stderr)
	house.Well(t, s.m, 3*time.Minute)
	_, err = s.client.WaitRelease(ctx, s.app, before[0].Version, deployLimit)
	require.NoError(t, err)
	s.answers(t, s.app, 30*time.Second, shows(func(p page) bool { return p.Version == "v2" }))
	s.once(t, before)
}

func (s *story) deleteApp(t *testing.T) {
	ctx := t.Context()
	require.NoError(t, s.client.DeleteApp(ctx, s.app))
	require.NoError(t, appliance.Eventually(ctx, time.Minute, func(ctx context.Context) error {
		_, err := s.client.Releases(ctx, s.app)
		var r *appliance.Refusal
		if !errors.As(err, &r) || r.Status != 404 && r.Status != 403 {
			return fmt.Errorf("the app is still there: %w", err)
		}
		out, err := s.m.Slipway(ctx, "kubectl", "get", "namespaces", "-o", "name")
		if err != nil {
			return err
		}
		if strings.Contains(out, "namespace/"+s.app+"\n") {
			return errors.New("its namespace is still there")
		}
		return nil
	}))
}
