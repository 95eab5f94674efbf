package drycc

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Keys are the users' SSH keys.
type Keys interface {
	AddKey(ctx context.Context, who control.Actor, id, public string) (platform.Key, error)
	ListKeys(ctx context.Context, who control.Actor, p control.Page) ([]platform.Key, int, error)
	FindKey(ctx context.Context, who control.Actor, id string) (platform.Key, error)
	DeleteKey(ctx context.Context, who control.Actor, id string) error
}

// Builder is what the builder and the monitoring ask for, with the service key.
type Builder interface {
	AuthenticateService(key string) error
	FindPusher(ctx context.Context, fingerprint string) (control.Pusher, error)
	AppKeys(ctx context.Context, app, username string) ([]platform.Key, error)
	PushConfig(ctx context.Context, username, app string) (platform.Config, error)
	Push(ctx context.Context, username, app string, n control.NewBuild) (platform.Release, error)
	Alert(ctx context.Context, workspace string, alerts []control.Alert) error
}

// Builds are the builds of the past, and which release a new one became.
type Builds interface {
	ListBuilds(ctx context.Context, who control.Actor, app string, p control.Page) ([]platform.Build, int, error)
	VersionOf(ctx context.Context, app, build, config string) (int, error)
}
