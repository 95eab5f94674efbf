package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// runtimePins are the contents of runtimes.json.
type runtimePins struct {
	Go   map[string]goPin  `json:"go"`
	Node map[string]npmPin `json:"node"`
	NPM  npmPin            `json:"npm"`
}

// goPin is a toolchain as the Go module proxy serves it.
type goPin struct{ Version, Sum string }

// npmPin is a package of the npm registry.
type npmPin struct{ Package, Integrity string }

func readRuntimes(home string) (runtimePins, error) {
	var p runtimePins
	raw, err := os.ReadFile(filepath.Join(home, "runtimes.json"))
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, fmt.Errorf("runtimes.json: %w", err)
	}
	return p, nil
}

// goRuntime is what `go build` needs of the official toolchain: Debian 12 has
// Go 1.19, which is too old for most of today's modules. Tests, tools for other
// tasks and the library's files for other systems stay away.
func (b *builder) goRuntime(ctx context.Context, home string) ([]file, error) {
	pins, err := readRuntimes(home)
	if err != nil {
		return nil, err
	}
	pin := pins.Go[b.arch]
	out, err := b.output(ctx, home, "go", "mod", "download", "-json", "golang.org/toolchain@"+pin.Version)
	if err != nil {
		return nil, fmt.Errorf("toolchain %s: %w", pin.Version, err)
	}
	var got struct{ Dir, Sum string }
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		return nil, err
	}
	if got.Sum != pin.Sum {
		return nil, fmt.Errorf("toolchain %s: its sum is %s, pinned is %s", pin.Version, got.Sum, pin.Sum)
	}
	var files []file
	err = filepath.WalkDir(got.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(got.Dir, path)
		if err != nil || !b.inGo(name) {
			return err
		}
		f := file{name: goFolder + name, mode: 0o644, path: path}
		if strings.HasPrefix(name, "bin/") || strings.HasPrefix(name, "pkg/tool/") {
			f.mode = 0o755
		}
		files = append(files, f)
		return nil
	})
	return files, err
}

func (b *builder) inGo(name string) bool {
	switch name {
	case "bin/go", "go.env", "VERSION", "LICENSE":
		return true
	}
	if strings.HasPrefix(name, "pkg/") {
		tool := filepath.Base(name)
		return strings.HasPrefix(name, "pkg/include/") || slices.Contains([]string{"asm", "compile", "link", "preprofile"}, tool)
	}
	return strings.HasPrefix(name, "src/") && !strings.HasPrefix(name, "src/cmd/") &&
		!strings.HasSuffix(name, "_test.go") && !strings.Contains(name, "/testdata/") && b.forSystem(filepath.Base(name))
}

// forSystem applies Go's rule for file names that end in a system or processor.
func (b *builder) forSystem(base string) bool {
	stem, _, _ := strings.Cut(base, ".")
	parts := strings.Split(stem, "_")
	other := func(part string) bool {
		return part != b.arch && part != "linux" && slices.Contains(otherSystems(), part)
	}
	last := len(parts) - 1
	if last < 1 || other(parts[last]) {
		return last < 1
	}
	return last < 2 || !other(parts[last-1]) || parts[last] != b.arch
}

func otherSystems() []string {
	return strings.Fields(`aix android darwin dragonfly freebsd illumos ios js netbsd openbsd plan9 solaris wasip1 windows zos
		386 amd64 arm arm64 loong64 mips mipsx mipsle mips64 mips64x mips64le ppc64 ppc64x ppc64le riscv64 s390x wasm`)
}

// nodeRuntime is Node.js as its makers build it, from npm's registry, with npm:
// Debian 12 has Node.js 18, which is no longer maintained.
func (b *builder) nodeRuntime(ctx context.Context, home, scratch string) ([]file, error) {
	pins, err := readRuntimes(home)
	if err != nil {
		return nil, err
	}
	node, err := b.npmPackage(ctx, pins.Node[b.arch], scratch, "node")
	if err != nil {
		return nil, err
	}
	program := filepath.Join(node, "bin", "node")
	if err := runQuietly(b.command(ctx, scratch, b.crossPrefix()+"strip", program)); err != nil {
		return nil, err
	}
	npm, err := b.npmPackage(ctx, pins.NPM, scratch, "npm")
	if err != nil {
		return nil, err
	}
	modules := nodeFolder + "lib/node_modules/npm/"
	files := []file{
		{name: nodeFolder + "bin/node", mode: 0o755, path: program},
		{name: nodeFolder + "bin/npm", mode: 0o777, link: "../lib/node_modules/npm/bin/npm-cli.js"},
		{name: nodeFolder + "bin/npx", mode: 0o777, link: "../lib/node_modules/npm/bin/npx-cli.js"},
		{name: nodeFolder + "LICENSE", mode: 0o644, path: filepath.Join(node, "LICENSE")},
	}
	err = filepath.WalkDir(npm, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(npm, path)
		if err != nil || strings.HasPrefix(name, "docs/") || strings.HasPrefix(name, "man/") || strings.HasSuffix(name, ".md") {
			return err
		}
		f, err := fileAt(path)
		f.name = modules + name
		files = append(files, f)
		return err
	})
	return files, err
}

// npmPackage gets a package with npm, checks it and unpacks it.
func (b *builder) npmPackage(ctx context.Context, pin npmPin, scratch, name string) (string, error) {
	dir := filepath.Join(scratch, "npm-"+name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if _, err := b.output(ctx, dir, "npm", "pack", "--silent", "--ignore-scripts", pin.Package); err != nil {
		return "", fmt.Errorf("%s: %w", pin.Package, err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%s: npm pack gave %d files: %w", pin.Package, len(found), errNoInput)
	}
	raw, err := os.ReadFile(found[0])
	if err != nil {
		return "", err
	}
	sum := sha512.Sum512(raw)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != pin.Integrity {
		return "", fmt.Errorf("%s: its sum is %s, pinned is %s", pin.Package, got, pin.Integrity)
	}
	return filepath.Join(dir, "package"), unpackPackage(found[0], dir)
}

func unpackPackage(name, dir string) (err error) {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	plain, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	archive := tar.NewReader(plain)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if !filepath.IsLocal(header.Name) {
			return fmt.Errorf("%s: %q leads outside", name, header.Name)
		}
		to := filepath.Join(dir, header.Name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, header.FileInfo().Mode().Perm()|0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, archive)
		if err := errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
}
