package main

import (
	"context"
	"errors"
	"go/version"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func detectGo(s *source) (bool, string) {
	return s.has("go.mod"), "no go.mod"
}

// buildGo builds the main packages. Modules and compiled packages are kept for
// the next build.
func buildGo(ctx context.Context, s *source) error {
	env, err := s.goEnv(ctx)
	if err != nil {
		return err
	}
	packages, err := s.mains(ctx, env)
	if err != nil {
		return goProblem(err)
	}
	bin, err := s.fresh("bin")
	if err != nil {
		return err
	}
	out := filepath.Join(bin, "bin")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	args := []string{"build", "-ldflags", "-s -w", "-o", out + "/"}
	for _, p := range packages {
		args = append(args, p.ImportPath)
		s.say("go build %s", p.ImportPath)
	}
	if err := s.runs(ctx, env, "go", args...); err != nil {
		return goProblem(err)
	}
	if err := errors.Join(s.declare("bin", layer{Launch: true}), s.declare("cache", layer{Cache: true})); err != nil {
		return err
	}
	web, err := s.goWeb(packages)
	if err != nil || web == "" {
		return err
	}
	s.say("web: %s", web)
	return s.launch([]process{{Type: webProcess, Command: []string{web}, Default: true}})
}

// goEnv is the environment of go commands. What the app's build variables set
// stays as it is.
func (s *source) goEnv(ctx context.Context) ([]string, error) {
	cache := s.layerDir("cache")
	for _, dir := range []string{"mod", "build"} {
		if err := os.MkdirAll(filepath.Join(cache, dir), 0o755); err != nil {
			return nil, err
		}
	}
	env := []string{"GOMODCACHE=" + filepath.Join(cache, "mod"), "GOCACHE=" + filepath.Join(cache, "build")}
	setDefault := func(name, value string) {
		if os.Getenv(name) == "" {
			env = append(env, name+"="+value)
		}
	}
	setDefault("CGO_ENABLED", "0") // there is no C compiler
	setDefault("GOFLAGS", "-buildvcs=false -modcacherw")
	raw, err := s.read("go.mod")
	if err != nil {
		return nil, err
	}
	carried, err := s.output(ctx, []string{"GOTOOLCHAIN=local", "GOFLAGS="}, "go", "env", "GOVERSION")
	if err != nil {
		// A go.mod that needs a newer one has go itself fail.
		return nil, err
	}
	s.say("%s", carried)
	if wanted := goLine(raw); version.Compare(wanted, carried) > 0 && os.Getenv("GOTOOLCHAIN") == "" {
		s.say("go.mod asks for %s, which go now gets from GOPROXY.", wanted)
		setDefault("GOTOOLCHAIN", "auto")
	} else {
		setDefault("GOTOOLCHAIN", "local")
	}
	return env, nil
}

// goLine is the Go version that a go.mod asks for, as "go1.26".
func goLine(mod []byte) string {
	m := regexp.MustCompile(`(?m)^go\s+(\S+)`).FindSubmatch(mod)
	if m == nil {
		return ""
	}
	return "go" + string(m[1])
}

// mainPackage is a program of the source.
type mainPackage struct {
	ImportPath string
	Dir        string // in the source, "" for its root
	Binary     string // the name go gives to it
}

// mains finds what to build: BP_GO_TARGETS, else the main packages in the root
// and below cmd, else all that there are.
func (s *source) mains(ctx context.Context, env []string) ([]mainPackage, error) {
	patterns := []string{"./..."}
	targets := strings.FieldsFunc(os.Getenv("BP_GO_TARGETS"), func(r rune) bool { return r == ':' || r == ',' || r == ' ' })
	if len(targets) > 0 {
		patterns = targets
	}
	args := append([]string{"list", "-e", "-f", "{{if eq .Name \"main\"}}{{.ImportPath}}\t{{.Dir}}\t{{.Target}}{{end}}"}, patterns...)
	out, err := s.output(ctx, append(env, "GOBIN=/go-bin"), "go", args...)
	if err != nil {
		return nil, err
	}
	var all []mainPackage
	for line := range strings.Lines(out) {
		part := strings.Split(strings.TrimSpace(line), "\t")
		if len(part) != 3 {
			continue
		}
		dir, err := filepath.Rel(s.app, part[1])
		if err != nil || dir == "." {
			dir = ""
		}
		name := path.Base(part[2])
		if part[2] == "" {
			name = path.Base(part[0])
		}
		all = append(all, mainPackage{ImportPath: part[0], Dir: dir, Binary: name})
	}
	if len(targets) == 0 {
		usual := slices.DeleteFunc(slices.Clone(all), func(p mainPackage) bool { return p.Dir != "" && !strings.HasPrefix(p.Dir, "cmd/") })
		if len(usual) > 0 {
			all = usual
		}
	}
	if len(all) == 0 {
		return nil, sourceErrorf("No package main was found in %s. Add one, or name it in the build variable BP_GO_TARGETS (for instance ./server).", strings.Join(patterns, ", "))
	}
	return all, nil
}

// goWeb chooses the program that serves: the only one, the one in the root, or
// one called web or server. Empty: the Procfile says it.
func (s *source) goWeb(packages []mainPackage) (string, error) {
	if s.has("Procfile") {
		return "", nil
	}
	if len(packages) == 1 {
		return packages[0].Binary, nil
	}
	var names []string
	for _, p := range packages {
		if p.Dir == "" {
			return p.Binary, nil
		}
		names = append(names, p.Binary)
	}
	for _, usual := range []string{"web", "server"} {
		if slices.Contains(names, usual) {
			return usual, nil
		}
	}
	return "", sourceErrorf("There are several programs (%s). Say in a Procfile which one serves, for instance \"web: %s\".", strings.Join(names, ", "), names[0])
}

// goProblem adds the cure to a failure that has a usual one.
func goProblem(err error) error {
	var failed *commandError
	switch {
	case !errors.As(err, &failed):
		return err
	case offline(err):
		return sourceErrorf("go could not reach the internet for a module: %s\nRun `go mod vendor` and commit the folder vendor, or set the build variable GOPROXY to a proxy that the platform can reach.", lastLine(failed.said))
	case strings.Contains(failed.said, "GOTOOLCHAIN=local"):
		return sourceErrorf("%s\nLower the go line of go.mod, or unset the variable GOTOOLCHAIN.", lastLine(failed.said))
	case strings.Contains(failed.said, "C compiler"):
		return sourceErrorf("%s\nThis builder has no C compiler. Use packages without cgo, or add a Dockerfile.", lastLine(failed.said))
	}
	if strings.HasPrefix(failed.line, "go build") {
		return sourceErrorf("go build failed; what it said is above.")
	}
	return sourceErrorf("%s failed: %s", failed.line, failed.said)
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}
