package drycc

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// checkShape compares an answer with what the table says of its route.
func (s *stage) checkShape(method, target string, w *httptest.ResponseRecorder) {
	path, _, _ := strings.Cut(target, "?")
	f := newRouter(routes()).match(path)
	r, ok := f.method(method)
	if !ok || w.Code >= 400 || w.Code >= 300 && w.Code != r.doc.status {
		return
	}
	name := r.method + " " + r.pattern
	s.covered[name] = true
	if r.serve != nil {
		return // it answers what another program does
	}
	assert.Contains(s.t, append(r.doc.also, r.doc.status), w.Code, name)
	if r.doc.response == "" || w.Code == 204 {
		assert.Empty(s.t, w.Body.String(), name)
		return
	}
	if r.doc.response == plainText {
		assert.Contains(s.t, w.Header().Get("Content-Type"), "text/plain", name)
		return
	}
	response, either := strings.CutSuffix(r.doc.response, " or "+pageShape)
	if response == pageShape || either && strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		assert.Equal(s.t, "text/html; charset=utf-8", w.Header().Get("Content-Type"), name)
		return
	}
	if r.doc.response == "OK" || r.doc.response == "pong" {
		assert.Equal(s.t, r.doc.response, w.Body.String())
		return
	}
	assert.Equal(s.t, "application/json", w.Header().Get("Content-Type"))
	checkObject(s.t, name, response, w.Body.Bytes())
}

// shapes are the members of every object, restated from the specification.
func shapes() map[string]string {
	all := map[string]string{
		"App":          "uuid id uid workspace structure created updated",
		"Build":        "app image stack sha procfile dryccfile dockerfile uuid created updated",
		"BuildRun":     "uuid app user origin ref sha stack state message release created started ended",
		"BuildHook":    "uuid app user address url branch username public_key host_key created",
		"NewBuildHook": "uuid app user address url branch username public_key host_key created secret",
		"Config":       "uuid app values values_refs limits tags registry healthcheck lifecycle termination_grace_period created updated",
		"Release":      "uuid app version state summary failed exception conditions deployed_ptypes config build created updated",
		"Settings":     "uuid app routable autodeploy autorollback autoscale label created updated",
		"Domain":       "app domain ptype created updated",
		"TLS":          "uuid app https_enforced certs_auto_enabled issuer events created updated",
		"Diagnosis":    "app domain status time links",
		"Cert":         "id app owner name common_name san fingerprint expires starts issuer subject domains created updated",
		"Gateway":      "id app name ports addresses created updated",
		"Route":        "id app name kind parent_refs rules routable created updated",
		"Token":        "uuid owner alias fuzzy_key created updated",
		"Workspace":    "uuid id uid email created updated",
		"User":         "id email username first_name last_name is_superuser is_staff groups user_permissions last_login date_joined is_active",
		"Spec":         "id cpu memory features disabled",
		"Plan":         "id spec cpu memory features disabled",
		"Pod":          "name state release type started ready restarts",

		"Key": "uuid owner id public fingerprint created updated",

		`{"detail", "build"}`:                      "detail build",
		`{"username", "apps": [id]}`:               "username apps",
		`{"release": {"version"}}`:                 "release",
		`{"results": [Pod], "count"}`:              "results count",
		`{"apps", "keys", "tokens", "workspaces"}`: "apps keys tokens workspaces",
		`{"key"}`:                       "key",
		`{"uuid", "token", "username"}`: "uuid token username",
		`{"version"}`:                   "version",
		`{"services": [Service]}`:       "services",
		"Member":                        "id user email role alerts workspace created updated",
		"Invitation":                    "id email token inviter accepted workspace created",
		`{"username", "is_superuser"}`:  "username is_superuser",
		`{"token"}`:                     "token",
		`{"users"}`:                     "users",
		`{"workspace_id", "user_exists", "register_url"}`: "workspace_id user_exists register_url",
		"PodContainer":   "container image command args state lastState ready restartCount status reason message",
		"Ptype":          "name release ready garbage up_to_date available_replicas started",
		"PtypeContainer": "container image command args liveness_probe readiness_probe limits volume_mounts node_selector",
		"ClusterEvent":   "reason message created",

		`{"results": [Ptype], "count"}`:          "results count",
		`{"results": [PodContainer], "count"}`:   "results count",
		`{"results": [PtypeContainer], "count"}`: "results count",
		`{"results": [ClusterEvent], "count"}`:   "results count",
	}
	maps.Copy(all, volumeShapes())
	return all
}

func checkObject(t *testing.T, name, shape string, body []byte) {
	t.Helper()
	if item, ok := strings.CutPrefix(shape, "["); ok {
		checkItems(t, name, strings.TrimSuffix(item, "]"), body)
		return
	}
	var object map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(body, &object), name)
	if strings.HasPrefix(shape, "{username: [") { // a map: its names are the users'
		for user, list := range object {
			var items []map[string]string
			require.NoError(t, json.Unmarshal(list, &items), user)
			require.NotEmpty(t, items, user)
			require.Len(t, items[0], 2)
		}
		return
	}
	var inner string
	if item, ok := strings.CutPrefix(shape, "page of "); ok {
		assert.ElementsMatch(t, []string{"count", "next", "previous", "results"}, keys(object), name)
		inner = item
	} else {
		want, ok := shapes()[shape]
		require.True(t, ok, "%s: no shape %q", name, shape)
		assert.ElementsMatch(t, strings.Fields(want), keys(object), name)
		if list, ok := strings.CutPrefix(shape, `{"results": [`); ok {
			inner, _, _ = strings.Cut(list, "]")
		}
	}
	if inner != "" {
		checkItems(t, name, inner, object["results"])
	}
}

func checkItems(t *testing.T, name, inner string, list []byte) {
	t.Helper()
	var items []json.RawMessage
	require.NoError(t, json.Unmarshal(list, &items), name)
	require.NotNil(t, items, name)
	for _, item := range items {
		checkObject(t, name, inner, item)
	}
}

func keys(m map[string]json.RawMessage) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}
