package control

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/slipway-paas/slipway/platform"
)

// BindFiler starts the filer of a volume, unless it runs, and returns how to
// log in to it: members of the workspace may change files, viewers look at
// them. prefix is the path under which the dialect passes requests on.
func (c *Controller) BindFiler(ctx context.Context, actor Actor, app, volume, prefix string) (FilerLogin, error) {
	a, v, err := c.filed(ctx, actor, app, volume)
	if err != nil {
		return FilerLogin{}, err
	}
	if a.Deleting {
		return FilerLogin{}, platform.Errorf(platform.Conflict, "%s is being deleted", app)
	}
	if v.Type == platform.VolumeOSS {
		return FilerLogin{}, platform.Errorf(platform.Invalid, ossMessage, volume)
	}
	// One after the other: the second finds what the first has started.
	unlock, err := c.filers.lock(ctx, app+"/"+volume)
	if err != nil {
		return FilerLogin{}, err
	}
	defer unlock()
	f := Filer{Volume: v, Prefix: prefix}
	for _, password := range []*string{&f.Writer, &f.Reader} {
		if *password, err = newPassword(c.random); err != nil {
			return FilerLogin{}, err
		}
	}
	if f, err = c.cluster.StartFiler(ctx, a, f); err != nil {
		return FilerLogin{}, err
	}
	login := FilerLogin{Username: FilerReader, Password: f.Reader}
	if _, err := c.appFor(ctx, actor, app, platform.Member); err == nil {
		login = FilerLogin{Username: FilerWriter, Password: f.Writer}
	}
	return login, c.tell(ctx, app, "volume", "bind", map[string]any{
		"volume": volume, "user": actor.User.Username, "as": login.Username,
	})
}

func (c *Controller) filed(ctx context.Context, actor Actor, app, volume string) (platform.App, platform.Volume, error) {
	a, err := c.appFor(ctx, actor, app, platform.Viewer)
	if err != nil {
		return platform.App{}, platform.Volume{}, err
	}
	v, err := c.volume(ctx, app, volume)
	return a, v, err
}

// newPassword makes 128 random bits, in hex.
func newPassword(random io.Reader) (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", fmt.Errorf("password: random: %w", err)
	}
	return hex.EncodeToString(raw[:]), nil
}

// PingFiler keeps a filer from ending. Unavailable: none runs.
func (c *Controller) PingFiler(ctx context.Context, actor Actor, app, volume string) error {
	if _, _, err := c.filed(ctx, actor, app, volume); err != nil {
		return err
	}
	err := c.cluster.PingFiler(ctx, app, volume)
	if platform.CodeOf(err) == platform.NotFound {
		return platform.Errorf(platform.Unavailable, "no file client is bound to volume %s; bind it first", volume)
	}
	return err
}

// FilerAddress says where the filer of a volume serves WebDAV; empty when none
// runs. It asks for no actor: the filer itself asks for its password.
func (c *Controller) FilerAddress(ctx context.Context, app, volume string) (string, error) {
	if _, err := c.volume(ctx, app, volume); err != nil {
		return "", err
	}
	return c.cluster.FindFiler(ctx, app, volume)
}
