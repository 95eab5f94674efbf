package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseVariables(t *testing.T) {
	got, err := parseVariables(strings.NewReader(strings.Join([]string{
		"# comment", "", "A=1", "export B = two words ", `C="x \"y\" \n z"`, "D='it is $HOME'", `E="first`, "", `last"`, "F=", "G=a=b", `H="back\\"`,
	}, "\r\n")), "f")
	require.NoError(t, err)
	assert.Equal(t, []variable{
		{"A", "1"}, {"B", "two words"}, {"C", "x \"y\" \n z"}, {"D", "it is $HOME"}, {"E", "first\n\nlast"}, {"F", ""}, {"G", "a=b"}, {"H", `back\`},
	}, got)
	for _, bad := range []string{"novalue", "=x", "A B=1", "A=\"open\nB=1"} {
		_, err := parseVariables(strings.NewReader("# one\n"+bad), "f")
		require.Error(t, err, bad)
		assert.Contains(t, err.Error(), "f:2:", bad)
	}
}

func TestVariablesComeBack(t *testing.T) {
	for _, value := range []string{"", "plain", "two words", " edges ", "a\nb", "a\tb\r\n", `"quoted"`, "'single'", `back\slash`, "#x", `a"b`, "\\n", "ä€", `"`, `'`, `"\`} {
		in := []variable{{"NAME", value}, {"NEXT", "1"}}
		got, err := parseVariables(strings.NewReader(formatVariables(in)), "f")
		require.NoError(t, err, "%q", value)
		assert.Equal(t, in, got, "%q", value)
	}
}

func TestRemoteApp(t *testing.T) {
	const host = "drycc-builder.example.com"
	for address, want := range map[string]string{
		"ssh://git@drycc-builder.example.com:2222/peachy.git": "peachy",
		"ssh://git@DRYCC-BUILDER.example.com/peachy.git":      "peachy",
		"git@drycc-builder.example.com:peachy.git":            "peachy",
		"drycc-builder.example.com:peachy":                    "peachy",
		"https://github.com/someone/peachy.git":               "",
		"ssh://git@drycc-builder.example.com.evil.org/p.git":  "",
		"ssh://git@drycc-builder.example.com:2222/a/b.git":    "",
		"ssh://git@drycc-builder.example.com:2222/.git":       "",
		"../elsewhere": "", "": "",
	} {
		app, ok := remoteApp(address, host)
		assert.Equal(t, want != "", ok, address)
		if ok {
			assert.Equal(t, want, app, address)
		}
	}
	assert.Equal(t, "ssh://git@drycc-builder.example.com:2222/a.git", remoteURL("https://drycc.example.com:8443", "a"))
}

func TestGitRemotesOfEveryKindOfRepository(t *testing.T) {
	dir := t.TempDir()
	run := func(in string, args ...string) {
		cmd := exec.Command("git", append([]string{"-c", "user.email=a@example.com", "-c", "user.name=a", "-C", in}, args...)...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	main := filepath.Join(dir, "main")
	require.NoError(t, os.MkdirAll(filepath.Join(main, "deep", "er"), 0o755))
	run(main, "init", "-q")
	run(main, "remote", "add", "drycc", "ssh://git@drycc-builder.example.com:2222/peachy.git")
	run(main, "commit", "-q", "--allow-empty", "-m", "x")
	run(main, "worktree", "add", "-q", "--detach", filepath.Join(dir, "tree"))
	want := []gitRemote{{"drycc", "ssh://git@drycc-builder.example.com:2222/peachy.git"}}
	for _, place := range []string{main, filepath.Join(main, "deep", "er"), filepath.Join(dir, "tree")} {
		got, err := gitRemotes(place)
		require.NoError(t, err, place)
		assert.Equal(t, want, got, place)
	}
	_, err := gitRemotes(dir)
	assert.ErrorIs(t, err, errNoRepository)
	broken := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(broken, ".git"), []byte("nonsense"), 0o644))
	_, err = gitRemotes(broken)
	assert.ErrorContains(t, err, "does not lead to a repository")
}

func TestColons(t *testing.T) {
	p := newProgram(nil, nil, nil, func(string) string { return "" })
	for in, want := range map[string]string{
		"config:set A=b:c":          "config set A=b:c",
		"tls:force:enable -a x":     "tls force enable -a x",
		"-c prod config:set":        "-c prod config set",
		"-cprod config:set":         "-cprod config set",
		"--config=prod config:info": "--config=prod config info",
		"help apps:create":          "help apps create",
		"pull host:5000/image:tag":  "pull host:5000/image:tag",
		"-- a:b":                    "-- a:b", "": "", ":": ":", "a:": "a:",
	} {
		assert.Equal(t, strings.Fields(want), append([]string{}, splitColon(p.root, strings.Fields(in))...), in)
	}
}

func TestVersionsAndProcessTypes(t *testing.T) {
	for in, want := range map[string]struct {
		version int
		ptypes  string
	}{
		"": {0, ""}, "v2": {2, ""}, "3 web worker": {3, "web worker"}, "web v4": {4, "web"}, "web": {0, "web"}, "web worker 12": {12, "web worker"},
	} {
		version, ptypes, err := splitVersion(strings.Fields(in))
		require.NoError(t, err)
		assert.Equal(t, want.version, version, in)
		assert.Equal(t, want.ptypes, strings.Join(ptypes, " "), in)
	}
	_, _, err := splitVersion([]string{"v0"})
	assert.Error(t, err)
}

func TestDryccFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".drycc")
	none, err := readDryccfile(dir)
	require.NoError(t, err)
	assert.Nil(t, none)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "config"), 0o755))
	for name, content := range map[string]string{
		"web.yaml": "kind: pipeline\nptype: web\nconfig: [jvm]\n", "notes.txt": "x", "config/jvm": "OPTS=-Xmx1g\n", "config/.hidden": "!",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	got, err := readDryccfile(dir)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"config":   map[string]any{"jvm": map[string]any{"OPTS": "-Xmx1g"}},
		"pipeline": map[string]any{"web.yaml": map[string]any{"kind": "pipeline", "ptype": "web", "config": []any{"jvm"}}},
	}, got)
}
