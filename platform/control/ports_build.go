package control

import (
	"context"
	"io"

	"github.com/slipway-paas/slipway/platform"
)

// Builder makes images of source trees. Safe for concurrent use; how many
// builds run at a time is control's to decide.
type Builder interface {
	// Build makes the images that order asks for, pushes them to the platform's
	// registry and says how they are deployed. It writes the log that the
	// pusher reads, in lines, to log; no line holds a secret. What is wrong with
	// the source, a failing step among them, is Invalid and names the step; a
	// builder that cannot be reached is Unavailable. When ctx ends so does the
	// build, and nothing of it runs on. The same order may be built again.
	Build(ctx context.Context, order BuildOrder, log io.Writer) (NewBuild, error)
}

// BuildOrder is all that a Builder has to know. It holds values, no references
// to the store.
type BuildOrder struct {
	ID     string // of the BuildRun
	App    platform.App
	SHA    string
	Tar    string            // path of the source tree, an uncompressed tar file
	Config map[string]string // what steers the build: the app's global group, DRYCC_STACK in it
	// Release is the version that the images' release will probably have.
	Release int
}
