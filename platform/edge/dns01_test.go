package edge

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/libdns/libdns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func record() []libdns.Record {
	return []libdns.Record{libdns.TXT{Name: "_acme-challenge.apps", Text: "proof value", TTL: time.Minute}}
}

func script(t *testing.T, mode os.FileMode, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hook")
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"+strings.Join(lines, "\n")+"\n"), 0o600))
	require.NoError(t, os.Chmod(file, mode))
	return file
}

func TestExecHookGetsTheRecordAndItsSecretOnly(t *testing.T) {
	t.Setenv("SLIPWAY_TEST_ELSE", "not to be seen")
	dir := t.TempDir()
	h := execHook{file: script(t, 0o755, `printf '%s\n' "$@" >>`+dir+`/args`, `env >`+dir+`/env`), secret: "hush", patience: time.Minute}
	_, err := h.AppendRecords(t.Context(), "example.com.", record())
	require.NoError(t, err)
	_, err = h.DeleteRecords(t.Context(), "example.com.", record())
	require.NoError(t, err)
	args, err := os.ReadFile(filepath.Join(dir, "args"))
	require.NoError(t, err)
	assert.Equal(t, "add\n_acme-challenge.apps.example.com.\nproof value\ndelete\n_acme-challenge.apps.example.com.\nproof value\n", string(args))
	env, err := os.ReadFile(filepath.Join(dir, "env"))
	require.NoError(t, err)
	for _, want := range []string{
		"ACME_DNS_ACTION=delete", "ACME_DNS_ZONE=example.com.", "ACME_DNS_NAME=_acme-challenge.apps.example.com.",
		"ACME_DNS_TYPE=TXT", "ACME_DNS_VALUE=proof value", "ACME_DNS_TTL=60", "ACME_DNS_SECRET=hush",
	} {
		assert.Contains(t, string(env), want+"\n")
	}
	assert.NotContains(t, string(env), "not to be seen")
}

func TestExecHookFailures(t *testing.T) {
	for name, test := range map[string]struct {
		file     string
		patience time.Duration
		says     string
	}{
		"another code":      {script(t, 0o755, "echo first", "echo the zone hush is locked >&2", "exit 3"), time.Minute, "exit status 3: the zone *** is locked"},
		"too slow":          {script(t, 0o755, "sleep 1000 & wait"), 100 * time.Millisecond, "has not ended within 100ms"},
		"gone":              {"/nonexistent/hook", time.Minute, "no such file"},
		"no program":        {script(t, 0o644), time.Minute, "chmod 0755"},
		"others may change": {script(t, 0o777), time.Minute, "chmod go-w"},
	} {
		h := execHook{file: test.file, secret: "hush", patience: test.patience}
		_, err := h.AppendRecords(t.Context(), "example.com.", record())
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), test.says, name)
		assert.NotContains(t, err.Error(), "hush", name)
	}
}

func TestExecHookOfAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files to others")
	}
	h := execHook{file: script(t, 0o755), patience: time.Minute}
	_, err := h.AppendRecords(t.Context(), "example.com.", record())
	require.NoError(t, err)
	require.NoError(t, os.Chown(h.file, 65534, 65534))
	_, err = h.AppendRecords(t.Context(), "example.com.", record())
	require.ErrorContains(t, err, "belongs to user 65534")
}

func TestExecHookEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := execHook{file: script(t, 0o755, "sleep 1000"), patience: time.Minute}.AppendRecords(ctx, "example.com.", record())
	require.Error(t, err)
}

func TestWebhook(t *testing.T) {
	var got []hookRequest
	status, bearer := http.StatusNoContent, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in hookRequest
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&in))
		got, bearer = append(got, in), r.Header.Get("Authorization")
		w.WriteHeader(status)
	}))
	defer server.Close()
	w := &webhook{url: server.URL, token: "hush", client: &http.Client{Timeout: time.Minute}}
	_, err := w.AppendRecords(t.Context(), "example.com.", record())
	require.NoError(t, err)
	_, err = w.DeleteRecords(t.Context(), "example.com.", record())
	require.NoError(t, err)
	want := hookRequest{Action: "add", Zone: "example.com.", Name: "_acme-challenge.apps.example.com.", Type: "TXT", Value: "proof value", TTL: 60}
	deleted := want
	deleted.Action = "delete"
	assert.Equal(t, []hookRequest{want, deleted}, got)
	assert.Equal(t, "Bearer hush", bearer)

	status = http.StatusForbidden
	_, err = w.AppendRecords(t.Context(), "example.com.", record())
	require.ErrorContains(t, err, "it answered 403")
	server.Close()
	_, err = w.AppendRecords(t.Context(), "example.com.", record())
	require.ErrorContains(t, err, "webhook: ")
	assert.NotContains(t, err.Error(), "hush")
}
