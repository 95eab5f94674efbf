package gitssh

import (
	"context"
	"io"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Control is what the door asks of the verbs. Safe for concurrent use.
type Control interface {
	// KeyOwner is the name of the user of a key, by its SHA256 fingerprint. A
	// key that opens nothing is NotFound.
	KeyOwner(ctx context.Context, fingerprint string) (string, error)
	// RepoAccess finds an app for a user and what they may do: a Viewer fetches,
	// a Member pushes. What they may not see is NotFound.
	RepoAccess(ctx context.Context, username, app string) (platform.App, platform.Role, error)
	// AppUUID is NotFound for an app that is no more.
	AppUUID(ctx context.Context, app string) (string, error)
	// PushSource builds and deploys, see control.Controller.
	PushSource(ctx context.Context, username, app string, s control.Source, log io.Writer) (platform.Release, error)
}

var _ Control = (*control.Controller)(nil)

// Options are what a Server needs. All but Limits and Grace are required.
type Options struct {
	Addrs   []string // to listen on, "host:port"
	Dir     string   // of the repositories; made if absent
	KeyDir  string   // of the host keys, which are made if absent, 0600
	Hook    string   // path of the program that runs HookMain when it is called HookName
	Git     Git
	Control Control
	Logger  *logrus.Logger
	Limits  Limits
	Grace   time.Duration // that commands get to finish when the server stops
}

// Limits bound what users can cost. Zero fields have the defaults.
type Limits struct {
	Pack  int64 // bytes that one push may send; 1 GiB
	Tree  int64 // bytes of the tree that is built, as a tar file; 1 GiB
	Repo  int64 // bytes of a repository, above which pushes are refused; 4 GiB
	Free  int64 // bytes that stay free on the disk; 2 GiB
	Files int   // in the tree; 100000
	Refs  int   // branches and tags in one push; 10000

	Transfer time.Duration // of a fetch, or of a push until the build begins; 30 minutes
	Stall    time.Duration // without a byte from the client in that time; 10 minutes
	Login    time.Duration // from the connection to the proof of a key; 30 seconds
	Idle     time.Duration // after which a silent connection is dead; 2 minutes

	Connections int // open at once; 256
	PerAddress  int // of them from one address; 32
	Commands    int // running at once; 32
}

func (l Limits) withDefaults() Limits {
	const gib = 1 << 30
	for field, value := range map[*int64]int64{&l.Pack: gib, &l.Tree: gib, &l.Repo: 4 * gib, &l.Free: 2 * gib} {
		*field = or(*field, value)
	}
	for field, value := range map[*int]int{&l.Files: 100_000, &l.Refs: 10000, &l.Connections: 256, &l.PerAddress: 32, &l.Commands: 32} {
		*field = or(*field, value)
	}
	for field, value := range map[*time.Duration]time.Duration{
		&l.Transfer: 30 * time.Minute, &l.Stall: 10 * time.Minute, &l.Login: 30 * time.Second, &l.Idle: 2 * time.Minute,
	} {
		*field = or(*field, value)
	}
	return l
}

func or[T int | int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}
