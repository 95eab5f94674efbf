package control

import (
	"context"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// BuildRunStore keeps attempts to build and what they said. AddRelease ends
// the run that has the UUID of the build, as succeeded and with the version of
// the release, all or nothing; when that run has ended it is a Conflict. So a
// run makes one release or none, whenever the process is killed.
type BuildRunStore interface {
	// AddBuildRun records a run that waits for its turn. runner is the process
	// that has it.
	AddBuildRun(ctx context.Context, r platform.BuildRun, runner string) error
	// FindDelivery finds the newest run of an app with this sum in Delivery.
	FindDelivery(ctx context.Context, app, sum string) (platform.BuildRun, error)
	// SetBuildRunSHA records which commit a run is of that waits for its turn.
	// It is a Conflict when the run does not wait any more.
	SetBuildRunSHA(ctx context.Context, uuid, sha string) error
	// StartBuildRun records that a run's turn has come. It is a Conflict when
	// the run has ended.
	StartBuildRun(ctx context.Context, uuid string, at time.Time) error
	// EndBuildRun records r.State, r.Message and r.Ended. It is a Conflict when
	// the run has ended before.
	EndBuildRun(ctx context.Context, r platform.BuildRun) error
	FindBuildRun(ctx context.Context, app, uuid string) (platform.BuildRun, error)
	ListBuildRuns(ctx context.Context, app string, p Page) ([]platform.BuildRun, int, error) // newest first
	// ListOpenBuildRuns lists what has not ended of a runner, oldest first.
	ListOpenBuildRuns(ctx context.Context, runner string) ([]platform.BuildRun, error)
	// PruneBuildRuns forgets the ended runs of an app but for the newest keep.
	PruneBuildRuns(ctx context.Context, app string, keep int) error

	// AddBuildLog adds a piece to the log of a run and forgets pieces between
	// the first head bytes and the last tail bytes. The state is the run's.
	AddBuildLog(ctx context.Context, uuid string, p LogPiece, head, tail int64) (platform.BuildState, error)
	// ReadBuildLog lists pieces from the one that has byte from on, in order
	// and up to limit.
	ReadBuildLog(ctx context.Context, uuid string, from int64, limit int) ([]LogPiece, error)
}

// BuildHookStore keeps the addresses at which hosts of repositories tell of
// pushes. Secrets are sealed.
type BuildHookStore interface {
	// PutBuildHook gives an app a hook in place of the one it has. NotFound when
	// the app is not there.
	PutBuildHook(ctx context.Context, h platform.BuildHook, secrets platform.BuildHookSecrets) error
	FindBuildHook(ctx context.Context, app string) (platform.BuildHook, platform.BuildHookSecrets, error)
	FindBuildHookAt(ctx context.Context, uuid string) (platform.BuildHook, platform.BuildHookSecrets, error)
	DeleteBuildHook(ctx context.Context, app string) error
}

// LogPiece is a part of a log.
type LogPiece struct {
	Start int64 // bytes before it
	Text  []byte
}
