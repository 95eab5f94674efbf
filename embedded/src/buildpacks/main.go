// Command packs is the buildpacks that the platform carries, for Go, Node.js,
// static sites and Procfiles. Each has links to it as bin/detect and bin/build;
// the folder it is called from says which of them it is.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// Exit codes that the lifecycle understands.
const (
	exitFailed   = 1
	exitNotMine  = 100 // of detect: the source is not for this buildpack
	exitMisuse   = 2
	layerVersion = "1" // raised when layers of earlier builds must not be kept
)

// buildpack is one of the four.
type buildpack struct {
	title  string
	detect func(*source) (wanted bool, looked string)
	build  func(context.Context, *source) error
}

func buildpacks() map[string]buildpack {
	return map[string]buildpack{
		"go":       {"Go", detectGo, buildGo},
		"nodejs":   {"Node.js", detectNode, buildNode},
		"static":   {"Static site", detectStatic, buildStatic},
		"procfile": {"Procfile", detectProcfile, buildProcfile},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, filepath.Base(os.Args[0])))
}

// run carries out a phase, "detect" or "build", and gives the exit code.
func run(ctx context.Context, phase string) int {
	dir := os.Getenv("CNB_BUILDPACK_DIR")
	// /cnb/buildpacks/slipway_go/1.0.0
	name := strings.TrimPrefix(filepath.Base(filepath.Dir(dir)), "slipway_")
	pack, ok := buildpacks()[name]
	app, err := os.Getwd()
	if !ok || err != nil || phase != "detect" && phase != "build" {
		fmt.Fprintf(os.Stderr, "packs: it is run by the lifecycle of Cloud Native Buildpacks (phase %q, buildpack %q)\n", phase, name)
		return exitMisuse
	}
	s := &source{app: app, layers: os.Getenv("CNB_LAYERS_DIR"), out: os.Stdout}
	if phase == "detect" {
		wanted, looked := pack.detect(s)
		if !wanted {
			s.say("%s: %s", pack.title, looked)
			return exitNotMine
		}
		return 0
	}
	s.say("---> %s buildpack", pack.title)
	if err := pack.build(ctx, s); err != nil {
		var plain *sourceError
		if !errors.As(err, &plain) {
			err = fmt.Errorf("%s buildpack: %w", pack.title, err)
		}
		fmt.Fprintf(os.Stderr, "\nERROR: %v\n", err)
		return exitFailed
	}
	return 0
}
