package drycc

import (
	"encoding/json"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// stamp is a moment on the wire: UTC, whole seconds, null when unknown.
type stamp time.Time

// MarshalJSON writes the moment.
func (s stamp) MarshalJSON() ([]byte, error) {
	t := time.Time(s)
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.UTC().AppendFormat(make([]byte, 0, 24), `"2006-01-02T15:04:05Z"`), nil
}

// optional is a string that is null when empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// orNone keeps a list from being null on the wire.
func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// orEmpty keeps a map from being null on the wire.
func orEmpty[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return m
}

// listOrEmpty keeps a list from being null on the wire.
func listOrEmpty[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// appWire is an app.
type appWire struct {
	UUID      string         `json:"uuid"`
	ID        string         `json:"id"`
	UID       int64          `json:"uid"`
	Workspace string         `json:"workspace"`
	Structure map[string]int `json:"structure"`
	Created   stamp          `json:"created"`
	Updated   stamp          `json:"updated"`
}

func toApp(a platform.App) appWire {
	return appWire{a.UUID, a.ID, a.Number, a.Workspace, orEmpty(a.Structure), stamp(a.Created), stamp(a.Updated)}
}

// buildWire is a build. Before the first one everything in it is empty or
// null.
type buildWire struct {
	UUID       *string           `json:"uuid"`
	App        *string           `json:"app"`
	Image      string            `json:"image"`
	Stack      string            `json:"stack"`
	SHA        string            `json:"sha"`
	Procfile   map[string]string `json:"procfile"`
	Dryccfile  json.RawMessage   `json:"dryccfile"`
	Dockerfile string            `json:"dockerfile"`
	Created    stamp             `json:"created"`
	Updated    stamp             `json:"updated"`
}

func toBuild(b platform.Build) buildWire {
	w := buildWire{
		UUID: optional(b.UUID), App: optional(b.App), Image: b.Image, Stack: b.Stack, SHA: b.SHA,
		Procfile: b.Procfile, Dryccfile: b.Dryccfile, Dockerfile: b.Dockerfile,
		Created: stamp(b.Created), Updated: stamp(b.Updated),
	}
	if b.UUID == "" {
		return w
	}
	w.Procfile = orEmpty(w.Procfile)
	if len(w.Dryccfile) == 0 {
		w.Dryccfile = json.RawMessage("{}")
	}
	return w
}

// releaseWire is a release.
type releaseWire struct {
	UUID           string          `json:"uuid"`
	App            string          `json:"app"`
	Version        int             `json:"version"`
	State          string          `json:"state"`
	Summary        string          `json:"summary"`
	Failed         bool            `json:"failed"`
	Exception      *string         `json:"exception"`
	Conditions     []conditionWire `json:"conditions"`
	DeployedPtypes []string        `json:"deployed_ptypes"`
	Config         string          `json:"config"`
	Build          *string         `json:"build"`
	Created        stamp           `json:"created"`
	Updated        stamp           `json:"updated"`
}

// conditionWire is one step of a release's history.
type conditionWire struct {
	State     string   `json:"state"`
	Action    string   `json:"action"`
	Ptypes    []string `json:"ptypes"`
	Exception string   `json:"exception,omitempty"`
	Created   stamp    `json:"created"`
}

func toRelease(r platform.Release) releaseWire {
	return releaseWire{
		UUID: r.UUID, App: r.App, Version: r.Version, State: toState(r.State), Summary: r.Summary,
		Failed: r.Failed(), Exception: optional(r.Exception),
		Conditions: convertAll(r.Conditions, toCondition), DeployedPtypes: listOrEmpty(r.DeployedPtypes),
		Config: r.Config, Build: optional(r.Build), Created: stamp(r.Created), Updated: stamp(r.Updated),
	}
}

func toCondition(c platform.Condition) conditionWire {
	return conditionWire{toState(c.State), c.Action, listOrEmpty(c.Ptypes), c.Exception, stamp(c.Created)}
}

// toState folds our states into the three that clients know.
func toState(s platform.ReleaseState) string {
	switch s {
	case platform.ReleaseSucceeded, platform.ReleaseCrashed:
		return string(s)
	default:
		return "created"
	}
}

// podWire is a pod.
type podWire struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Release  string `json:"release"`
	Type     string `json:"type"`
	Started  stamp  `json:"started"`
	Ready    string `json:"ready"`
	Restarts int    `json:"restarts"`
}

func toPod(p platform.Pod) podWire {
	return podWire{p.Name, p.State, p.Release, p.Type, stamp(p.Started), p.Ready, p.Restarts}
}

// settingsWire are an app's settings.
type settingsWire struct {
	UUID         string                    `json:"uuid"`
	App          string                    `json:"app"`
	Routable     bool                      `json:"routable"`
	Autodeploy   bool                      `json:"autodeploy"`
	Autorollback bool                      `json:"autorollback"`
	Autoscale    map[string]map[string]int `json:"autoscale"`
	Label        map[string]string         `json:"label"`
	Created      stamp                     `json:"created"`
	Updated      stamp                     `json:"updated"`
}

func toSettings(s platform.Settings) settingsWire {
	return settingsWire{s.UUID, s.App, s.Routable, s.Autodeploy, s.Autorollback,
		orEmpty(s.Autoscale), orEmpty(s.Label), stamp(s.Created), stamp(s.Updated)}
}

// domainWire is a domain.
type domainWire struct {
	App     string `json:"app"`
	Domain  string `json:"domain"`
	Ptype   string `json:"ptype"`
	Created stamp  `json:"created"`
	Updated stamp  `json:"updated"`
}

// userWire is a user. Groups are names of the directory that the user comes
// from; permissions exist for old clients and are always empty.
type userWire struct {
	ID          int64    `json:"id"`
	Email       string   `json:"email"`
	Username    string   `json:"username"`
	FirstName   string   `json:"first_name"`
	LastName    string   `json:"last_name"`
	IsSuperuser bool     `json:"is_superuser"`
	IsStaff     bool     `json:"is_staff"`
	Groups      []string `json:"groups"`
	Permissions []string `json:"user_permissions"`
	LastLogin   stamp    `json:"last_login"`
	DateJoined  stamp    `json:"date_joined"`
	IsActive    bool     `json:"is_active"`
}

func toUser(u platform.User) userWire {
	return userWire{u.ID, u.Email, u.Username, u.FirstName, u.LastName, u.IsSuperuser, u.IsStaff,
		listOrEmpty(u.Groups), []string{}, stamp(u.LastLogin), stamp(u.DateJoined), u.IsActive}
}

// tokenWire is a token, its key shown in part only.
type tokenWire struct {
	UUID     string `json:"uuid"`
	Owner    string `json:"owner"`
	Alias    string `json:"alias"`
	FuzzyKey string `json:"fuzzy_key"`
	Created  stamp  `json:"created"`
	Updated  stamp  `json:"updated"`
}

func toToken(t platform.Token) tokenWire {
	return tokenWire{t.UUID, t.Owner, t.Alias, t.FuzzyKey, stamp(t.Created), stamp(t.Updated)}
}

// workspaceWire is a workspace.
type workspaceWire struct {
	UUID    string `json:"uuid"`
	ID      string `json:"id"`
	UID     int64  `json:"uid"`
	Email   string `json:"email"`
	Created stamp  `json:"created"`
	Updated stamp  `json:"updated"`
}

func toWorkspace(w platform.Workspace) workspaceWire {
	return workspaceWire{w.UUID, w.ID, w.Number, w.Email, stamp(w.Created), stamp(w.Updated)}
}
