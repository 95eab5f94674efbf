package drycc

import (
	"context"
	"io"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Inspection looks at what runs, and ends parts of it.
type Inspection interface {
	Ptypes(ctx context.Context, who control.Actor, app string) ([]platform.PtypeStatus, error)
	DescribePtype(ctx context.Context, who control.Actor, app, name string) ([]platform.Container, error)
	DescribePod(ctx context.Context, who control.Actor, app, pod string) ([]platform.Container, error)
	Events(ctx context.Context, who control.Actor, app, pod, ptype string) ([]platform.ClusterEvent, error)
	CleanPtypes(ctx context.Context, who control.Actor, app string, ptypes []string) error
	DeletePods(ctx context.Context, who control.Actor, app string, pods []string) error
	PodsOf(ctx context.Context, who control.Actor, app, ptype string) ([]platform.Pod, error)
	RestartPods(ctx context.Context, who control.Actor, app, ptype, name string) ([]platform.Pod, error)
	AppMetrics(ctx context.Context, who control.Actor, app string) (control.AppMetrics, error)
}

// Streams are logs, terminals and commands that run once.
type Streams interface {
	// MayRead and MayEnter refuse before the protocol is changed.
	MayRead(ctx context.Context, who control.Actor, app, pod string) error
	MayEnter(ctx context.Context, who control.Actor, app, pod string) error
	PodLog(ctx context.Context, who control.Actor, app, pod string, o control.LogOptions, w io.Writer) error
	Exec(ctx context.Context, who control.Actor, app, pod string, command []string, t control.Terminal) (int, error)
	Attach(ctx context.Context, who control.Actor, app, pod string, t control.Terminal) (int, error)
	AppLog(ctx context.Context, who control.Actor, app string, lines int, follow bool, emit func(platform.LogLine) error) error
	RunOnce(ctx context.Context, who control.Actor, app string, o control.OneOff) (string, error)
}
