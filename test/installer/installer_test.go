package installer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shells are what people pipe the scripts into.
var shells = []string{"dash", "bash"}

// program is a slipway that writes its arguments to $RECORD.
const program = `#!/bin/sh
printf '%s\n' "$*" >>"$RECORD"
[ "${PROGRAM_EXIT:-}" = "" ] || exit "$PROGRAM_EXIT"
`

// run is one piped call of a script and what came of it.
type run struct {
	shell, script string
	args          []string
	env           map[string]string
	path          string // PATH; empty: the real one

	code           int
	stdout, stderr string
	called         []string // argument lines of the program, in order
}

// perform pipes the script into the shell in a folder of its own.
func (r *run) perform(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	record := filepath.Join(dir, "called")
	shell, err := exec.LookPath(r.shell)
	require.NoError(t, err)
	cmd := exec.Command(shell, append([]string{"-s", "-"}, r.args...)...)
	cmd.Dir = dir
	path := r.path
	if path == "" {
		path = os.Getenv("PATH")
	}
	cmd.Env = []string{"PATH=" + path, "HOME=" + dir, "TMPDIR=" + dir, "RECORD=" + record}
	for k, v := range r.env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(r.script), &stdout, &stderr
	err = cmd.Run()
	if err != nil {
		require.IsType(t, (*exec.ExitError)(nil), err)
	}
	r.code, r.stdout, r.stderr = cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
	if b, err := os.ReadFile(record); err == nil {
		r.called = strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	}
	left, err := filepath.Glob(filepath.Join(dir, "slipway-install.*"))
	require.NoError(t, err)
	assert.Empty(t, left, "the download folder stays behind")
}

func script(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../..", name))
	require.NoError(t, err)
	return string(b)
}

// executable writes the stand-in to a new folder.
func executable(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "slipway")
	require.NoError(t, os.WriteFile(path, []byte(program), 0o755))
	return path
}

// eachShell runs a test with every shell.
func eachShell(t *testing.T, test func(t *testing.T, shell string)) {
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) { test(t, shell) })
	}
}

func TestWordsBecomeCommands(t *testing.T) {
	joining := map[string]string{"K3S_URL": "https://10.0.0.1:6443", "K3S_TOKEN": "secret"}
	for name, c := range map[string]struct {
		args []string
		env  map[string]string
		want string
		code int
	}{
		"nothing":             {nil, nil, "install --yes", 0},
		"flags":               {[]string{"--domain", "a.example"}, nil, "install --yes --domain a.example", 0},
		"a flag with a space": {[]string{"--domain", "a b"}, nil, "install --yes --domain a b", 0},
		"server":              {[]string{"server", "--domain", "a.example"}, nil, "install --yes --domain a.example", 0},
		"first server":        {[]string{"install_k3s_server"}, nil, "install --yes", 0},
		"second server":       {[]string{"install_k3s_server"}, joining, "join server", 0},
		"agent":               {[]string{"install_k3s_agent"}, joining, "join agent", 0},
		"agent, short":        {[]string{"agent", "--flag"}, joining, "join agent --flag", 0},
		"address only":        {nil, joining, "join agent", 0},
		"agent of nobody":     {[]string{"install_k3s_agent"}, nil, "", 2},
		"unknown word":        {[]string{"frobnicate"}, nil, "", 2},
		"more arguments":      {nil, map[string]string{"INSTALL_SLIPWAY_EXEC": "--service-manager none"}, "install --yes --service-manager none", 0},
		"the program's code":  {nil, map[string]string{"PROGRAM_EXIT": "7"}, "install --yes", 7},
	} {
		t.Run(name, func(t *testing.T) {
			eachShell(t, func(t *testing.T, shell string) {
				r := run{shell: shell, script: script(t, "install.sh"), args: c.args, env: map[string]string{"SLIPWAY_BINARY": executable(t)}}
				for k, v := range c.env {
					r.env[k] = v
				}
				r.perform(t)
				assert.Equal(t, c.code, r.code, r.stderr)
				assert.Equal(t, c.want, strings.Join(r.called, "\n"))
				assert.NotContains(t, r.stdout+r.stderr+strings.Join(r.called, ""), "secret")
			})
		})
	}
}

