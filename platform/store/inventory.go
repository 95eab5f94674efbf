package store

import (
	"context"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

// Inventory is what the apps of a database have outside it.
type Inventory struct {
	Apps    []string          // ids, sorted
	Images  []string          // references that releases run or can go back to, sorted
	Volumes []InventoryVolume // by app and name
}

// InventoryVolume is a volume of an app.
type InventoryVolume struct {
	App, Name string
	Type      platform.VolumeType
}

// volumesMigration is the one since which there are volumes.
const volumesMigration = 5

// Inventory tells what the apps of the snapshot have elsewhere. key is as for
// Open: which images the steps of a pipeline run is sealed.
func (s *Snapshot) Inventory(ctx context.Context, key []byte) (Inventory, error) {
	var i Inventory
	seal, err := newSealer(key)
	if err != nil {
		return i, err
	}
	rows, err := s.tx.QueryContext(ctx, `SELECT id FROM apps ORDER BY id`)
	if i.Apps, err = collect(rows, err, func(row rowScanner) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	}); err != nil {
		return i, fault("store.Inventory", "App", err)
	}
	if i.Images, err = s.images(ctx, &Store{seal: seal}); err != nil {
		return i, fault("store.Inventory", "Build", err)
	}
	if len(s.applied) < volumesMigration {
		return i, nil
	}
	rows, err = s.tx.QueryContext(ctx, `SELECT a.id, v.name, v.type FROM volumes v JOIN apps a ON a.number = v.app
		WHERE NOT v.deleting ORDER BY a.id, v.name`)
	i.Volumes, err = collect(rows, err, func(row rowScanner) (v InventoryVolume, err error) {
		err = row.Scan(&v.App, &v.Name, &v.Type)
		return v, err
	})
	return i, fault("store.Inventory", "Volume", err)
}

// images are those of all builds that a release has.
func (s *Snapshot) images(ctx context.Context, reader *Store) ([]string, error) {
	rows, err := s.tx.QueryContext(ctx, `SELECT `+buildColumns+buildFrom+` WHERE b.uuid IN (SELECT build FROM releases)`)
	builds, err := collect(rows, err, reader.scanBuild)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, b := range builds {
		for _, image := range buildImages(b) {
			used[image] = true
		}
	}
	all := make([]string, 0, len(used))
	for image := range used {
		all = append(all, image)
	}
	slices.Sort(all)
	return all, nil
}

// buildImages are the images that processes and steps of a build run. What
// can't be read any more can't be run either, so it is passed over.
func buildImages(b platform.Build) []string {
	images := []string{b.Image}
	d, err := platform.ParseDryccfile(b.Dryccfile)
	if d == nil || err != nil {
		return images
	}
	for _, p := range d.Pipelines {
		if l, err := b.Launch(p.Ptype); err == nil {
			images = append(images, l.Image)
		}
		if step, err := b.RunStep(p.Ptype); err == nil && step != nil {
			images = append(images, step.Image)
		}
	}
	return images
}

// Waiting tells the cluster that the apps were last brought to, and the apps
// that have work to be done, sorted.
func (s *Snapshot) Waiting(ctx context.Context) (cluster string, apps []string, err error) {
	err = s.tx.QueryRowContext(ctx, `SELECT COALESCE(max(uid), '') FROM cluster`).Scan(&cluster)
	if err != nil {
		return "", nil, fault("store.Waiting", "Cluster", err)
	}
	rows, err := s.tx.QueryContext(ctx, `SELECT DISTINCT app FROM work ORDER BY app`)
	apps, err = collect(rows, err, func(row rowScanner) (app string, err error) {
		err = row.Scan(&app)
		return app, err
	})
	return cluster, apps, fault("store.Waiting", "Work", err)
}
