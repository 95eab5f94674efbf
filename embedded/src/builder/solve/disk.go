package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/slipway-paas/slipway/embedded/src/builder/order"
)

// diskLook is how often a running build's disk is looked at. What it can write
// in between comes on top of its limit.
const diskLook = 200 * time.Millisecond

// freeBytes is the space that is free where builds write.
func freeBytes() (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(stateDir, &s); err != nil {
		return 0, fmt.Errorf("looking at the builder's disk: %w", err)
	}
	return int64(s.Bavail) * s.Bsize, nil
}

// makeRoom drops cached steps when the disk is too full to build on.
func makeRoom(ctx context.Context, daemon *client.Client, o order.Order) error {
	free, err := freeBytes()
	if err != nil || free >= o.FreeBytes {
		return err
	}
	if err := daemon.Prune(ctx, nil, client.PruneAll); err != nil {
		return fmt.Errorf("dropping the build cache: %w", err)
	}
	if free, err = freeBytes(); err == nil && free < o.FreeBytes {
		return &diskError{fmt.Sprintf("The builder's disk has %s free and %s have to stay free. An operator has to make room.", size(free), size(o.FreeBytes))}
	}
	return err
}

// watchDisk ends the build, with the reason as cause, when it fills the disk.
func watchDisk(ctx context.Context, o order.Order) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	start, err := freeBytes()
	if err != nil {
		cancel(err)
		return ctx, func() {}
	}
	go func() {
		tick := time.NewTicker(diskLook)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			free, err := freeBytes()
			switch {
			case err != nil:
				cancel(err)
			case o.DiskBytes > 0 && start-free > o.DiskBytes:
				cancel(&sourceError{cut: true, text: fmt.Sprintf("The build wrote more than %s to disk, which is what a build may write.", size(o.DiskBytes))})
			case free < o.FreeBytes:
				cancel(&diskError{fmt.Sprintf("The build was stopped: the builder's disk has %s free and %s have to stay free.", size(free), size(o.FreeBytes))})
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

func size(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
