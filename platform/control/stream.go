package control

import (
	"context"
	"io"

	"github.com/slipway-paas/slipway/platform"
)

// MayRead reports whether actor may read the log of a pod, which has to be
// there. Dialects ask before they change to another protocol, in which a
// refusal could not be told.
func (c *Controller) MayRead(ctx context.Context, actor Actor, app, pod string) error {
	return c.mayUse(ctx, actor, app, pod, platform.Viewer)
}

// MayEnter is MayRead for running a command in a pod or attaching to it.
func (c *Controller) MayEnter(ctx context.Context, actor Actor, app, pod string) error {
	return c.mayUse(ctx, actor, app, pod, platform.Member)
}

func (c *Controller) mayUse(ctx context.Context, actor Actor, app, pod string, need platform.Role) error {
	if _, err := c.appFor(ctx, actor, app, need); err != nil {
		return err
	}
	_, err := c.cluster.DescribePod(ctx, app, pod)
	return noProcess(err)
}

// PodLog copies the log of a pod to w.
func (c *Controller) PodLog(ctx context.Context, actor Actor, app, pod string, o LogOptions, w io.Writer) error {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return err
	}
	return noProcess(c.cluster.PodLog(ctx, app, pod, o, w))
}

// Exec runs a command in a pod and returns the command's exit code.
func (c *Controller) Exec(ctx context.Context, actor Actor, app, pod string, command []string, t Terminal) (int, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Member); err != nil {
		return 0, err
	}
	if len(command) == 0 || command[0] == "" {
		return 0, platform.FieldErrorf("command", "This field is required.")
	}
	code, err := c.cluster.Exec(ctx, app, pod, command, t)
	return code, noProcess(err)
}

// Attach connects to the process of a pod and returns the process's exit code.
func (c *Controller) Attach(ctx context.Context, actor Actor, app, pod string, t Terminal) (int, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Member); err != nil {
		return 0, err
	}
	code, err := c.cluster.Attach(ctx, app, pod, t)
	return code, noProcess(err)
}
