package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// builder builds components for one architecture.
type builder struct {
	src    string // embedded/src
	arch   string
	host   toolchain
	debian pins
	log    *logger
	env    []string // added to every go command's environment
}

// toolchain is what of this machine's tools ends up in the bytes.
type toolchain struct {
	Go   string // version
	Cgo  string // compiler, libseccomp and libc; only for recipes with Cgo
	Arch string // GOARCH of this machine
}

func newBuilder(ctx context.Context, src, arch string, stderr io.Writer) (*builder, error) {
	debian, err := readPins(filepath.Join(src, debianPins))
	if err != nil {
		return nil, err
	}
	b := &builder{src: src, arch: arch, debian: debian, log: &logger{out: stderr}}
	out, err := b.output(ctx, src, "go", "env", "GOVERSION", "GOHOSTARCH")
	if err != nil {
		return nil, fmt.Errorf("payload: go: %w", err)
	}
	b.host.Go, b.host.Arch, _ = strings.Cut(out, "\n")
	return b, nil
}

// buildAll gives the entries of the recipes, in the recipes' order, building
// those the cache lacks.
func buildAll(ctx context.Context, b *builder, c cache, recipes []recipe, jobs int) ([]entry, error) {
	entries := make([]entry, len(recipes))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(jobs)
	for i, r := range recipes {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			start := time.Now()
			e, built, err := b.component(ctx, c, r)
			if err != nil {
				return fmt.Errorf("payload: %s: %w\nto run only this again: go run ./scripts/payload -arch %s -only %s",
					r.Name, err, b.arch, r.Name)
			}
			entries[i] = e
			b.log.component(e, built, time.Since(start))
			return nil
		})
	}
	return entries, group.Wait()
}

// component gives a recipe's entry: the cached one, or a new one.
func (b *builder) component(ctx context.Context, c cache, r recipe) (entry, bool, error) {
	in, err := b.inputs(ctx, r)
	if err != nil {
		return entry{}, false, err
	}
	key, err := in.key()
	if err != nil {
		return entry{}, false, err
	}
	if e, ok := c.get(r.Name, key); ok {
		return e, false, nil
	}
	scratch, done, err := c.scratch(r.Name)
	if err != nil {
		return entry{}, false, err
	}
	defer done()
	e, err := b.build(ctx, r, in, scratch)
	if err != nil {
		return entry{}, false, err
	}
	e, err = c.put(r.Name, key, scratch, e)
	return e, true, err
}