// A pipe may break anywhere: what arrived must then do nothing.
func TestTruncatedScriptsDoNothing(t *testing.T) {
	for _, name := range []string{"install.sh", "uninstall.sh"} {
		t.Run(name, func(t *testing.T) {
			eachShell(t, func(t *testing.T, shell string) {
				whole := script(t, name)
				end := strings.TrimRight(whole, "\n")
				require.True(t, strings.HasSuffix(end, "}"))
				for _, cut := range cuts(whole, len(end)-1) {
					r := run{shell: shell, script: whole[:cut], env: map[string]string{"SLIPWAY_BINARY": executable(t)}}
					r.perform(t)
					require.Empty(t, r.called, "cut after %d of %d bytes", cut, len(whole))
				}
			})
		})
	}
}

// cuts are the ends of all lines and every byte of the last block, up to last.
func cuts(s string, last int) []int {
	var at []int
	block := strings.LastIndex(s, "\n{\n")
	for i := 0; i <= last; i++ {
		if i >= block || i > 0 && s[i-1] == '\n' {
			at = append(at, i)
		}
	}
	return at
}

// release serves a folder as a release of this machine's architecture.
func release(t *testing.T, sums func(hash, file string) string) (base string, requested *[]string) {
	t.Helper()
	file := "slipway-linux-" + runtime.GOARCH
	hash := sha256.Sum256([]byte(program))
	paths := []string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		switch filepath.Base(r.URL.Path) {
		case file:
			_, _ = w.Write([]byte(program))
		case "sha256sum-" + runtime.GOARCH + ".txt":
			_, _ = w.Write([]byte(sums(hex.EncodeToString(hash[:]), file)))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, &paths
}

func TestDownload(t *testing.T) {
	good := func(hash, file string) string { return "0000  other-file\n" + hash + "  " + file + "\n" }
	for name, c := range map[string]struct {
		env    map[string]string
		sums   func(hash, file string) string
		folder string
		code   int
		stderr string
	}{
		"stable":         {nil, good, "/latest/download/", 0, ""},
		"a version":      {map[string]string{"INSTALL_SLIPWAY_VERSION": "v1.2.3"}, good, "/download/v1.2.3/", 0, ""},
		"a channel":      {map[string]string{"CHANNEL": "testing"}, good, "/download/testing/", 0, ""},
		"binary marker":  {nil, func(h, f string) string { return h + " *" + f + "\n" }, "/latest/download/", 0, ""},
		"the exit code":  {map[string]string{"PROGRAM_EXIT": "7"}, good, "/latest/download/", 7, ""},
		"wrong sum":      {nil, func(_, f string) string { return strings.Repeat("0", 64) + "  " + f + "\n" }, "", 1, "do not use it"},
		"no sum":         {nil, func(h, _ string) string { return h + "  something-else\n" }, "", 1, "does not name slipway-linux-"},
		"empty sums":     {nil, func(_, _ string) string { return "" }, "", 1, "does not name slipway-linux-"},
		"truncated sums": {nil, func(h, f string) string { return h[:20] + "  " + f }, "", 1, "does not name"},
	} {
		t.Run(name, func(t *testing.T) {
			eachShell(t, func(t *testing.T, shell string) {
				base, requested := release(t, c.sums)
				r := run{shell: shell, script: script(t, "install.sh"), env: map[string]string{"INSTALL_SLIPWAY_BASE_URL": base}}
				for k, v := range c.env {
					r.env[k] = v
				}
				r.perform(t)
				assert.Equal(t, c.code, r.code, r.stderr)
				assert.Contains(t, r.stderr, c.stderr)
				if c.folder == "" {
					assert.Empty(t, r.called)
					return
				}
				assert.Equal(t, []string{"install --yes"}, r.called)
				assert.Contains(t, *requested, c.folder+"slipway-linux-"+runtime.GOARCH)
			})
		})
	}
}

func TestDownloadOfNothing(t *testing.T) {
	eachShell(t, func(t *testing.T, shell string) {
		server := httptest.NewServer(http.NotFoundHandler())
		defer server.Close()
		r := run{shell: shell, script: script(t, "install.sh"), env: map[string]string{"INSTALL_SLIPWAY_BASE_URL": server.URL}}
		r.perform(t)
		assert.Equal(t, 1, r.code)
		assert.Contains(t, r.stderr, "check the address and the network")
		assert.Empty(t, r.called)
	})
}

// tools makes a PATH folder with the named programs only.
func tools(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		path, err := exec.LookPath(n)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(dir, n)))
	}
	return dir
}

