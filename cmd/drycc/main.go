// Command drycc is the developer's client of a Drycc controller: it makes,
// deploys, configures and watches applications from a laptop or a CI machine.
//
// Results go to stdout, errors and warnings to stderr. It exits 0 when all went
// well, 1 on an error, 130 when it was interrupted; run and exec exit as the
// command that they ran.
//
// One file holds one group of commands; program.go what all of them share.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// version and built are set by the linker.
var (
	version = "v0.1.0-dev"
	built   = ""
)

// exitInterrupted is what a shell shows for a program that Ctrl-C ended.
const exitInterrupted = 130

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := newProgram(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	err := p.execute(ctx, os.Args[1:])
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr)
		return exitInterrupted
	}
	p.report(err)
	return 1
}

// exitCode ends the program with that status and without a word: what there
// was to say has been said.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit status %d", int(e)) }
