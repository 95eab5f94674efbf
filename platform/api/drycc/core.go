package drycc

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Core is the platform behind this dialect. Errors are *platform.Error; any
// other error is a bug and answers 500. Safe for concurrent use.
type Core interface {
	Accounts
	Logins
	Users
	Members
	Workspaces
	Apps
	Releases
	Processes
	Keys
	Builder
	Builds
	BuildRuns
	BuildHooks
	Edge
	Volumes
	Resources
	Limits
	Transfers
	Inspection
	Streams
	// Ready returns nil when requests can be served.
	Ready(ctx context.Context) error
}

// Accounts are logins and tokens.
type Accounts interface {
	Authenticate(ctx context.Context, key string) (control.Actor, error)
	BeginLogin(ctx context.Context, username, password, remote string) (loginKey string, err error)
	FinishLogin(ctx context.Context, loginKey, alias string) (key string, t platform.Token, u platform.User, err error)
	ListTokens(ctx context.Context, who control.Actor, p control.Page) ([]platform.Token, int, error)
	FindToken(ctx context.Context, who control.Actor, uuid string) (platform.Token, error)
	DeleteToken(ctx context.Context, who control.Actor, uuid string) error
}

// Workspaces are the groups of people that own apps.
type Workspaces interface {
	ListWorkspaces(ctx context.Context, who control.Actor, p control.Page) ([]platform.Workspace, int, error)
	FindWorkspace(ctx context.Context, who control.Actor, id string) (platform.Workspace, error)
}

// Apps are apps and their settings.
type Apps interface {
	CreateApp(ctx context.Context, who control.Actor, n control.NewApp) (platform.App, error)
	ListApps(ctx context.Context, who control.Actor, f control.AppFilter, p control.Page) ([]platform.App, int, error)
	FindApp(ctx context.Context, who control.Actor, id string) (platform.App, error)
	DeleteApp(ctx context.Context, who control.Actor, id string) error
	FindSettings(ctx context.Context, who control.Actor, app string) (platform.Settings, error)
	ChangeSettings(ctx context.Context, who control.Actor, app string, c control.SettingsChange) (platform.Settings, error)
	// Host is the app's default domain.
	Host(app string) string
}

// Releases are builds, config and the releases they make.
type Releases interface {
	Deploy(ctx context.Context, who control.Actor, app string, n control.NewBuild) (platform.Build, error)
	FindBuild(ctx context.Context, who control.Actor, app string, version int) (platform.Build, error)
	FindConfig(ctx context.Context, who control.Actor, app string, version int) (platform.Config, error)
	ChangeConfig(ctx context.Context, who control.Actor, app string, c control.ConfigChange, merge bool) (platform.Config, error)
	DetachConfig(ctx context.Context, who control.Actor, app string, refs map[string][]string) error
	ListReleases(ctx context.Context, who control.Actor, app string, ptypes []string, p control.Page) ([]platform.Release, int, error)
	FindRelease(ctx context.Context, who control.Actor, app string, version int) (platform.Release, error)
	DeployRelease(ctx context.Context, who control.Actor, app string, ptypes []string, force bool) error
	Rollback(ctx context.Context, who control.Actor, app string, version int, ptypes []string) (platform.Release, error)
}

// Processes are what runs.
type Processes interface {
	Scale(ctx context.Context, who control.Actor, app string, replicas map[string]int) error
	Pods(ctx context.Context, who control.Actor, app string) ([]platform.Pod, error)
	Restart(ctx context.Context, who control.Actor, app string, ptypes []string) error
}

// Volumes are the volumes of apps and their file clients.
type Volumes interface {
	ListVolumes(ctx context.Context, who control.Actor, app string, p control.Page) ([]platform.Volume, int, error)
	FindVolume(ctx context.Context, who control.Actor, app, name string) (platform.Volume, error)
	CreateVolume(ctx context.Context, who control.Actor, app string, n control.NewVolume) (platform.Volume, error)
	ExpandVolume(ctx context.Context, who control.Actor, app, name, size string) (platform.Volume, error)
	MountVolume(ctx context.Context, who control.Actor, app, name string, paths map[string]*string) (platform.Volume, error)
	DeleteVolume(ctx context.Context, who control.Actor, app, name string) error
	BindFiler(ctx context.Context, who control.Actor, app, volume, prefix string) (control.FilerLogin, error)
	PingFiler(ctx context.Context, who control.Actor, app, volume string) error
	// FilerAddress is where the file client of a volume listens, empty when
	// there is none. Anybody may ask; it is the file client that asks back.
	FilerAddress(ctx context.Context, app, volume string) (string, error)
}

// Resources are the backing services of apps.
type Resources interface {
	ListCatalogServices(ctx context.Context, p control.Page) ([]platform.ResourceService, int, error)
	ListPlans(ctx context.Context, service string, p control.Page) ([]platform.ResourcePlan, int, error)
	ListResources(ctx context.Context, who control.Actor, app string, p control.Page) ([]platform.Resource, int, error)
	FindResource(ctx context.Context, who control.Actor, app, name string) (platform.Resource, error)
	CreateResource(ctx context.Context, who control.Actor, app string, n control.NewResource) (platform.Resource, error)
	UpdateResource(ctx context.Context, who control.Actor, app, name string, ch control.ResourceChange) (platform.Resource, error)
	PutResource(ctx context.Context, who control.Actor, app, name string, n control.NewResource) (platform.Resource, bool, error)
	BindResource(ctx context.Context, who control.Actor, app, name string) (platform.Resource, error)
	UnbindResource(ctx context.Context, who control.Actor, app, name string) (platform.Resource, error)
	DestroyResource(ctx context.Context, who control.Actor, app, name string) error
}

var _ Core = (*control.Controller)(nil)