func TestHostsWithoutADownloader(t *testing.T) {
	eachShell(t, func(t *testing.T, shell string) {
		r := run{shell: shell, script: script(t, "install.sh"), path: tools(t, "uname", "mktemp", "rm", "cut", "sha256sum", "chmod")}
		r.perform(t)
		assert.Equal(t, 1, r.code)
		assert.Contains(t, r.stderr, "neither curl nor wget is installed")
		assert.Contains(t, r.stderr, "SLIPWAY_BINARY")
	})
}

func TestHostsWithoutSha256sum(t *testing.T) {
	base, _ := release(t, func(h, f string) string { return h + "  " + f + "\n" })
	eachShell(t, func(t *testing.T, shell string) {
		r := run{shell: shell, script: script(t, "install.sh"), path: tools(t, "uname", "mktemp", "rm", "cut", "curl", "chmod"),
			env: map[string]string{"INSTALL_SLIPWAY_BASE_URL": base}}
		r.perform(t)
		assert.Equal(t, 1, r.code)
		assert.Contains(t, r.stderr, "no sha256sum")
		assert.Empty(t, r.called, "an unchecked download must not run")
	})
}

func TestTheProgramThatIsThere(t *testing.T) {
	eachShell(t, func(t *testing.T, shell string) {
		there := executable(t)
		for name, c := range map[string]struct {
			env    map[string]string
			called []string
			stderr string
		}{
			"in its folder": {map[string]string{"INSTALL_SLIPWAY_SKIP_DOWNLOAD": "true", "INSTALL_SLIPWAY_BIN_DIR": filepath.Dir(there)}, []string{"install --yes"}, ""},
			"nowhere":       {map[string]string{"SLIPWAY_BINARY": "/nonexistent"}, nil, "SLIPWAY_BINARY=/nonexistent is not an executable file"},
			"a folder":      {map[string]string{"SLIPWAY_BINARY": "/"}, nil, "is not an executable file"},
		} {
			t.Run(name, func(t *testing.T) {
				r := run{shell: shell, script: script(t, "install.sh"), env: c.env}
				r.perform(t)
				assert.Equal(t, c.called, r.called)
				assert.Contains(t, r.stderr, c.stderr)
			})
		}
	})
}

func TestUninstall(t *testing.T) {
	eachShell(t, func(t *testing.T, shell string) {
		r := run{shell: shell, script: script(t, "uninstall.sh"), args: []string{"--keep-data"},
			env: map[string]string{"INSTALL_SLIPWAY_BIN_DIR": filepath.Dir(executable(t)), "PROGRAM_EXIT": "3"}}
		r.perform(t)
		assert.Equal(t, []string{"uninstall --yes --keep-data"}, r.called)
		assert.Equal(t, 3, r.code)

		r = run{shell: shell, script: script(t, "uninstall.sh"), path: tools(t, "sh"), env: map[string]string{"INSTALL_SLIPWAY_BIN_DIR": "/nonexistent"}}
		r.perform(t)
		assert.Equal(t, 1, r.code)
		assert.Contains(t, r.stderr, "nothing to remove")
	})
}
