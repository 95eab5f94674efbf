package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/embedded"
)

// sampleBuilder is a builder over a source folder with one small program.
func sampleBuilder(t *testing.T) (*builder, cache, *bytes.Buffer) {
	t.Helper()
	src := t.TempDir()
	write(t, filepath.Join(src, debianPins), `{"suite": "bookworm", "packages": {"box": "1:1.35.0-4+deb12u1"}}`)
	write(t, filepath.Join(src, "web/go.mod"), "module example.com/web\n\ngo 1.26\n")
	write(t, filepath.Join(src, "web/main.go"), "package main\n\nvar version string\n\nfunc main() { println(version) }\n")
	var log bytes.Buffer
	b, err := newBuilder(t.Context(), src, runtime.GOARCH, &log)
	require.NoError(t, err)
	return b, cache{root: t.TempDir()}, &log
}

func write(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
}

func webRecipe() recipe {
	return recipe{Name: "web", Version: "v1.0.0", LDFlags: "-X main.version={version}", Programs: []program{{"web", "."}}}
}

func TestBuildThenCached(t *testing.T) {
	b, c, log := sampleBuilder(t)
	first, err := buildAll(t.Context(), b, c, []recipe{webRecipe()}, 2)
	require.NoError(t, err)
	require.Contains(t, log.String(), "built in")
	require.Equal(t, "bin/web.zst", first[0].Binaries[0].File)
	require.Equal(t, "github.com/slipway-paas/slipway/embedded/src/web@v1.0.0", first[0].Binaries[0].Source)

	log.Reset()
	second, err := buildAll(t.Context(), b, c, []recipe{webRecipe()}, 2)
	require.NoError(t, err)
	require.Contains(t, log.String(), "cached")
	require.Equal(t, first, second)

	// A damaged entry is built again.
	require.NoError(t, os.Truncate(filepath.Join(first[0].dir, "bin/web.zst"), 10))
	third, err := buildAll(t.Context(), b, c, []recipe{webRecipe()}, 2)
	require.NoError(t, err)
	require.Equal(t, first, third)
	requireNoScratch(t, c)
}

func requireNoScratch(t *testing.T, c cache) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(c.root, scratchStem+"*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestEveryInputCounts(t *testing.T) {
	b, _, _ := sampleBuilder(t)
	key := func(b *builder, r recipe) string {
		in, err := b.inputs(t.Context(), r)
		require.NoError(t, err)
		k, err := in.key()
		require.NoError(t, err)
		return k
	}
	base := key(b, webRecipe())
	require.Equal(t, base, key(b, webRecipe()))

	other := *b
	other.host.Go = "go9.9"
	assert.NotEqual(t, base, key(&other, webRecipe()), "Go version")
	other = *b
	other.arch = "other"
	assert.NotEqual(t, base, key(&other, webRecipe()), "architecture")
	changed := webRecipe()
	changed.LDFlags = ""
	assert.NotEqual(t, base, key(b, changed), "flags")
	changed = webRecipe()
	changed.Debian = []string{"box"}
	assert.NotEqual(t, base, key(b, changed), "packages")

	write(t, filepath.Join(b.src, "web/main_test.go"), "package main\n")
	assert.Equal(t, base, key(b, webRecipe()), "tests are no input")
	write(t, filepath.Join(b.src, "web/main.go"), "package main\n\nfunc main() {}\n")
	assert.NotEqual(t, base, key(b, webRecipe()), "sources")
}

func TestFailureNamesComponentAndCommand(t *testing.T) {
	b, c, _ := sampleBuilder(t)
	write(t, filepath.Join(b.src, "web/main.go"), "package main\n\nfunc main() { undefined() }\n")
	_, err := buildAll(t.Context(), b, c, []recipe{webRecipe()}, 1)
	require.ErrorContains(t, err, "payload: web: go build")
	require.ErrorContains(t, err, "undefined: undefined")
	require.ErrorContains(t, err, "-only web")
	requireNoScratch(t, c)
	found, err := os.ReadDir(c.root)
	require.NoError(t, err)
	require.Empty(t, found, "a failed build left an entry")
}

