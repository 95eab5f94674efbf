package control

import (
	"context"
	"time"
)

// TransferStore moves apps between workspaces.
type TransferStore interface {
	// SetWorkspace gives an app to another workspace, which exists.
	SetWorkspace(ctx context.Context, app, workspace string, at time.Time) error
}
