package main

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// treeFiles lists a tree's programs, plug-ins, every library they need, and
// the loader that ties them together, as lib/ld.so.
func treeFiles(t tree, debian string) ([]file, error) {
	var libraries []string
	for _, pattern := range []string{"lib/*-linux-gnu", "usr/lib/*-linux-gnu"} {
		found, err := filepath.Glob(filepath.Join(debian, pattern))
		if err != nil {
			return nil, err
		}
		libraries = append(libraries, found...)
	}
	c := &closure{folders: libraries, have: map[string]bool{}}
	for _, program := range t.Programs {
		path := filepath.Join(debian, program)
		c.add(file{name: filepath.Base(program), mode: 0o755, path: path})
		if err := c.addLoader(path); err != nil {
			return nil, err
		}
	}
	if err := c.addPlugins(t); err != nil {
		return nil, err
	}
	for _, name := range t.Launchers {
		c.add(file{name: "core/" + name, mode: 0o755, data: launcher(name)})
	}
	for i := 0; i < len(c.files); i++ {
		if err := c.addNeeded(c.files[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", c.files[i].name, err)
		}
	}
	return withParents(c.files), nil
}

// launcher is a script that runs a tree's program through its own loader. It
// finds the tree by its own path, which is how it has to be called.
func launcher(name string) []byte {
	return fmt.Appendf(nil, "#!/bin/sh\nd=${0%%/core/*}\nexec \"$d/lib/ld.so\" --library-path \"$d/lib\" --argv0 %s \"$d/%s\" \"$@\"\n", name, name)
}

// closure collects programs with what they need.
type closure struct {
	folders []string // where libraries are
	files   []file
	have    map[string]bool
	loader  string // the loader's own name
}

func (c *closure) add(f file) {
	if !c.have[f.name] {
		c.have[f.name] = true
		c.files = append(c.files, f)
	}
}

// find gives the real file of a library.
func (c *closure) find(name string) (string, error) {
	for _, folder := range c.folders {
		if real, err := filepath.EvalSymlinks(filepath.Join(folder, name)); err == nil {
			return real, nil
		}
	}
	return "", fmt.Errorf("library %s: %w: name the package that has it in the recipe and in %s", name, errNoInput, debianPins)
}

// addLoader adds the program interpreter that an executable names.
func (c *closure) addLoader(program string) error {
	f, err := elf.Open(program)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, section := range f.Progs {
		if section.Type != elf.PT_INTERP {
			continue
		}
		raw, err := io.ReadAll(section.Open())
		if err != nil {
			return err
		}
		c.loader = filepath.Base(strings.TrimRight(string(raw), "\x00"))
		real, err := c.find(c.loader)
		if err != nil {
			return err
		}
		c.add(file{name: "lib/ld.so", mode: 0o755, path: real})
		return nil
	}
	return fmt.Errorf("%s: program interpreter: %w", program, errNoInput)
}

func (c *closure) addPlugins(t tree) error {
	if t.Plugins == "" {
		return nil
	}
	for _, folder := range c.folders {
		found, err := filepath.Glob(filepath.Join(folder, t.Plugins, "*.so"))
		if err != nil {
			return err
		}
		for _, path := range found {
			name := filepath.Base(path)
			if slices.ContainsFunc(t.Skip, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
				continue
			}
			plugin := file{name: t.Plugins + "/" + name, mode: 0o644, path: path}
			if target, err := os.Readlink(path); err == nil {
				plugin = file{name: plugin.name, mode: 0o777, link: target}
			}
			c.add(plugin)
		}
	}
	return nil
}

func (c *closure) addNeeded(f file) error {
	if f.path == "" {
		return nil
	}
	object, err := elf.Open(f.path)
	if err != nil {
		return err
	}
	defer object.Close()
	needed, err := object.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, name := range needed {
		if name == c.loader {
			// The running loader answers to its own name.
			continue
		}
		real, err := c.find(name)
		if err != nil {
			return err
		}
		c.add(file{name: "lib/" + name, mode: 0o644, path: real})
	}
	return nil
}

// writeTree writes files as one compressed tar and gives the sum and size of
// the tar.
func writeTree(ctx context.Context, name string, files []file) (string, int64, error) {
	sum, size := sha256.New(), &counter{}
	err := compressTo(name, func(w io.Writer) error { return writeTar(ctx, w, files) }, sum, size)
	return hex.EncodeToString(sum.Sum(nil)), size.n, err
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}
