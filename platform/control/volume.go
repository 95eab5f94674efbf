package control

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

// ossMessage says what a bucket can and cannot be here. A volume of that type
// is kept, so that what is described elsewhere can be brought along, but the
// platform carries no driver that mounts buckets.
const ossMessage = "volume %s is a bucket, and this platform carries no driver that mounts buckets; " +
	"let the app use the bucket over S3, or mount a volume of type csi or nfs"

// ListVolumes lists an app's volumes by name.
func (c *Controller) ListVolumes(ctx context.Context, actor Actor, app string, p Page) ([]platform.Volume, int, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return nil, 0, err
	}
	return c.store.ListVolumes(ctx, app, p)
}

// FindVolume finds a volume of an app.
func (c *Controller) FindVolume(ctx context.Context, actor Actor, app, name string) (platform.Volume, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return platform.Volume{}, err
	}
	return c.volume(ctx, app, name)
}

// volume finds one that is not being deleted.
func (c *Controller) volume(ctx context.Context, app, name string) (platform.Volume, error) {
	v, err := c.store.FindVolume(ctx, app, name)
	if err == nil && v.Deleting {
		err = noMatch("Volume")
	}
	if err != nil {
		return platform.Volume{}, err
	}
	return v, nil
}

// CreateVolume records a volume; the queue makes its storage. A taken name is
// Invalid for field name.
func (c *Controller) CreateVolume(ctx context.Context, actor Actor, app string, n NewVolume) (platform.Volume, error) {
	v, err := c.newVolume(app, n)
	if err != nil {
		return platform.Volume{}, err
	}
	_, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return platform.Volume{}, err
	}
	defer unlock()
	switch old, err := c.store.FindVolume(ctx, app, v.Name); {
	case err == nil && old.Deleting:
		return platform.Volume{}, platform.Errorf(platform.Conflict, "volume %s is still being deleted; try again in a moment", v.Name)
	case err == nil:
		return platform.Volume{}, platform.FieldErrorf("name", "Volume with this name already exists.")
	case platform.CodeOf(err) != platform.NotFound:
		return platform.Volume{}, err
	}
	if _, err := c.store.AddWork(ctx, Work{App: app, Kind: WorkVolumes}); err != nil {
		return platform.Volume{}, err
	}
	if err := c.store.CreateVolume(ctx, v); err != nil {
		return platform.Volume{}, err
	}
	c.queue.add(app)
	return v, nil
}

func (c *Controller) newVolume(app string, n NewVolume) (platform.Volume, error) {
	if err := platform.ValidateVolumeName(n.Name); err != nil {
		return platform.Volume{}, err
	}
	if err := c.reserved.Check("name", n.Name); err != nil {
		return platform.Volume{}, err
	}
	size, err := platform.ParseVolumeSize(n.Size)
	if err != nil {
		return platform.Volume{}, err
	}
	if n.Type == "" {
		n.Type = platform.VolumeCSI
	}
	if err := platform.ValidateVolumeType(n.Type, n.Parameters); err != nil {
		return platform.Volume{}, err
	}
	now := c.now()
	return platform.Volume{
		UUID: newUUID(), App: app, Name: n.Name, Type: n.Type, Size: size, Parameters: n.Parameters,
		Path: map[string]string{}, Created: now, Updated: now,
	}, nil
}

