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
	"syscall"
)

// source is what a buildpack works on.
type source struct {
	app    string // the folder with the source, writable
	layers string // the folder for layers; empty while detecting
	out    io.Writer
}

// sourceError is for the developer to mend: what is wrong, and what to do.
type sourceError struct{ text string }

func (e *sourceError) Error() string { return e.text }

func sourceErrorf(format string, args ...any) error {
	return &sourceError{fmt.Sprintf(format, args...)}
}

func (s *source) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// has tells whether the source has a file or folder of that name.
func (s *source) has(name string) bool {
	_, err := os.Stat(filepath.Join(s.app, name))
	return err == nil
}

func (s *source) read(name string) ([]byte, error) { return os.ReadFile(filepath.Join(s.app, name)) }

// layer is a folder that becomes part of the image (Launch), is kept for the
// next build (Cache), or both. Key says what it was made from.
type layer struct {
	Launch, Cache bool
	Key           string
}

func (s *source) layerDir(name string) string { return filepath.Join(s.layers, name) }

// kept tells whether the layer of an earlier build is the one that is wanted.
// Of a layer that is not cached the content stays in the earlier image.
func (s *source) kept(name string, want layer) bool {
	raw, err := os.ReadFile(s.layerDir(name) + ".toml")
	if err != nil {
		return false
	}
	if _, err := os.Stat(s.layerDir(name)); want.Cache && err != nil {
		return false
	}
	for line := range strings.Lines(string(raw)) {
		name, value, ok := strings.Cut(line, "=")
		if !ok || strings.TrimSpace(name) != "key" {
			continue
		}
		var key string
		return json.Unmarshal([]byte(strings.TrimSpace(value)), &key) == nil && key == layerVersion+" "+want.Key
	}
	return false
}

// declare says what a layer is; its folder is filled before or after.
func (s *source) declare(name string, l layer) error {
	text := fmt.Sprintf("[types]\nlaunch = %t\nbuild = false\ncache = %t\n\n[metadata]\nkey = %s\n",
		l.Launch, l.Cache, quote(layerVersion+" "+l.Key))
	return os.WriteFile(s.layerDir(name)+".toml", []byte(text), 0o644)
}

// fresh empties the layer of an earlier build.
func (s *source) fresh(name string) (string, error) {
	dir := s.layerDir(name)
	if err := removeAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// removeAll is os.RemoveAll for trees with folders that were made read-only,
// as Go's module cache is.
func removeAll(dir string) error {
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return nil // RemoveAll tells what is wrong
	})
	return os.RemoveAll(dir)
}

// launchEnv sets a variable of processes that start with the layer, unless the
// app's config sets it.
func (s *source) launchEnv(layer, name, value string) error {
	dir := filepath.Join(s.layerDir(layer), "env.launch")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".default"), []byte(value), 0o644)
}

// process is a way to start the app.
type process struct {
	Type    string
	Command []string
	Default bool
}

// launch writes which processes there are.
func (s *source) launch(processes []process) error {
	var text strings.Builder
	for _, p := range processes {
		var words []string
		for _, word := range p.Command {
			words = append(words, quote(word))
		}
		fmt.Fprintf(&text, "[[processes]]\ntype = %s\ncommand = [%s]\ndefault = %t\n\n", quote(p.Type), strings.Join(words, ", "), p.Default)
	}
	return os.WriteFile(filepath.Join(s.layers, "launch.toml"), []byte(text.String()), 0o644)
}

// quote writes a string as TOML does; JSON's escapes are a part of TOML's.
func quote(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always can be
	return strings.TrimSpace(out.String())
}

// shell is the command that runs a line in a shell. A single program takes the
// shell's place, so that it gets the signals.
func shell(line string) []string { return []string{"bash", "-c", line} }

// runs runs a program in the source's folder, showing what it says. The error
// holds the last of it.
func (s *source) runs(ctx context.Context, env []string, name string, args ...string) error {
	cmd := s.command(ctx, env, name, args...)
	last := &tail{}
	cmd.Stdout = io.MultiWriter(s.out, last)
	cmd.Stderr = cmd.Stdout
	if err := cmd.Run(); err != nil {
		return &commandError{line: name + " " + strings.Join(args, " "), said: last.String(), err: err}
	}
	return nil
}

// output gives what a program prints.
func (s *source) output(ctx context.Context, env []string, name string, args ...string) (string, error) {
	cmd := s.command(ctx, env, name, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", &commandError{line: name + " " + strings.Join(args, " "), said: said.String(), err: err}
	}
	return strings.TrimSpace(string(out)), nil
}

func (s *source) command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = s.app
	cmd.Env = append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	return cmd
}

// commandError is a program that failed.
type commandError struct {
	line, said string
	err        error
}

func (e *commandError) Error() string { return fmt.Sprintf("%s: %v", e.line, e.err) }
func (e *commandError) Unwrap() error { return e.err }

// offline tells whether a program failed since it could not reach the internet.
func offline(err error) bool {
	var failed *commandError
	if !errors.As(err, &failed) {
		return false
	}
	for _, sign := range []string{"dial tcp", "no such host", "i/o timeout", "EAI_AGAIN", "ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "network is unreachable"} {
		if strings.Contains(failed.said, sign) {
			return true
		}
	}
	return false
}

// tail keeps the last that was written to it.
type tail struct{ kept []byte }

const tailSize = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - tailSize; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.kept) }
