package platform

import "time"

// App is one application: a name, its owner workspace, and how many replicas
// each process type wants.
type App struct {
	UUID      string         // RFC 4122, lower case
	Number    int64          // small id, unique for ever; the wire's "uid"
	ID        string         // DNS label, also its namespace
	Workspace string         // the workspace that owns it
	Structure map[string]int // process type → wanted replicas
	Deleting  bool           // its removal has begun; every change is refused
	Created   time.Time
	Updated   time.Time
}

// Build says which image an app runs and which process types it offers.
type Build struct {
	UUID       string
	App        string
	Image      string            // reference as the user gave it
	Stack      string            // "container", "buildpack"; at most 32 characters
	SHA        string            // git commit, empty for image builds
	Procfile   map[string]string // process type → command line
	Dockerfile string            // its text when a Dockerfile built the image
	Dryccfile  []byte            // the .drycc directory as JSON, nil when absent
	Created    time.Time
	Updated    time.Time
}

// ConfigValue is one environment variable. Exactly one of Group and Ptype is set.
type ConfigValue struct {
	Name  string
	Value string
	Group string // "global" applies to every process type
	Ptype string
}

// Config is an immutable set of settings; every change makes a new one and
// with it a release. Maps are keyed by process type.
type Config struct {
	UUID             string
	App              string
	Values           []ConfigValue
	ValuesRefs       map[string][]string          // process type → groups it reads
	Limits           map[string]string            // → plan id
	Tags             map[string]map[string]string // → node labels wanted
	Registry         map[string]map[string]string // → username, password, hostname
	Healthcheck      map[string]map[string]any    // → probe name → probe
	Lifecycle        map[string]map[string]any
	TerminationGrace map[string]string // → seconds
	Created          time.Time
	Updated          time.Time
}

// ReleaseState is where a release is in its life.
type ReleaseState string

// The states. Pending, Deploying and Superseded are shown as "created" by the
// Drycc API.
//
//	pending ──► deploying ──► succeed
//	   │            │  └────► crashed
//	   └────────────┴───────► superseded   (a newer release came first)
const (
	ReleasePending    ReleaseState = "pending"    // recorded, the cluster not touched yet
	ReleaseDeploying  ReleaseState = "deploying"  // the cluster is being changed
	ReleaseSucceeded  ReleaseState = "succeed"    // every deployed process type is ready
	ReleaseCrashed    ReleaseState = "crashed"    // it failed; the one before still serves
	ReleaseSuperseded ReleaseState = "superseded" // overtaken by a newer one before it was deployed
)

// Condition is one step in a release's history, newest first on a release.
type Condition struct {
	State     ReleaseState
	Action    string // "pipeline"
	Ptypes    []string
	Exception string // "Type: text", empty when all went well
	Created   time.Time
}

// Release is a numbered, immutable pairing of a build and a config. Its
// content never changes; its state does.
type Release struct {
	UUID           string
	App            string
	Version        int
	State          ReleaseState
	Summary        string
	Exception      string
	Conditions     []Condition
	DeployedPtypes []string
	Config         string // uuid
	Build          string // uuid, empty for the first release
	Created        time.Time
	Updated        time.Time
}

// Failed reports whether the release crashed.
func (r Release) Failed() bool { return r.State == ReleaseCrashed }

// Settings are per-app switches; changing them makes no release.
type Settings struct {
	UUID         string
	App          string
	Routable     bool
	Autodeploy   bool
	Autorollback bool
	Autoscale    map[string]map[string]int // process type → min, max, cpu_percent
	Label        map[string]string
	Created      time.Time
	Updated      time.Time
}

// Pod is one running instance of a process type, as the cluster sees it.
type Pod struct {
	Name     string
	Release  string // "v7"
	Type     string // process type
	State    string // initializing, creating, starting, up, terminating, down, destroyed, crashed, error or a raw reason
	Ready    string // "1/1"
	Restarts int
	Started  time.Time
}

// User is someone who may log in. The password hash stays in the store.
type User struct {
	ID          int64
	Username    string
	Email       string
	FirstName   string
	LastName    string
	IsSuperuser bool
	IsStaff     bool
	IsActive    bool
	Origin      string   // OriginLocal, or where the password is kept
	Groups      []string // names of groups in the directory, as of the last login
	LastLogin   time.Time
	DateJoined  time.Time
}

// Token is an API credential of a user. The key itself is shown once, when
// it is made; the store keeps its SHA-256 only.
type Token struct {
	UUID     string
	Owner    string
	Alias    string
	FuzzyKey string // first 14 + "..." + last 14 characters
	Created  time.Time
	Updated  time.Time
}

// Role is what a member may do in a workspace; each includes the ones before.
type Role int

// The roles, weakest first.
const (
	NoRole Role = iota
	Viewer
	Member
	Admin
)

// Workspace owns apps and has members.
type Workspace struct {
	UUID    string
	Number  int64
	ID      string
	Email   string
	Created time.Time
	Updated time.Time
}
