package main

import (
	"os"
	"runtime/debug"
)

// gcPercent lets the heaps of k3s and containerd grow by less than Go's usual
// 100 percent between collections: on a small host the memory is worth more
// than the few percent of CPU it costs.
const gcPercent = 40

// tuneMemory applies gcPercent to this process and to containerd, which it
// starts, unless the operator has set GOGC.
func tuneMemory() error {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.SetGCPercent(gcPercent)
	// k3s hands CONTAINERD_* on to containerd without the prefix.
	return os.Setenv("CONTAINERD_GOGC", "40")
}
