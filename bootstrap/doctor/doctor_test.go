package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func says(found ...Finding) func(context.Context) ([]Finding, error) {
	return func(context.Context) ([]Finding, error) { return found, nil }
}

func TestReport(t *testing.T) {
	fix := &Fix{Change: "turn it on", Do: func(context.Context, Changer) error { return nil }}
	checks := []Check{
		{ID: "disk", Title: "disk", Scope: Always, Look: says(Finding{Severity: Warning, Title: "little room", Evidence: "1 GiB", Reason: "it fills", Cure: "make room"})},
		{ID: "fuse", Title: "fuse", Scope: Running, Look: says(Finding{Severity: Error, Title: "it is off", Evidence: "0", Reason: "dark", Cure: "turn it on", Fix: fix})},
		{ID: "blind", Title: "the moon", Scope: Before, Look: func(context.Context) ([]Finding, error) { return nil, errors.New("clouds") }},
	}
	assert.Len(t, Select(checks, BeforeJoinAgent), 2)
	r, err := Run(t.Context(), Select(checks, RunningServer))
	require.NoError(t, err)
	assert.Equal(t, 2, r.Checks)
	require.ErrorIs(t, r.Err(), ErrFailed)
	require.EqualError(t, r.Err(), "the host is not ready (nothing was changed): it is off")
	require.Len(t, r.Fixable(), 1)
	assert.Equal(t, "fuse", r.Fixable()[0].ID)

	var out bytes.Buffer
	require.NoError(t, r.Write(&out))
	assert.Equal(t, `error    fuse: it is off
           found  0
           why    dark
           cure   turn it on
           fix    slipway doctor --fix will turn it on
warning  disk: little room
           found  1 GiB
           why    it fills
           cure   make room
`, out.String())

	r, err = Run(t.Context(), Select(checks, BeforeInstall))
	require.NoError(t, err)
	require.NoError(t, r.Err())
	assert.Equal(t, "the moon could not be looked at", r.Findings[1].Title)
	assert.Equal(t, Warning, r.Findings[1].Severity)
}

// TestJSON is the form that scripts and the socket read: a fix is told, and
// cannot be carried out from it.
func TestJSON(t *testing.T) {
	r := Report{Checks: 1, Findings: []Finding{{ID: "fuse", Severity: Error, Title: "off", Fix: &Fix{Change: "turn it on", Server: true, Do: func(context.Context, Changer) error { return nil }}}}}
	data, err := json.Marshal(r)
	require.NoError(t, err)
	assert.JSONEq(t, `{"checks":1,"findings":[{"id":"fuse","severity":"error","title":"off","evidence":"","reason":"","cure":"","fix":{"change":"turn it on","server":true}}]}`, string(data))
	var back Report
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Nil(t, back.Findings[0].Fix.Do)
}

func TestScopesHaveNames(t *testing.T) {
	assert.Equal(t, "install,join-server,join-agent,upgrade,server,agent", Always.String())
	assert.Equal(t, "server,agent", Running.String())
}

func TestAnEndedRunIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Run(ctx, []Check{{ID: "a", Look: says()}})
	require.ErrorIs(t, err, context.Canceled)
}