func TestCancelledBuildLeavesNothing(t *testing.T) {
	b, c, _ := sampleBuilder(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := buildAll(ctx, b, c, []recipe{webRecipe()}, 1)
	require.ErrorIs(t, err, context.Canceled)
	requireNoScratch(t, c)
}

func TestVerify(t *testing.T) {
	b, c, log := sampleBuilder(t)
	require.NoError(t, verify(t.Context(), b, c, []recipe{webRecipe()}, 1, true))
	require.Contains(t, log.String(), "the same bytes again")

	// An entry with other bytes under the same key is found out.
	in, err := b.inputs(t.Context(), webRecipe())
	require.NoError(t, err)
	key, err := in.key()
	require.NoError(t, err)
	name := filepath.Join(c.dir("web", key), entryFile)
	raw, err := os.ReadFile(name)
	require.NoError(t, err)
	e, ok := c.get("web", key)
	require.True(t, ok)
	write(t, name, strings.ReplaceAll(string(raw), e.Members[0].SHA256, strings.Repeat("0", 64)))
	require.ErrorContains(t, verify(t.Context(), b, c, []recipe{webRecipe()}, 1, true), "bin/web.zst came out different")
	requireNoScratch(t, c)
}

func TestWhereTheCacheIs(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", filepath.Join(dir, "home"))
	t.Setenv("XDG_CACHE_HOME", "")
	c, err := openCache()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "home", ".cache", "slipway", "payload"), c.root)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "xdg"))
	c, err = openCache()
	require.NoError(t, err)
	require.DirExists(t, c.root)
	require.Equal(t, filepath.Join(dir, "xdg", "slipway", "payload"), c.root)
}

func TestPrune(t *testing.T) {
	b, c, _ := sampleBuilder(t)
	entries, err := buildAll(t.Context(), b, c, []recipe{webRecipe()}, 1)
	require.NoError(t, err)
	write(t, filepath.Join(c.root, "web-old", entryFile), "{}")
	write(t, filepath.Join(c.root, scratchStem+"running", "x"), "")
	require.NoError(t, c.prune(entries))
	left, err := os.ReadDir(c.root)
	require.NoError(t, err)
	require.Len(t, left, 2, "the entry in use and the other run's folder stay")
}

func TestSweepTakesWhatKilledRunsLeft(t *testing.T) {
	c := cache{root: t.TempDir()}
	running, done, err := c.scratch("running")
	require.NoError(t, err)
	killed, young := filepath.Join(c.root, scratchStem+"killed"), filepath.Join(c.root, scratchStem+"young")
	for _, dir := range []string{killed, young} {
		require.NoError(t, os.Mkdir(dir, 0o755))
	}
	old := time.Now().Add(-time.Hour)
	for _, dir := range []string{running, killed} {
		require.NoError(t, os.Chtimes(dir, old, old))
	}
	require.NoError(t, c.sweep())
	require.NoDirExists(t, killed)
	require.DirExists(t, running)
	require.DirExists(t, young)
	done()
	require.NoDirExists(t, running)
}

func TestModuleVersionFollowsReplacements(t *testing.T) {
	b, _, _ := sampleBuilder(t)
	write(t, filepath.Join(b.src, "web/go.mod"), `module example.com/web

require example.com/lib v1.2.0

replace example.com/lib => example.com/fork v1.2.1
`)
	r := webRecipe()
	r.Module = "example.com/lib"
	version, source, err := b.moduleVersion(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, "v1.2.1", version)
	require.Equal(t, "example.com/fork@v1.2.1", source)
	r.Module = "example.com/none"
	_, _, err = b.moduleVersion(t.Context(), r)
	require.ErrorContains(t, err, "requires no example.com/none")
}

func TestUpstreamVersion(t *testing.T) {
	for debian, want := range map[string]string{
		"1:1.35.0-4+deb12u1+b1": "1.35.0", "1.8.9-2": "1.8.9", "20250419~deb12u2": "20250419~deb12u2",
	} {
		assert.Equal(t, want, upstreamVersion(debian))
	}
}

