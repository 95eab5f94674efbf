package api_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/api"
)

func TestParseLimits(t *testing.T) {
	t.Parallel()
	settings := map[string]string{}
	parse := func() (api.Limits, error) { return api.ParseLimits(func(name string) string { return settings[name] }) }
	limits, err := parse()
	require.NoError(t, err)
	assert.Equal(t, api.DefaultLimits(), limits, "nothing set")

	settings["DRYCC_THROTTLE_ANON"], settings["DRYCC_THROTTLE_USER"] = "30/min", " 600 / sec "
	limits, err = parse()
	require.NoError(t, err)
	assert.Equal(t, api.Rate{PerSecond: 0.5, Burst: 30}, limits.Anonymous)
	assert.Equal(t, api.Rate{PerSecond: 600, Burst: 600}, limits.Token)
	assert.Equal(t, limits.Token, limits.Remote, "an address may ask what one user may")

	for _, bad := range []string{"30", "30/", "/min", "x/min", "0/min", "-1/min", "30/fortnight", "1e3/min", "99999999999/min"} {
		settings["DRYCC_THROTTLE_ANON"] = bad
		_, err := parse()
		require.ErrorContains(t, err, "DRYCC_THROTTLE_ANON", bad)
		require.ErrorContains(t, err, "such as 600/min", bad)
	}
	assert.Equal(t, []string{"DRYCC_THROTTLE_ANON", "DRYCC_THROTTLE_USER"}, api.LimitNames())
}

// The probes of load balancers and the kubelet are never throttled: that would
// take a busy controller out of service.
func TestProbesAreNotThrottled(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d := newDoor(t, api.HandlerOptions{
		Mounts: []api.Mount{{Dialect: spoken{name: "only"}}}, Now: func() time.Time { return now },
		Limits: api.Limits{Anonymous: api.Rate{PerSecond: 0.5, Burst: 1}},
	})
	assert.Equal(t, 200, d.do("GET", "/v2/").Code)
	assert.Equal(t, 429, d.do("GET", "/v2/").Code)
	for range 3 {
		assert.Equal(t, 200, d.do("GET", "/healthz").Code)
		assert.Equal(t, 200, d.do("GET", "/readiness/").Code)
	}
}
