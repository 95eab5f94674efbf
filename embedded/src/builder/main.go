// Command builder is what runs in the builder's pod all the time, and is
// therefore small. "builder serve" starts buildkitd when somebody wants to
// build and stops it when nobody has for a while. Called as runc, it tightens
// the bundle of a RUN step before the real runc gets it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	if filepath.Base(os.Args[0]) == wrapperName {
		fmt.Fprintln(os.Stderr, "builder:", wrapRunc(os.Args[1:]))
		os.Exit(1)
	}
	if len(os.Args) != 2 || os.Args[1] != "serve" {
		fmt.Fprintln(os.Stderr, "usage: builder serve")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := serve(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "builder:", err)
		os.Exit(1)
	}
}
