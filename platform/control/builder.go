package control

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// AuthenticateService checks the key with which the platform's own services,
// the builder first of all, come to the controller. A wrong one is Forbidden;
// so is every one while the controller has none.
func (c *Controller) AuthenticateService(key string) error {
	// Hashes have the same length, so the time tells nothing of the key's.
	given, want := sha256.Sum256([]byte(key)), sha256.Sum256([]byte(c.serviceKey))
	same := subtle.ConstantTimeCompare(given[:], want[:]) == 1
	if c.serviceKey == "" || !same {
		return denied()
	}
	return nil
}

// Pusher is who pushes with a key, and the apps that they can see.
type Pusher struct {
	Username string
	Apps     []string
}

// FindPusher finds the user of an SSH key by its fingerprint, MD5 or
// "SHA256:…". An unknown key, and that of a user who may not log in, is
// NotFound.
func (c *Controller) FindPusher(ctx context.Context, fingerprint string) (Pusher, error) {
	u, err := c.store.FindKeyOwner(ctx, fingerprint)
	if err != nil {
		return Pusher{}, err
	}
	if !u.IsActive {
		return Pusher{}, noMatch("Key")
	}
	p := Pusher{Username: u.Username}
	const batch = 1000
	for {
		list, total, err := c.store.ListApps(ctx, AppFilter{Username: u.Username}, Page{Limit: batch, Offset: len(p.Apps)})
		if err != nil {
			return Pusher{}, err
		}
		for _, a := range list {
			p.Apps = append(p.Apps, a.ID)
		}
		if len(list) < batch || len(p.Apps) >= total {
			return p, nil
		}
	}
}

// AppKeys lists the keys of all members of an app's workspace, and of those
// whom a grant lets push to the app, by user; with username only of that one,
// who is Forbidden when neither and NotFound without keys.
func (c *Controller) AppKeys(ctx context.Context, app, username string) ([]platform.Key, error) {
	_, role, err := c.store.FindAppFor(ctx, app, username)
	if err != nil {
		return nil, err
	}
	if username != "" && role == platform.NoRole {
		if role, err = c.store.GrantOf(ctx, app, username); err != nil {
			return nil, err
		}
		if role < platform.Member {
			return nil, denied()
		}
	}
	keys, err := c.store.ListAppKeys(ctx, app, username)
	if err == nil && username != "" && len(keys) == 0 {
		return nil, noMatch("Key")
	}
	return keys, err
}

// PushConfig is the latest config of an app, for a user who pushes to it.
func (c *Controller) PushConfig(ctx context.Context, username, app string) (platform.Config, error) {
	actor, err := c.pusher(ctx, username)
	if err != nil {
		return platform.Config{}, err
	}
	if _, err := c.appFor(ctx, actor, app, platform.Member); err != nil {
		return platform.Config{}, err
	}
	return c.FindConfig(ctx, actor, app, 0)
}

// Push is Deploy by the builder, for the user who pushed. The image may be on
// a loopback address, as the platform's registry is for the nodes.
func (c *Controller) Push(ctx context.Context, username, app string, n NewBuild) (platform.Release, error) {
	actor, err := c.pusher(ctx, username)
	if err != nil {
		return platform.Release{}, err
	}
	n.ownRegistry = true
	b, err := c.Deploy(ctx, actor, app, n)
	if err != nil {
		return platform.Release{}, err
	}
	return c.store.LatestRelease(ctx, app, ReleaseQuery{Build: b.UUID})
}

func (c *Controller) pusher(ctx context.Context, username string) (Actor, error) {
	u, _, err := c.store.FindUser(ctx, username)
	if err != nil {
		return Actor{}, err
	}
	if !u.IsActive {
		return Actor{}, denied()
	}
	return Actor{User: u}, nil
}

// checkImage checks an image that a build names.
func (c *Controller) checkImage(n NewBuild, image string) error {
	if n.ownRegistry {
		_, err := platform.ParseImage(image)
		return err
	}
	return platform.ValidateImage(image, c.domains()...)
}

// VersionOf is the version of the release that was made with a new build or
// config; one of the two is empty.
func (c *Controller) VersionOf(ctx context.Context, app, build, config string) (int, error) {
	r, err := c.store.LatestRelease(ctx, app, ReleaseQuery{Build: build, Config: config})
	return r.Version, err
}

// ListBuilds lists an app's builds, newest first.
func (c *Controller) ListBuilds(ctx context.Context, actor Actor, app string, p Page) ([]platform.Build, int, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return nil, 0, err
	}
	return c.store.ListBuilds(ctx, app, p)
}

// staffWorkspace stands for the people who run the platform.
const staffWorkspace = "drycc"

const (
	maxAlerts     = 100
	maxAlertBytes = 64 << 10
)

// Alert is what monitoring found. Members other than title, content and
// severity are kept as they came.
type Alert map[string]any

// Alert records alerts of a workspace in the event log; the workspace drycc is
// the staff. An unknown workspace is NotFound.
func (c *Controller) Alert(ctx context.Context, workspace string, alerts []Alert) error {
	if strings.TrimSpace(workspace) == "" {
		return platform.FieldErrorf("workspace", "This field is required.")
	}
	if len(alerts) > maxAlerts {
		return platform.FieldErrorf("alerts", "Ensure this field has no more than %d elements.", maxAlerts)
	}
	events := make([]Event, 0, len(alerts))
	for i, a := range alerts {
		data, err := json.Marshal(map[string]any{"workspace": workspace, "alert": a})
		if err != nil {
			return fmt.Errorf("alert %d of %s: %w", i, workspace, err)
		}
		if len(data) > maxAlertBytes {
			return platform.FieldErrorf("alerts", "Alert %d is longer than %d bytes.", i+1, maxAlertBytes)
		}
		events = append(events, Event{Object: "alert", Action: "raise", Data: data, Created: c.now()})
	}
	if workspace != staffWorkspace {
		if _, err := c.store.FindWorkspace(ctx, workspace); err != nil {
			return err
		}
	}
	for _, e := range events {
		if _, err := c.store.AppendEvent(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
