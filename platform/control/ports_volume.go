package control

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
)

// VolumeStore keeps volumes. It is part of Store.
type VolumeStore interface {
	CreateVolume(ctx context.Context, v platform.Volume) error
	// FindVolume finds one, also while it is being deleted.
	FindVolume(ctx context.Context, app, name string) (platform.Volume, error)
	// ListVolumes lists by name those that are not being deleted.
	ListVolumes(ctx context.Context, app string, p Page) ([]platform.Volume, int, error)
	// AllVolumes lists every volume of an app by name, those being deleted too.
	AllVolumes(ctx context.Context, app string) ([]platform.Volume, error)
	// SaveVolume replaces size, paths and Deleting; action is the event's.
	SaveVolume(ctx context.Context, v platform.Volume, action string) error
	DeleteVolume(ctx context.Context, uuid string) error // a missing one is no error
}

// VolumeCluster has the cluster's part of volumes. It is part of Cluster.
// The calls about filers may come at any time, also during others.
type VolumeCluster interface {
	// EnsureVolume makes the storage of a volume, or gives it the size that v
	// has where the storage can grow; idempotent. It does not wait for disks.
	EnsureVolume(ctx context.Context, a platform.App, v platform.Volume) error
	// RemoveVolume deletes the storage with its files, and ends the volume's
	// filer. Unavailable: something still uses it, and it goes when that ends.
	// A missing one is no error.
	RemoveVolume(ctx context.Context, app string, v platform.Volume) error
	// StartFiler returns the filer of a volume when it serves. One that runs
	// keeps its passwords, which are then in the result.
	StartFiler(ctx context.Context, a platform.App, f Filer) (Filer, error)
	// FindFiler says where a volume's filer serves WebDAV, "10.42.0.7:9100";
	// empty when there is none.
	FindFiler(ctx context.Context, app, volume string) (string, error)
	// PingFiler keeps a filer from ending; NotFound when there is none.
	PingFiler(ctx context.Context, app, volume string) error
}

// Filer is a short-lived pod that serves one volume's files over WebDAV, to
// two users with a password each.
type Filer struct {
	Volume platform.Volume
	Prefix string // the path before every file, as clients see it
	Writer string // password of the user who may do everything
	Reader string // password of the user who may look
}

// The users of a filer.
const (
	FilerWriter = "writer"
	FilerReader = "reader"
)

// FilerLogin is what a client of a filer needs.
type FilerLogin struct{ Username, Password string }

// NewVolume is what CreateVolume needs; an empty Type is csi.
type NewVolume struct {
	Name, Size string
	Type       platform.VolumeType
	Parameters map[string]string
}

// The kinds of work for volumes.
const (
	WorkVolumes WorkKind = "volumes" // make the storage of the app's volumes
	WorkDiscard WorkKind = "discard" // remove the volumes that are being deleted
)
