//go:build e2e

package edge

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type secretList struct {
	Items []struct {
		Metadata struct{ Namespace, Name string }
		Type     string
		Data     map[string][]byte
	}
}

func (w *world) secrets(t *testing.T, more ...string) secretList {
	t.Helper()
	out, err := w.m.Slipway(t.Context(), append([]string{"kubectl", "get", "secrets", "-A", "-o", "json"}, more...)...)
	require.NoError(t, err)
	var list secretList
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	return list
}

// keysStayKeys looks for the private keys of all certificates in the places
// where people read: Helm's releases with their values, events, the log, and
// the answers of the API.
func (w *world) keysStayKeys(t *testing.T) {
	var keys []string // parts of them, as they stand in PEM
	for _, s := range w.secrets(t, "--field-selector", "type=kubernetes.io/tls").Items {
		block, _ := pem.Decode(s.Data["tls.key"])
		require.NotNil(t, block, "%s/%s", s.Metadata.Namespace, s.Metadata.Name)
		// Of a line of PEM, and before the public part.
		text := base64.StdEncoding.EncodeToString(block.Bytes)
		keys = append(keys, text[40:64])
	}
	require.Greater(t, len(keys), 3, "the wildcard's and those of domains")
	places := map[string]string{}
	releases := 0
	for _, s := range w.secrets(t, "-l", "owner=helm").Items {
		places["release "+s.Metadata.Name] = unpack(t, s.Data["release"])
		releases++
	}
	require.GreaterOrEqual(t, releases, 6, "a release of each chart")
	var err error
	places["events"], err = w.m.Slipway(t.Context(), "kubectl", "get", "events", "-A", "-o", "json")
	require.NoError(t, err)
	places["log"], err = w.m.Output(t.Context(), "journalctl", "-u", "slipway", "--no-pager", "-o", "cat")
	require.NoError(t, err)
	for _, path := range []string{"/apps/" + app + "/tls/", "/apps/" + app + "/certs/", "/apps/" + app + "/domains/", "/certs/"} {
		var answer any
		_, err := w.c.Call(t.Context(), "GET", path, nil, &answer)
		require.NoError(t, err)
		text, err := json.Marshal(answer)
		require.NoError(t, err)
		places["answer of "+path] = string(text)
	}
	for place, text := range places {
		require.NotEmpty(t, text, place)
		assert.NotContains(t, text, "PRIVATE KEY", place)
		for _, key := range keys {
			if strings.Contains(text, key) {
				t.Errorf("%s holds a private key", place)
			}
		}
	}
}

// unpack reads a release as Helm stores it.
func unpack(t *testing.T, data []byte) string {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(string(data))
	require.NoError(t, err)
	r, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(text)
}