// ExpandVolume records a larger size; the queue lets the storage grow where it
// can. Only csi volumes have storage of ours to grow.
func (c *Controller) ExpandVolume(ctx context.Context, actor Actor, app, name, size string) (platform.Volume, error) {
	size, err := platform.ParseVolumeSize(size)
	if err != nil {
		return platform.Volume{}, err
	}
	_, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return platform.Volume{}, err
	}
	defer unlock()
	v, err := c.volume(ctx, app, name)
	if err != nil {
		return platform.Volume{}, err
	}
	was, will := platform.VolumeBytes(v.Size), platform.VolumeBytes(size)
	switch {
	case v.Type != platform.VolumeCSI:
		return platform.Volume{}, platform.Errorf(platform.Invalid, "only volumes of type csi can be expanded; the size of %s is its server's affair", name)
	case will < was:
		return platform.Volume{}, platform.FieldErrorf("size", "Shrink volume is not supported.")
	case will == was:
		return platform.Volume{}, platform.Errorf(platform.Conflict, "volume %s has %s already", name, v.Size)
	}
	if _, err := c.store.AddWork(ctx, Work{App: app, Kind: WorkVolumes}); err != nil {
		return platform.Volume{}, err
	}
	v.Size, v.Updated = size, c.now()
	if err := c.store.SaveVolume(ctx, v, "expand"); err != nil {
		return platform.Volume{}, err
	}
	c.queue.add(app)
	return v, nil
}

// MountVolume mounts a volume in process types, or with a nil path takes it
// out again. No release is made: the queue rolls out anew what runs, and the
// result is the volume as it was before.
func (c *Controller) MountVolume(ctx context.Context, actor Actor, app, name string, paths map[string]*string) (platform.Volume, error) {
	change, err := checkPaths(paths)
	if err != nil {
		return platform.Volume{}, err
	}
	a, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return platform.Volume{}, err
	}
	defer unlock()
	before, err := c.volume(ctx, app, name)
	if err != nil {
		return platform.Volume{}, err
	}
	after, err := c.mounted(ctx, a, before, change)
	if err != nil {
		return platform.Volume{}, err
	}
	if maps.Equal(before.Path, after.Path) {
		return platform.Volume{}, platform.Errorf(platform.Invalid, "mount path not changed")
	}
	// Storage first: it may have been lost, or never been made.
	for _, kind := range []WorkKind{WorkVolumes, WorkApply} {
		if _, err := c.store.AddWork(ctx, Work{App: app, Kind: kind}); err != nil {
			return platform.Volume{}, err
		}
	}
	after.Updated = c.now()
	if err := c.store.SaveVolume(ctx, after, "mount"); err != nil {
		return platform.Volume{}, err
	}
	c.queue.add(app)
	return before, nil
}

// checkPaths checks what a mount says by itself; an empty path unmounts.
func checkPaths(paths map[string]*string) (map[string]string, error) {
	if len(paths) == 0 {
		return nil, platform.FieldErrorf("path", "path is a required field")
	}
	out := map[string]string{}
	for _, ptype := range slices.Sorted(maps.Keys(paths)) {
		if err := platform.ValidatePtype("path", ptype); err != nil {
			return nil, err
		}
		out[ptype] = ""
		if paths[ptype] == nil {
			continue
		}
		path, err := platform.ParseVolumePath(*paths[ptype])
		if err != nil {
			return nil, err
		}
		out[ptype] = path
	}
	return out, nil
}

// mounted is v with the change, checked against the app and its other volumes.
func (c *Controller) mounted(ctx context.Context, a platform.App, v platform.Volume, change map[string]string) (platform.Volume, error) {
	known, err := c.known(ctx, a)
	if err != nil {
		return v, err
	}
	others, err := c.store.AllVolumes(ctx, a.ID)
	if err != nil {
		return v, err
	}
	v.Path = cloneMap(v.Path)
	for _, ptype := range slices.Sorted(maps.Keys(change)) {
		path := change[ptype]
		if path == "" {
			delete(v.Path, ptype)
			continue
		}
		if v.Type == platform.VolumeOSS {
			return v, platform.Errorf(platform.Invalid, ossMessage, v.Name)
		}
		if ptype != runPtype && !slices.Contains(known, ptype) {
			return v, platform.Errorf(platform.Invalid, "process type %s is not included in procfile", ptype)
		}
		for _, o := range others {
			if o.UUID != v.UUID && !o.Deleting && o.Path[ptype] == path {
				return v, platform.Errorf(platform.Invalid, "path %s is used by another volume", path)
			}
		}
		v.Path[ptype] = path
	}
	return v, nil
}

