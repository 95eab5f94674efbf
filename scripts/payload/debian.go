package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// debianPins names, below embedded/src, the file with the Debian packages'
// versions.
const debianPins = "debian.json"

// pins are the contents of debianPins.
type pins struct {
	Suite    string            `json:"suite"`
	Packages map[string]string `json:"packages"`
}

func readPins(name string) (pins, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return pins{}, fmt.Errorf("payload: %w", err)
	}
	var p pins
	if err := json.Unmarshal(raw, &p); err != nil {
		return pins{}, fmt.Errorf("payload: %s: %w", name, err)
	}
	return p, nil
}

// upstreamVersion is the part of a Debian version that upstream gave:
// "1:1.35.0-4+deb12u1" is 1.35.0.
func upstreamVersion(version string) string {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	if i := strings.LastIndex(version, "-"); i > 0 {
		version = version[:i]
	}
	return version
}

// unpackDebian downloads the packages at their pinned versions and unpacks
// them, uninstalled, into one folder below scratch.
func (b *builder) unpackDebian(ctx context.Context, packages []string, scratch string) (string, error) {
	debs, root := filepath.Join(scratch, "debs"), filepath.Join(scratch, "debian")
	for _, dir := range []string{debs, root} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
	}
	apt, err := b.apt(ctx, scratch)
	if err != nil {
		return "", err
	}
	download := append(append([]string{}, apt...), "-q", "download")
	var all []string
	for _, name := range packages {
		all = append(all, name+"="+b.debian.Packages[name])
	}
	if err := runQuietly(b.command(ctx, debs, "apt-get", append(download, all...)...)); err != nil {
		// One by one, to tell which of them is at fault.
		for i, name := range packages {
			if err := runQuietly(b.command(ctx, debs, "apt-get", append(download, all[i])...)); err != nil {
				return "", b.explainDebian(ctx, name, apt, err)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if err := runQuietly(b.command(ctx, debs, "dpkg-deb", "-x", file, root)); err != nil {
			return "", err
		}
	}
	return root, nil
}

// apt gives the options for apt-get. For another architecture than the
// machine's it uses package lists of its own, so that the machine's dpkg need
// not know that architecture.
func (b *builder) apt(ctx context.Context, scratch string) ([]string, error) {
	options := []string{"-o", "APT::Sandbox::User=root"}
	if b.arch == b.host.Arch {
		return options, nil
	}
	lists := filepath.Join(scratch, "lists")
	if err := os.MkdirAll(filepath.Join(lists, "partial"), 0o755); err != nil {
		return nil, err
	}
	options = append(options, "-o", "APT::Architecture="+b.arch, "-o", "APT::Architectures::="+b.arch,
		"-o", "Dir::State::lists="+lists, "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=")
	return options, runQuietly(b.command(ctx, scratch, "apt-get", append(append([]string{}, options...), "-q", "update")...))
}

// explainDebian adds to a failed download which version is served now.
func (b *builder) explainDebian(ctx context.Context, name string, apt []string, cause error) error {
	if ctx.Err() != nil {
		return cause
	}
	pinned := b.debian.Packages[name]
	out, err := b.output(ctx, b.src, "apt-cache", append(append([]string{}, apt...), "policy", name)...)
	newest := ""
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "Candidate: "); ok {
			newest = rest
		}
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w\nthe packages come from Debian %s: this machine has no apt-cache", cause, b.debian.Suite)
	case newest == "" || newest == "(none)":
		return fmt.Errorf("%w\nthis machine's apt knows no %s: it has to be Debian %s, with fresh lists (apt-get update)", cause, name, b.debian.Suite)
	case newest != pinned:
		return fmt.Errorf("%w\n%s %s is pinned, the newest apt knows is %s: run apt-get update; if it stays so, change the pin in embedded/src/%s",
			cause, name, pinned, newest, debianPins)
	default:
		return fmt.Errorf("%w\n%s %s is what apt knows, so its lists may be old: run apt-get update; if the version is gone then, change the pin in embedded/src/%s",
			cause, name, pinned, debianPins)
	}
}
