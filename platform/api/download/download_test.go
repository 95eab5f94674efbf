package download

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/api"
)

// programs is a folder as scripts/client makes it.
func programs(t *testing.T, content map[string]string) fstest.MapFS {
	t.Helper()
	var packed bytes.Buffer
	encoder, err := zstd.NewWriter(&packed)
	require.NoError(t, err)
	members, idx := tar.NewWriter(encoder), index{Version: "v1.2.3", Files: map[string]file{}}
	for name, text := range content {
		sum := sha256.Sum256([]byte(text))
		idx.Files[name] = file{Archive: "all.tar.zst", SHA256: hex.EncodeToString(sum[:]), Size: int64(len(text))}
		require.NoError(t, members.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}))
		_, err := io.WriteString(members, text)
		require.NoError(t, err)
	}
	require.NoError(t, members.Close())
	require.NoError(t, encoder.Close())
	raw, err := json.Marshal(idx)
	require.NoError(t, err)
	return fstest.MapFS{"all.tar.zst": {Data: packed.Bytes()}, "index.json": {Data: raw}}
}

func serve(t *testing.T, files fstest.MapFS) *httptest.Server {
	t.Helper()
	h, err := New(files)
	require.NoError(t, err)
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	handler, err := api.NewHandler(api.HandlerOptions{Logger: logger,
		Mounts: []api.Mount{{Prefix: ScriptPath, Dialect: h}, {Prefix: Prefix, Dialect: h}}})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

func TestProgramsComeWhole(t *testing.T) {
	server := serve(t, programs(t, map[string]string{"drycc-linux-amd64": "linux", "drycc-windows-arm64.exe": "windows"}))
	for name, want := range map[string]string{"drycc-linux-amd64": "linux", "drycc-windows-arm64.exe": "windows", "version": "v1.2.3\n"} {
		res, body := get(t, server.URL+"/cli/"+name)
		assert.Equal(t, http.StatusOK, res.StatusCode, name)
		assert.Equal(t, want, body)
	}
	res, body := get(t, server.URL+"/cli/drycc-linux-amd64.sha256")
	sum := sha256.Sum256([]byte("linux"))
	assert.Equal(t, http.StatusOK, res.StatusCode)
	assert.Equal(t, hex.EncodeToString(sum[:])+"  drycc-linux-amd64\n", body)
	for _, path := range []string{"/cli/", "/cli/all.tar.zst", "/cli/index.json", "/cli/../index.json", "/cli/drycc-plan9-amd64", "/cli/drycc-plan9-amd64.sha256"} {
		res, _ := get(t, server.URL+path)
		assert.Equal(t, http.StatusNotFound, res.StatusCode, path)
	}
	res, err := http.Post(server.URL+"/cli/version", "text/plain", strings.NewReader(""))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
}

func TestADamagedArchiveCutsTheDownload(t *testing.T) {
	files := programs(t, map[string]string{"drycc-linux-amd64": strings.Repeat("x", 1<<20)})
	files["all.tar.zst"].Data = files["all.tar.zst"].Data[:20]
	res, err := http.Get(serve(t, files).URL + "/cli/drycc-linux-amd64")
	if err == nil {
		_, err = io.ReadAll(res.Body)
		require.NoError(t, res.Body.Close())
	}
	assert.Error(t, err, "nobody may take it for a whole program")
}

func TestWithoutPrograms(t *testing.T) {
	h, err := New(nil)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/cli/version", nil))
	assert.Equal(t, http.StatusNotFound, w.Code)
	_, err = New(fstest.MapFS{})
	assert.Error(t, err)
}

// install runs the script as the guide does.
func install(t *testing.T, url string, env ...string) (string, error) {
	t.Helper()
	_, script := get(t, url+ScriptPath)
	cmd := exec.Command("sh")
	cmd.Stdin = strings.NewReader(script)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestTheScriptInstalls(t *testing.T) {
	name := "drycc-" + runtime.GOOS + "-" + runtime.GOARCH
	server := serve(t, programs(t, map[string]string{name: "#!/bin/sh\necho v1.2.3\n"}))
	prefix := t.TempDir()
	out, err := install(t, server.URL, "PREFIX="+prefix)
	require.NoError(t, err, out)
	assert.Contains(t, out, "log in with: drycc login "+server.URL)
	said, err := exec.Command(filepath.Join(prefix, "bin", "drycc")).Output()
	require.NoError(t, err)
	assert.Equal(t, "v1.2.3\n", string(said))
	left, err := filepath.Glob(filepath.Join(prefix, "bin", ".*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestTheScriptRefusesWhatIsNotAsPromised(t *testing.T) {
	name := "drycc-" + runtime.GOOS + "-" + runtime.GOARCH
	files := programs(t, map[string]string{name: "#!/bin/sh\necho bad\n"})
	var idx index
	require.NoError(t, json.Unmarshal(files["index.json"].Data, &idx))
	f := idx.Files[name]
	f.SHA256 = strings.Repeat("0", 64)
	idx.Files[name] = f
	raw, err := json.Marshal(idx)
	require.NoError(t, err)
	files["index.json"].Data = raw
	prefix := t.TempDir()
	out, err := install(t, serve(t, files).URL, "PREFIX="+prefix)
	assert.Error(t, err)
	assert.Contains(t, out, "do not use it")
	assert.NoFileExists(t, filepath.Join(prefix, "bin", "drycc"))
}

func TestTheScriptInParts(t *testing.T) {
	// A script that was cut off does nothing, wherever the cut is.
	for cut := len(installScript) - 1; cut > 0; cut -= 97 {
		part := strings.ReplaceAll(installScript[:cut], "@CONTROLLER@", "http://127.0.0.1:1")
		if strings.Contains(part, "\nmain \"$@") {
			continue
		}
		prefix := t.TempDir()
		cmd := exec.Command("sh")
		cmd.Stdin, cmd.Env = strings.NewReader(part), append(os.Environ(), "PREFIX="+prefix)
		_ = cmd.Run() // most parts are no script at all
		assert.NoDirExists(t, filepath.Join(prefix, "bin"), "cut at %d", cut)
	}
}

func TestTheAddressInTheScriptIsOnlyAnAddress(t *testing.T) {
	r := httptest.NewRequest("GET", ScriptPath, nil)
	r.Host = "drycc.example.com:80$(reboot)`x`"
	r.Header.Set("X-Forwarded-Proto", "https")
	assert.Equal(t, "https://drycc.example.com:80rebootx", address(r))
}
