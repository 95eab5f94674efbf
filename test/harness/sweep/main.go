// Command sweep removes every test host that is on this machine, running or
// left behind by a killed run, and their bridge.
package main

import (
	"fmt"
	"os"

	"github.com/slipway-paas/slipway/test/harness"
)

func main() {
	if err := harness.Sweep(); err != nil {
		fmt.Fprintln(os.Stderr, "sweep:", err)
		os.Exit(1)
	}
}