// goBuild builds the recipe's programs into the folder to. What it has to
// write besides goes below scratch.
func (b *builder) goBuild(ctx context.Context, r recipe, version, scratch, to string) error {
	dir := filepath.Join(b.src, r.Name)
	programs := r.Programs
	if r.Joined != "" {
		dir = filepath.Join(scratch, "joined")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := b.join(ctx, r, dir); err != nil {
			return fmt.Errorf("join %s: %w", r.Joined, err)
		}
		programs = []program{{r.Joined, "."}}
	}
	for _, p := range programs {
		if err := b.goBuildOne(ctx, r, p, version, dir, to); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) goBuildOne(ctx context.Context, r recipe, p program, version, dir, to string) error {
	ldflags := r.ldflags(version)
	if r.Cgo {
		// The build id the C linker makes would depend on temporary names.
		ldflags += " -linkmode external -extldflags '-static -Wl,--build-id=none'"
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", filepath.Join(to, p.Out)}
	if r.Tags != "" {
		args = append(args, "-tags", r.Tags)
	}
	cmd := b.command(ctx, dir, "go", append(args, p.Package)...)
	cmd.Env = append(cmd.Environ(), b.goEnv(r)...)
	return runQuietly(cmd)
}

// goEnv fixes every setting of the environment that changes the bytes.
func (b *builder) goEnv(r recipe) []string {
	env := []string{
		"GOOS=linux", "GOARCH=" + b.arch, "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off",
		"GOFLAGS=-mod=readonly", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0",
	}
	if r.Cgo {
		env = append(env, "CGO_ENABLED=1", "CGO_CFLAGS=-O2 -g0", "CGO_LDFLAGS=-O2", "CC="+b.cc(), "PKG_CONFIG="+b.pkgConfig())
	}
	return append(env, b.env...)
}

func (b *builder) cc() string { return b.crossPrefix() + "gcc" }

func (b *builder) pkgConfig() string { return b.crossPrefix() + "pkg-config" }

func (b *builder) crossPrefix() string {
	switch {
	case b.arch == b.host.Arch:
		return ""
	case b.arch == "arm64":
		return "aarch64-linux-gnu-"
	default:
		return "x86_64-linux-gnu-"
	}
}

// cgoTools describes the C tools and libraries that are linked in.
func (b *builder) cgoTools(ctx context.Context) (string, error) {
	compiler, err := b.output(ctx, b.src, b.cc(), "-dumpfullversion")
	if err != nil {
		return "", fmt.Errorf("%w: install gcc", err)
	}
	parts := []string{b.cc() + " " + compiler}
	for _, lib := range []string{"libseccomp.a", "libc.a"} {
		path, err := b.output(ctx, b.src, b.cc(), "-print-file-name="+lib)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(path) {
			return "", fmt.Errorf("%s is not installed: apt-get install libseccomp-dev libc6-dev pkg-config", lib)
		}
		sum, _, err := sumFile(path)
		if err != nil {
			return "", err
		}
		parts = append(parts, lib+" "+sum)
	}
	return strings.Join(parts, ", "), nil
}

// moduleVersion reads which version of the recipe's module its go.mod pins,
// and names that source, after replacement.
func (b *builder) moduleVersion(ctx context.Context, r recipe) (version, source string, err error) {
	if r.Module == "" {
		return r.Version, "github.com/slipway-paas/slipway/embedded/src/" + r.Name + "@" + r.Version, nil
	}
	out, err := b.output(ctx, filepath.Join(b.src, r.Name), "go", "mod", "edit", "-json")
	if err != nil {
		return "", "", err
	}
	type module struct{ Path, Version string }
	var mod struct {
		Require []module
		Replace []struct{ Old, New module }
	}
	if err := json.Unmarshal([]byte(out), &mod); err != nil {
		return "", "", fmt.Errorf("go.mod: %w", err)
	}
	found := module{}
	for _, m := range mod.Require {
		if m.Path == r.Module {
			found = m
		}
	}
	for _, m := range mod.Replace {
		if m.Old.Path == r.Module {
			found = m.New
		}
	}
	if found.Version == "" {
		return "", "", fmt.Errorf("go.mod requires no %s", r.Module)
	}
	return found.Version, found.Path + "@" + found.Version, nil
}

// command is a child that dies with ctx, with all it started.
func (b *builder) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

func (b *builder) output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := b.command(ctx, dir, name, args...)
	var out bytes.Buffer
	cmd.Stdout = &out
	err := runQuietly(cmd)
	return strings.TrimSpace(out.String()), err
}

// runQuietly runs cmd; only its failure shows what it printed.
func runQuietly(cmd *exec.Cmd) error {
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		if len(lines) > 25 {
			lines = append([]string{"..."}, lines[len(lines)-25:]...)
		}
		return &commandError{command: strings.Join(cmd.Args, " "), dir: cmd.Dir, said: strings.Join(lines, "\n  "), err: err}
	}
	return nil
}

// commandError shows which command went wrong, where, and what it said.
type commandError struct {
	command, dir, said string
	err                error
}

func (e *commandError) Error() string {
	return fmt.Sprintf("%s (in %s): %v\n  %s", e.command, e.dir, e.err, e.said)
}

func (e *commandError) Unwrap() error { return e.err }

// logger writes one whole line at a time.
type logger struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *logger) component(e entry, built bool, took time.Duration) {
	how := "cached"
	if built {
		how = "built in " + took.Round(100*time.Millisecond).String()
	}
	l.line("payload: %-23s %-22s %6.1f MB  %s", e.Name, e.Version, float64(e.size())/1e6, how)
}

func (l *logger) line(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, format+"\n", args...)
}

// errNoInput is an input that should exist and does not.
var errNoInput = errors.New("nothing there")
