package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree makes a source of files by name.
func tree(t *testing.T, files map[string]string) *source {
	t.Helper()
	s := &source{app: t.TempDir(), layers: t.TempDir(), out: &bytes.Buffer{}}
	for name, content := range files {
		path := filepath.Join(s.app, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestDetect(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string // the buildpacks that want it
	}{
		{"go", map[string]string{"go.mod": "module m"}, "go"},
		{"node", map[string]string{"package.json": `{"scripts": {"start": "node x.js"}}`}, "nodejs"},
		{"a site that Node.js builds", map[string]string{"package.json": `{"scripts": {"build": "vite"}}`}, "nodejs static"},
		{"the same with a server", map[string]string{"package.json": `{"scripts": {"build": "vite"}}`, "Procfile": "web: node s.js"}, "nodejs procfile"},
		{"site", map[string]string{"public/index.html": ""}, "static"},
		{"site here", map[string]string{"index.html": ""}, "static"},
		{"named folder", map[string]string{"Staticfile": "root: a # mine\n", "a/x.txt": ""}, "static"},
		{"procfile", map[string]string{"Procfile": "web: x"}, "procfile"},
		{"nothing", map[string]string{"README.md": ""}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tree(t, tt.files)
			var got []string
			for _, name := range []string{"go", "nodejs", "static", "procfile"} {
				if wanted, _ := buildpacks()[name].detect(s); wanted {
					got = append(got, name)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %q", got, tt.want)
			}
		})
	}
}

func TestProcfile(t *testing.T) {
	s := tree(t, map[string]string{"Procfile": "# all\nweb: ./serve -p $PORT\n\nworker:\t\"say 'hi'\"\n"})
	if err := buildProcfile(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(s.layers, "launch.toml"))
	if err != nil {
		t.Fatal(err)
	}
	want := "[[processes]]\ntype = \"web\"\ncommand = [\"bash\", \"-c\", \"./serve -p $PORT\"]\ndefault = true\n\n" +
		"[[processes]]\ntype = \"worker\"\ncommand = [\"bash\", \"-c\", \"say 'hi'\"]\ndefault = false\n\n"
	if string(raw) != want {
		t.Errorf("got %s", raw)
	}
	for text, want := range map[string]string{"web\n": "line 1", "web: a\nweb: b": "twice", "# none\n": "names no process"} {
		if _, err := tree(t, map[string]string{"Procfile": text}).procfile(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestKept(t *testing.T) {
	s := tree(t, nil)
	l := layer{Launch: true, Cache: true, Key: "a \"b\""}
	if s.kept("x", l) {
		t.Error("there is none yet")
	}
	if _, err := s.fresh("x"); err != nil {
		t.Fatal(err)
	}
	if err := s.declare("x", l); err != nil {
		t.Fatal(err)
	}
	if !s.kept("x", l) || s.kept("x", layer{Cache: true, Key: "other"}) {
		t.Error("a layer is kept by its key")
	}
	if err := os.RemoveAll(s.layerDir("x")); err != nil {
		t.Fatal(err)
	}
	if s.kept("x", l) || !s.kept("x", layer{Launch: true, Key: l.Key}) {
		t.Error("only a layer that is not cached is kept without its content")
	}
}

func TestPinLinks(t *testing.T) {
	b := &nodeBuild{source: tree(t, map[string]string{"word/index.js": "x", "node_modules/@a/keep": ""})}
	link := filepath.Join(b.app, "node_modules", "word")
	if err := os.Symlink("../word", link); err != nil {
		t.Fatal(err)
	}
	if err := b.pinLinks(filepath.Join(b.app, "node_modules")); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != filepath.Join(b.app, "word") {
		t.Errorf("%s %v", target, err)
	}
}

func TestGoLine(t *testing.T) {
	for mod, want := range map[string]string{"module m\n\ngo 1.27.1\n": "go1.27.1", "module m\n": ""} {
		if got := goLine([]byte(mod)); got != want {
			t.Errorf("%q: %q", mod, got)
		}
	}
}
