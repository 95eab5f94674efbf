package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Controllers of other versions are not there to be run; this is what they
// answer.
func TestVersionsThatDiffer(t *testing.T) {
	for _, test := range []struct{ api, carried, warning string }{
		{"2.3", version, ""},
		{"2.10", version, ""},
		{"2.1", version, "Client and server API versions do not match"},
		{"3.0", version, "Client and server API versions do not match"},
		{"2.3", "v99.0.0", "the controller's is v99.0.0. `drycc update` brings it."},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/cli/version" {
				_, _ = w.Write([]byte(test.carried + "\n"))
				return
			}
			w.Header()["DRYCC_API_VERSION"] = []string{test.api}
			w.Header()["DRYCC_PLATFORM_VERSION"] = []string{test.api + ".0"}
		}))
		mine := &profile{path: filepath.Join(t.TempDir(), "client.json"), Controller: server.URL, Token: "token", SSLVerify: true}
		mine.other = map[string]json.RawMessage{}
		require.NoError(t, mine.save())
		cmd := exec.Command("drycc", "version", "--all", "-c", mine.path)
		var shown, warned strings.Builder
		cmd.Stdout, cmd.Stderr = &shown, &warned
		require.NoError(t, cmd.Run(), "%s", &warned)
		server.Close()
		assert.Contains(t, shown.String(), test.api+".0", "the server's version is shown")
		if test.warning == "" {
			assert.Empty(t, warned.String())
			continue
		}
		assert.Contains(t, warned.String(), test.warning)
		assert.Equal(t, 1, strings.Count(warned.String(), "WARNING"))
	}
}
