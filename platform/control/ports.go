package control

import (
	"context"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// Store keeps the platform's records. Every method is one transaction. A
// missing row is a platform.NotFound error, a broken uniqueness rule a
// platform.Conflict. Safe for concurrent use.
type Store interface {
	AccountStore
	KeyStore
	BuildLister
	BuildRunStore
	BuildHookStore
	Outbox
	EdgeStore

	Ping(ctx context.Context) error
	TransferStore

	CreateUser(ctx context.Context, u platform.User, passwordHash string) (platform.User, error)
	FindUser(ctx context.Context, username string) (platform.User, string, error) // second: password hash
	SetPassword(ctx context.Context, username, passwordHash string) error
	TouchLogin(ctx context.Context, username string, at time.Time) error

	CreateToken(ctx context.Context, t platform.Token, keySHA256 string) (platform.Token, error)
	FindTokenByKey(ctx context.Context, keySHA256 string) (platform.Token, platform.User, error)
	FindToken(ctx context.Context, owner, uuid string) (platform.Token, error)
	ListTokens(ctx context.Context, owner string, p Page) ([]platform.Token, int, error)
	DeleteToken(ctx context.Context, owner, uuid string) error

	// CreateWorkspace makes admin its first member.
	CreateWorkspace(ctx context.Context, w platform.Workspace, admin string) (platform.Workspace, error)
	FindWorkspace(ctx context.Context, id string) (platform.Workspace, error)
	ListWorkspaces(ctx context.Context, username string, p Page) ([]platform.Workspace, int, error)
	RoleOf(ctx context.Context, workspace, username string) (platform.Role, error) // NoRole, nil when not a member

	// CreateApp writes the app, its first config, settings and release v1 in
	// one transaction.
	CreateApp(ctx context.Context, a platform.App, c platform.Config, r platform.Release, s platform.Settings) (platform.App, error)
	FindApp(ctx context.Context, id string) (platform.App, error)
	FindAppFor(ctx context.Context, id, username string) (platform.App, platform.Role, error) // with the role that RoleOf gives
	ListApps(ctx context.Context, f AppFilter, p Page) ([]platform.App, int, error)
	SetStructure(ctx context.Context, app string, structure map[string]int, at time.Time) error
	DeleteApp(ctx context.Context, id string) error // with all its rows and open work; events stay
	FindSettings(ctx context.Context, app string) (platform.Settings, error)
	SaveSettings(ctx context.Context, s platform.Settings) error

	// AddRelease gives the release the next version of its app and writes it,
	// with the build and config when they are new (nil: already stored).
	AddRelease(ctx context.Context, r platform.Release, b *platform.Build, c *platform.Config) (platform.Release, error)
	FindRelease(ctx context.Context, app string, version int) (platform.Release, error) // version 0: the newest
	// LatestRelease is the newest release that q describes.
	LatestRelease(ctx context.Context, app string, q ReleaseQuery) (platform.Release, error)
	// ListReleases lists newest first those that deployed all of ptypes.
	ListReleases(ctx context.Context, app string, ptypes []string, p Page) ([]platform.Release, int, error)
	// SetReleaseState records c.State, and c itself when it ends the release
	// (succeed or crashed); deployed replaces the deployed process types unless nil.
	SetReleaseState(ctx context.Context, app string, version int, c platform.Condition, deployed []string) error
	// Supersede ends every unfinished release with a build below version: it
	// gets back the state that it last ended with, or becomes superseded when it
	// never ran. One that was only waiting has no deployed process types then.
	Supersede(ctx context.Context, app string, version int, at time.Time) error
	// ListUnfinished lists pending and deploying releases that have a build, by
	// app and version; app narrows it unless empty.
	ListUnfinished(ctx context.Context, app string) ([]platform.Release, error)
	FindBuild(ctx context.Context, uuid string) (platform.Build, error)
	FindConfig(ctx context.Context, uuid string) (platform.Config, error)

	// AddWork records that something is still to be done for app. There is one
	// of a kind for each app; a new one replaces it and has a new ID. With
	// WorkDeploy its release is deploying from then on, in the same transaction,
	// and stays so when it ends before the work is taken: whoever waits for the
	// end must not see that of an earlier deploy.
	AddWork(ctx context.Context, w Work) (Work, error)
	ListWork(ctx context.Context, app string) ([]Work, error) // oldest first; all apps when empty
	DoneWork(ctx context.Context, id int64) error             // a missing ID is no error
	// AdoptCluster records the cluster that the apps run on. When another was
	// recorded before it adds WorkEnsure and WorkApply for every app and returns
	// how many apps there are.
	AdoptCluster(ctx context.Context, uid string) (apps int, err error)
	// AdoptDomain records the domain below which the apps are. When another was
	// recorded before it adds WorkEdge for every app and returns how many apps
	// there are.
	AdoptDomain(ctx context.Context, domain string) (apps int, err error)

	VolumeStore
	ResourceStore

	AppendEvent(ctx context.Context, e Event) (int64, error)
	ListEvents(ctx context.Context, app string, after int64, limit int) ([]Event, error)
	// LastEvents lists the newest events of app, oldest first.
	LastEvents(ctx context.Context, app string, limit int) ([]Event, error)
}

// ReleaseQuery describes releases; a zero field does not narrow.
type ReleaseQuery struct {
	Below     int                   // versions lower than this
	State     platform.ReleaseState // in this state
	NotFailed bool                  // not crashed
	Built     bool                  // with a build
	Build     string                // with this build
	Config    string                // with this config
	Ptype     string                // deployed this process type
}

// WorkKind says what is to be done.
type WorkKind string

// The kinds of work that outlive a process. Each is recorded before its first
// effect and removed after its last, and may be repeated without harm.
const (
	WorkEnsure WorkKind = "ensure" // make the app's namespace
	WorkDelete WorkKind = "delete" // remove the app from cluster and store
	WorkDeploy WorkKind = "deploy" // deploy Version (again), only Ptypes when given
	WorkApply  WorkKind = "apply"  // put back what last succeeded, with today's settings
	WorkScale  WorkKind = "scale"  // bring replicas in line with the structure
)

// Work is one thing still to be done for an app.
type Work struct {
	ID      int64
	App     string
	Kind    WorkKind
	Version int
	Ptypes  []string
}

// Identity handles secrets of users: password hashes and token keys.
type Identity interface {
	HashPassword(ctx context.Context, password string) (string, error)
	// VerifyPassword reports whether password belongs to hash; an empty hash
	// costs the same time and never matches.
	VerifyPassword(ctx context.Context, hash, password string) (bool, error)
	NewKey() string            // a token key: 128 letters and digits
	HashKey(key string) string // its SHA-256, hex
}

// Page is a slice of a list; Limit 0 or less means 100.
type Page struct{ Limit, Offset int }

// AppFilter narrows a list of apps. Username limits it to the workspaces of
// that user and the apps granted to them; empty means all.
type AppFilter struct{ Username, Workspace, Search string }

// Event is one line of the append-only log. IDs grow and are never reused.
type Event struct {
	ID      int64
	App     string
	Object  string // "app", "release", "scale"…
	Action  string // "create", "succeed"…
	Data    []byte // JSON without secrets
	Created time.Time
}

// Deployment is all that the cluster half needs to run one release. It holds
// values, no references to the store.
type Deployment struct {
	App       platform.App
	Release   platform.Release
	Build     platform.Build
	Config    platform.Config
	Settings  platform.Settings
	Processes []Process
	Volumes   []platform.Volume // those that the processes mount
	Host      string            // "hello.slipway.localhost"; empty when not routable
	Exposure  Exposure

	tuning Tuning
	plans  platform.Catalog
}

// Process is one process type of a deployment, ready to render.
type Process struct {
	Ptype                  string
	Replicas               int
	Image                  string
	Command                []string
	Args                   []string
	Env                    map[string]string // complete, PORT included
	Port                   int
	Routed                 bool // gets the Service and route (web)
	Served                 bool // has a Service of its own making
	Plan                   Plan
	Grace                  time.Duration
	Timeout                time.Duration  // how long one rollout may take, pulling images apart
	Healthcheck, Lifecycle map[string]any // as users set them; defaults are the cluster's
	NodeSelector           map[string]string
	PullPolicy             string // "", Always, IfNotPresent, Never
	PullSecret             *PullSecret
	Mounts                 []platform.Mount // of the deployment's volumes, by path
	Batches                int              // pods replaced at a time; 0: one for each node
	History                *int             // old revisions to keep; nil: what the cluster half needs
	Autoscale              *Autoscale       // nil: Replicas is what runs
}

// Autoscale lets the cluster choose the replicas by the CPU in use, in percent
// of what the plan requests. Replicas then only counts for a first start.
type Autoscale struct{ Min, Max, CPUPercent int }

// PullSecret lets the node pull from a private registry.
type PullSecret struct{ Hostname, Username, Password string }

// Plan is how much a container may use. CPU in millicores, sizes in bytes.
type Plan struct {
	ID                               string
	CPULimit, CPURequest             int64
	MemoryLimit, MemoryRequest       int64
	EphemeralLimit, EphemeralRequest int64
}

// Cluster runs deployments. Calls return when the cluster has taken or
// finished the change, or with an error that says which pod is at fault and
// why. Errors of the cluster being away are platform.Unavailable. Safe for
// concurrent use, but control never calls it twice at once for one app.
type Cluster interface {
	EdgeCluster

	// ID tells this cluster from every other, for as long as it lives.
	ID(ctx context.Context) (string, error)
	Watching
	// EnsureApp makes the namespace and its policies; idempotent.
	EnsureApp(ctx context.Context, a platform.App) error
	// Apply rolls out d and waits until each process is ready on its new
	// version. It makes the storage of d's volumes first, where that is missing. It touches no process type that d does not name. On failure the
	// old version still serves and the error is a *RolloutError.
	Apply(ctx context.Context, d Deployment) error
	// Scale sets replicas and returns when accepted; it does not wait for pods.
	// Process types that were never applied are skipped, which a NotFound error
	// may say once the others are scaled.
	Scale(ctx context.Context, app string, replicas map[string]int) error
	// Remove deletes the objects of the process types; missing ones are no error.
	Remove(ctx context.Context, app string, ptypes []string) error
	// DeleteApp deletes the namespace and all in it, and waits a short while.
	DeleteApp(ctx context.Context, app string) error
	// NamespaceExists reports a namespace of that name, ours or not.
	NamespaceExists(ctx context.Context, name string) (bool, error)
	Pods(ctx context.Context, app string) ([]platform.Pod, error)
	Restart(ctx context.Context, app string, ptypes []string) error
	VolumeCluster
	Inspector
	Streams
	Jobs
}

// RolloutError says why a release did not become ready.
type RolloutError struct {
	Ptype, Pod string
	Kind       string // "ImagePullBackOff", "CrashLoopBackOff", "Timeout", "Unschedulable"…
	Reason     string // sentence with the evidence: last log lines or the event's message
	Restored   bool   // Apply has itself put back what ran before
}

// Error is the sentence users see on the release.
func (e *RolloutError) Error() string {
	return e.Kind + ": process type " + e.Ptype + ": " + e.Reason
}
