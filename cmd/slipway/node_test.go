package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/join"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func servers(ready ...bool) (list []k3s.NodeInfo) {
	for i, r := range ready {
		list = append(list, k3s.NodeInfo{Name: string(rune('a' + i)), Role: "server", Ready: r, State: "ready"})
	}
	return append(list, k3s.NodeInfo{Name: "x", Role: "agent", Ready: true, State: "ready"})
}

func TestNumberOfServersIsJudged(t *testing.T) {
	for name, tt := range map[string]struct {
		list []k3s.NodeInfo
		want string
	}{
		"one":            {servers(true), ""},
		"two":            {servers(true, true), "2 servers stand the loss of 0, no more than 1 would"},
		"three":          {servers(true, true, true), ""},
		"four":           {servers(true, true, true, true), "4 servers stand the loss of 1, no more than 3 would"},
		"three, one off": {servers(true, true, false), ""},
		"three, two off": {servers(true, false, false), "1 of 3 servers work, 2 are needed"},
	} {
		t.Run(name, func(t *testing.T) {
			note := serversNote(tt.list)
			if tt.want == "" {
				assert.Empty(t, note)
				return
			}
			assert.Contains(t, note, tt.want)
		})
	}
}

func TestUninstallOfOneOfSeveralServers(t *testing.T) {
	require.NoError(t, lastWord(servers(true), "a"), "the only one")
	require.NoError(t, lastWord(servers(true, true), "x"), "an agent")
	require.NoError(t, lastWord(servers(true, true), "gone"), "taken out before")
	require.ErrorContains(t, lastWord(servers(true, true), "a"), `"slipway node remove a"`)
}

func TestTheControllersDatabaseStays(t *testing.T) {
	list := servers(true, true)
	list[0].Controller = true
	m := &machine{settings: bootstrap.DefaultSettings()}
	require.ErrorContains(t, m.mayLeave(list, "a"), "PostgreSQL")
	require.NoError(t, m.mayLeave(list, "b"))
	require.NoError(t, m.mayLeave(list, "x"))
	require.ErrorIs(t, m.mayLeave(list, "y"), k3s.ErrNoNode)
	m.settings.DatabaseURL = bootstrap.NewSecret("postgres://db.example.com/slipway")
	require.NoError(t, m.mayLeave(list, "a"))
}

func TestFleetIsReadable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, printFleet(&b, fleet{Nodes: servers(true, true), Note: "a note"}))
	assert.Contains(t, b.String(), "NAME")
	assert.Contains(t, b.String(), "\na note\n")
	b.Reset()
	behind := k3s.NodeInfo{Name: "x", Role: "agent", State: "ready", Slipway: "v1.0.0", Version: "v1.35.1+k3s1", Behind: "runs v1.0.0, the cluster v2.0.0: no room"}
	require.NoError(t, printFleet(&b, fleet{Nodes: []k3s.NodeInfo{behind}}))
	assert.Regexp(t, `x +agent +v1.0.0 +v1.35.1\+k3s1 .* ready; runs v1.0.0, the cluster v2.0.0: no room\n`, b.String())
	b.Reset()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	require.NoError(t, printTokens(&b, []k3s.JoinToken{{ID: "aaaaaa", Role: join.Agent, Expires: now.Add(-time.Hour)}, {ID: "bbbbbb", Role: join.Server}}, now))
	assert.Regexp(t, `aaaaaa +agent +ended`, b.String())
	assert.Regexp(t, `bbbbbb +server +never`, b.String())
}

func TestJoinTakesTokenAndAddress(t *testing.T) {
	const token = "K100a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a::abcdef.0123456789abcdef"
	for name, tt := range map[string]struct {
		o    joinOptions
		env  []string
		url  string
		fail string
	}{
		"argument":              {o: joinOptions{token: token + "@https://10.0.0.1:6443"}, url: "https://10.0.0.1:6443"},
		"argument over address": {o: joinOptions{token: token + "@https://10.0.0.1:6443"}, env: []string{"K3S_URL=https://10.0.0.9:6443"}, url: "https://10.0.0.1:6443"},
		"environment":           {env: []string{"K3S_TOKEN=" + token + "@https://10.0.0.1:6443"}, url: "https://10.0.0.1:6443"},
		"address apart":         {env: []string{"K3S_TOKEN=" + token + "@https://10.0.0.1:6443", "K3S_URL=https://10.0.0.9:6443"}, url: ""},
		"nothing":               {},
		"a short token":         {o: joinOptions{token: "secret"}, fail: "anybody could pretend"},
		"a file that is absent": {env: []string{"K3S_TOKEN_FILE=/nonexistent"}, fail: "K3S_TOKEN_FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			given, err := tt.o.settings(tt.env)
			if tt.fail != "" {
				require.ErrorContains(t, err, tt.fail)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.url, given["K3S_URL"])
			if tt.o.token != "" || tt.env != nil {
				assert.Equal(t, token, given["K3S_TOKEN"])
			}
		})
	}
}
