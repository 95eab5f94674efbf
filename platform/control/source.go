package control

import (
	"context"
	"io"

	"github.com/slipway-paas/slipway/platform"
)

// Source is a source tree to build.
type Source struct {
	Origin string // platform.OriginGit…
	Ref    string // "refs/heads/main"; empty when it was no push
	SHA    string // of the commit
	Tar    string // path of the tree as an uncompressed tar file, the caller's to remove
}

// PushSource builds a source tree for the user who pushed it and deploys what
// came out. It writes the log that the pusher reads to log and returns when
// the release has ended or ctx has. A failed build makes no release: it is
// Invalid when the source is at fault. A release that then failed to deploy is
// no error: its state tells.
func (c *Controller) PushSource(ctx context.Context, username, app string, s Source, log io.Writer) (platform.Release, error) {
	actor, err := c.pusher(ctx, username)
	if err != nil {
		return platform.Release{}, err
	}
	a, err := c.appFor(ctx, actor, app, platform.Member)
	if err != nil {
		return platform.Release{}, err
	}
	if c.builder == nil {
		return platform.Release{}, platform.Errorf(platform.Unavailable, "this platform has no builder")
	}
	n, err := c.builder.Build(ctx, BuildOrder{ID: newUUID(), App: a, SHA: s.SHA, Tar: s.Tar}, log)
	if err != nil {
		return platform.Release{}, err
	}
	return c.Push(ctx, username, app, n)
}