// DeleteVolume records that a volume goes, with its files; the queue removes
// it once nothing uses it any more. A mounted one is Invalid.
func (c *Controller) DeleteVolume(ctx context.Context, actor Actor, app, name string) error {
	_, unlock, err := c.hold(ctx, actor, app, platform.Admin)
	if err != nil {
		return err
	}
	defer unlock()
	v, err := c.volume(ctx, app, name)
	if err != nil {
		return err
	}
	if len(v.Path) > 0 {
		return platform.Errorf(platform.Invalid, "this volume is mounting")
	}
	if _, err := c.store.AddWork(ctx, Work{App: app, Kind: WorkDiscard}); err != nil {
		return err
	}
	v.Deleting, v.Updated = true, c.now()
	if err := c.store.SaveVolume(ctx, v, "delete"); err != nil {
		return err
	}
	c.queue.add(app)
	return nil
}

// wantedVolumes reads work and volumes as one, for the reason of wantedScale.
func (c *Controller) wantedVolumes(ctx context.Context, app string, kind WorkKind) (int64, []platform.Volume, error) {
	unlock, err := c.records.lock(ctx, app)
	if err != nil {
		return 0, nil, err
	}
	defer unlock()
	w, err := c.openWork(ctx, app, kind)
	if err != nil || w == nil {
		return 0, nil, err
	}
	volumes, err := c.store.AllVolumes(ctx, app)
	return w.ID, volumes, err
}

// ensureVolumes makes the storage of all volumes. One that the cluster refuses
// is told of in the events and holds nothing else up.
func (c *Controller) ensureVolumes(ctx context.Context, a platform.App) error {
	work, volumes, err := c.wantedVolumes(ctx, a.ID, WorkVolumes)
	if err != nil || work == 0 {
		return err
	}
	for _, v := range volumes {
		if v.Deleting || v.Type == platform.VolumeOSS {
			continue
		}
		err := c.cluster.EnsureVolume(ctx, a, v)
		if err == nil {
			continue
		}
		if ctx.Err() != nil || platform.CodeOf(err) == platform.Unavailable {
			return err
		}
		c.log.WithField("app", a.ID).WithField("volume", v.Name).WithError(err).Error("making a volume")
		if err := c.tell(ctx, a.ID, "volume", "failed", map[string]any{"volume": v.Name, "reason": reasonOf(err)}); err != nil {
			return err
		}
	}
	return c.store.DoneWork(ctx, work)
}

// discardVolumes removes the volumes that are being deleted, their storage
// first.
func (c *Controller) discardVolumes(ctx context.Context, app string) error {
	work, volumes, err := c.wantedVolumes(ctx, app, WorkDiscard)
	if err != nil || work == 0 {
		return err
	}
	for _, v := range volumes {
		if !v.Deleting {
			continue
		}
		if err := c.cluster.RemoveVolume(ctx, app, v); err != nil {
			return err
		}
		if err := c.store.DeleteVolume(ctx, v.UUID); err != nil {
			return err
		}
	}
	return c.store.DoneWork(ctx, work)
}

// mountedBy lists the volumes that the process types of d mount, for prepare.
func (c *Controller) mountedBy(ctx context.Context, app string, ptypes []string) ([]platform.Volume, error) {
	all, err := c.store.AllVolumes(ctx, app)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(v platform.Volume) bool {
		return v.Deleting || !slices.ContainsFunc(ptypes, func(p string) bool { return v.Path[p] != "" })
	}), nil
}

// tell appends an event.
func (c *Controller) tell(ctx context.Context, app, object, action string, data map[string]any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return err
	}
	_, err = c.store.AppendEvent(ctx, Event{App: app, Object: object, Action: action, Data: raw, Created: c.now()})
	return err
}

// reasonOf is what of an error is fit for users.
func reasonOf(err error) string {
	_, reason, _ := explain(err)
	return reason
}
