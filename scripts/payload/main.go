// Command payload builds what slipway carries: every component pinned under
// embedded/src, from source, as OCI images and node binaries, packed as
// payload.tar with manifest.json. The same inputs give the same bytes.
//
// Finished components are kept by the hash of their inputs in
// $XDG_CACHE_HOME/slipway/payload (or ~/.cache/...), so a second run takes
// seconds and an interrupted one goes on where it was.
//
// It needs Go, a C compiler with libseccomp's static library (for runc), and
// apt-get and dpkg-deb of Debian 12 (for busybox, iptables and the certificate
// bundle). It installs nothing.
//
// To take a newer release of a component, change its version in
// embedded/src/<component>/go.mod, run there
//
//	GOFLAGS=-mod=mod go build -o /dev/null <its package in recipes.go>
//
// which completes go.mod and go.sum with what the build needs, and compare the
// replace lines with upstream's own: a dependency's are not inherited. A Debian
// package's version is in embedded/src/debian.json.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "payload: interrupted; finished components are kept, run it again to go on")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	out    string
	arch   string
	jobs   int
	only   []string
	verify bool
	prune  bool
}

func parse(args []string) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet("payload", flag.ContinueOnError)
	flags.StringVar(&o.out, "out", "embedded/payload", "folder for payload.tar and manifest.json")
	flags.StringVar(&o.arch, "arch", runtime.GOARCH, "amd64 or arm64")
	flags.IntVar(&o.jobs, "jobs", 2, "components built at the same time")
	flags.StringVar(&only, "only", "", "comma-separated components to build into the cache; nothing is packed")
	flags.BoolVar(&o.verify, "verify", false, "build again elsewhere with empty caches and compare the hashes")
	flags.BoolVar(&o.prune, "prune", false, "afterwards remove cache entries this checkout does not use")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("payload: unexpected argument %q", flags.Arg(0))
	}
	if o.arch != "amd64" && o.arch != "arm64" {
		return o, fmt.Errorf("payload: -arch %q: it is amd64 or arm64", o.arch)
	}
	if o.jobs < 1 {
		return o, fmt.Errorf("payload: -jobs %d: it is at least 1", o.jobs)
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	if o.prune && (o.verify || o.only != nil) {
		return o, errors.New("payload: -prune goes with a full build only")
	}
	return o, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	root, err := checkout()
	if err != nil {
		return err
	}
	chosen, err := choose(recipes(), o.only)
	if err != nil {
		return err
	}
	b, err := newBuilder(ctx, filepath.Join(root, "embedded", "src"), o.arch, os.Stderr)
	if err != nil {
		return err
	}
	c, err := openCache()
	if err != nil {
		return err
	}
	if o.verify {
		return verify(ctx, b, c, chosen, o.jobs, false)
	}
	entries, err := buildAll(ctx, b, c, chosen, o.jobs)
	if err != nil || o.only != nil {
		return err
	}
	if err := pack(ctx, o.out, o.arch, entries, os.Stderr); err != nil {
		return err
	}
	if o.prune {
		return c.prune(entries)
	}
	return nil
}

// checkout finds the root of the source tree from the working folder upwards.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "embedded", "src", debianPins)); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("payload: run it inside the source tree (embedded/src is not above this folder)")
		}
		dir = parent
	}
}

// choose gives the recipes that are named, all if none is.
func choose(all []recipe, names []string) ([]recipe, error) {
	if names == nil {
		return all, nil
	}
	known := map[string]recipe{}
	var list []string
	for _, r := range all {
		known[r.Name] = r
		list = append(list, r.Name)
	}
	var chosen []recipe
	for _, name := range names {
		r, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("payload: no component %q; there are %s", name, strings.Join(list, ", "))
		}
		chosen = append(chosen, r)
	}
	return chosen, nil
}
