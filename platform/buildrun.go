package platform

import "time"

// BuildState is how far an attempt to build has come.
type BuildState string

// The states of a BuildRun. The last three end it.
const (
	BuildQueued    BuildState = "queued"
	BuildRunning   BuildState = "running"
	BuildSucceeded BuildState = "succeeded"
	BuildFailed    BuildState = "failed"
	BuildCanceled  BuildState = "canceled" // by its user, or because the server ended
)

// Ended reports whether nothing more happens to it.
func (s BuildState) Ended() bool {
	return s == BuildSucceeded || s == BuildFailed || s == BuildCanceled
}

// Where source trees come from.
const (
	OriginGit    = "git"    // git push
	OriginUpload = "upload" // drycc builds create --source
	OriginHook   = "hook"   // fetched from a repository elsewhere that told of a push
)

// BuildRun is one attempt to make images of a source tree. One that succeeded
// has made a release.
type BuildRun struct {
	UUID    string
	App     string
	User    string // who pushed
	Origin  string // OriginGit…
	Ref     string // "refs/heads/main"; empty when it was no push
	SHA     string // of the commit, 40 hex digits; of an upload that of its content
	Stack   string // "container" or "buildpack", once it is chosen
	State   BuildState
	Message string // why it failed, a sentence for its user
	Version int    // of the release that it made; 0 for none
	Created time.Time
	Started time.Time // zero while queued
	Ended   time.Time // zero until it has ended
	// Delivery is the sum of what a hook was told; write only.
	Delivery string
}