// The explanation is of apt on the machine at hand; what it must always hold is
// the pin and where to change it.
func TestExplainDebianNamesThePin(t *testing.T) {
	b, _, _ := sampleBuilder(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "apt-cache"), "#!/bin/sh\necho 'box:'\necho '  Candidate: 1:1.36.0-1'\n")
	require.NoError(t, os.Chmod(filepath.Join(dir, "apt-cache"), 0o755))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	cause := errors.New("404 Not Found")
	err := b.explainDebian(t.Context(), "box", nil, cause)
	require.ErrorIs(t, err, cause)
	require.ErrorContains(t, err, "box 1:1.35.0-4+deb12u1 is pinned, the newest apt knows is 1:1.36.0-1")
	require.ErrorContains(t, err, "embedded/src/debian.json")
}

func TestCommandLine(t *testing.T) {
	for args, want := range map[string]string{
		"-arch mips":           "amd64 or arm64",
		"-jobs 0":              "at least 1",
		"stray":                `unexpected argument "stray"`,
		"-prune -verify":       "full build only",
		"-prune -only traefik": "full build only",
	} {
		_, err := parse(strings.Fields(args))
		assert.ErrorContains(t, err, want, args)
	}
	_, err := choose(recipes(), []string{"nothing"})
	require.ErrorContains(t, err, `no component "nothing"; there are traefik`)
	chosen, err := choose(recipes(), nil)
	require.NoError(t, err)
	require.Len(t, chosen, 20)
}

// Every recipe has its pin, and nothing is pinned that no recipe uses.
func TestRecipesAndPinsAgree(t *testing.T) {
	src := filepath.Join("..", "..", "embedded", "src")
	p, err := readPins(filepath.Join(src, debianPins))
	require.NoError(t, err)
	used := map[string]bool{}
	folders := map[string]bool{}
	for _, r := range recipes() {
		for _, name := range r.Debian {
			used[name] = true
			assert.Contains(t, p.Packages, name, r.Name)
		}
		if len(r.Programs) > 0 {
			folders[r.Name] = true
			assert.FileExists(t, filepath.Join(src, r.Name, "go.mod"))
		}
	}
	for name := range p.Packages {
		assert.True(t, used[name], "no recipe uses %s", name)
	}
	found, err := os.ReadDir(src)
	require.NoError(t, err)
	for _, d := range found {
		assert.True(t, !d.IsDir() || folders[d.Name()], "no recipe uses %s", d.Name())
	}
}

// Joined programs act by the name they are called by.
func TestJoined(t *testing.T) {
	b, c, _ := sampleBuilder(t)
	for _, name := range []string{"one", "two"} {
		write(t, filepath.Join(b.src, "web/cmd", name, "main.go"),
			"// Package comment.\npackage main\n\n// main is here.\nfunc main() { say() }\n")
		write(t, filepath.Join(b.src, "web/cmd", name, "say.go"),
			"package main\n\nimport \"fmt\"\n\nfunc say() { fmt.Print(\"I am "+name+"\") }\n")
	}
	write(t, filepath.Join(b.src, "web/go.sum"), "")
	r := recipe{Name: "web", Version: "v1", Joined: "both",
		Programs: []program{{"o-ne", "example.com/web/cmd/one"}, {"two", "example.com/web/cmd/two"}}}
	entries, err := buildAll(t.Context(), b, c, []recipe{r}, 1)
	require.NoError(t, err)
	require.Len(t, entries[0].Binaries, 1)
	require.Equal(t, "both", entries[0].Binaries[0].Name)
	require.Equal(t, []string{"o-ne", "two"}, entries[0].Binaries[0].Links)

	out, dest := t.TempDir(), embedded.Dest{Bin: t.TempDir()}
	require.NoError(t, pack(t.Context(), out, b.arch, entries, io.Discard))
	require.NoError(t, embedded.StageFS(t.Context(), os.DirFS(out), dest, nil))
	for name, want := range map[string]string{"o-ne": "I am one", "two": "I am two"} {
		said, err := exec.Command(filepath.Join(dest.Bin, name)).Output()
		require.NoError(t, err)
		require.Equal(t, want, string(said))
	}
	err = exec.Command(filepath.Join(dest.Bin, "both")).Run()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 2, exit.ExitCode())

	write(t, filepath.Join(b.src, "web/cmd/one/main.go"), "package main\n")
	_, err = buildAll(t.Context(), b, c, []recipe{r}, 1)
	require.ErrorContains(t, err, "example.com/web/cmd/one: it is not a main package")
}
