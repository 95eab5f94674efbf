package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/checkpoint"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/bootstrap/k3s/kine"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/slipway-paas/slipway/platform/store"
)

// upgradeOf is an upgrade of this machine.
func (m *machine) upgradeOf(from, to upgrade.Version) *upgrade.Upgrade {
	p, datastore := m.paths, kine.File(m.settings.DataDir)
	u := &upgrade.Upgrade{
		Record: upgrade.Record{Dir: p.Upgrade}, Checkpoints: p.Checkpoints, From: from, To: to,
		Fixed: m.fixedItems(), Live: m.liveItems(), Clock: time.Now, Note: m.progress.Note,
		Platform: upgrade.Platform{
			Undo: func(ctx context.Context, mark int) error {
				return bootstrap.UndoSince(ctx, m.host, m.service, p.Ledger, mark, []string{p.Checkpoints, p.Upgrade}, time.Now)
			},
			Revision: func(context.Context) (int64, error) { return 0, nil },
		},
	}
	if m.settings.Role == bootstrap.RoleAgent {
		return u // the cluster's objects and the controller are elsewhere
	}
	if !m.settings.DatabaseURL.Empty() {
		u.Live = append(u.Live, checkpoint.Item{Name: databaseItem, Save: m.saveDatabase})
	}
	u.Platform.Stop = m.service.Stop
	u.Platform.Revision = func(ctx context.Context) (int64, error) { return kine.Revision(ctx, datastore) }
	u.Platform.Load = map[string]func(context.Context, string) error{databaseItem: m.loadDatabase}
	u.Platform.Advance = func(ctx context.Context, revision int64) error { return kine.Advance(ctx, datastore, revision) }
	return u
}

// databaseItem is the controller's PostgreSQL in a checkpoint.
const databaseItem = "database"

// saveDatabase writes what the controller's PostgreSQL holds to a file.
func (m *machine) saveDatabase(ctx context.Context, to string) (err error) {
	snapshot, err := store.OpenSnapshot(ctx, m.settings.DatabaseURL.Reveal())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = snapshot.Dump(ctx, f)
	return errors.Join(err, f.Close())
}

// loadDatabase brings it back, in the schema of the program that wrote it.
func (m *machine) loadDatabase(ctx context.Context, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	_, err = store.Load(ctx, m.settings.DatabaseURL.Reveal(), f, store.LoadOptions{Replace: true, KeepSchema: true})
	return errors.Join(err, f.Close())
}

// imageFolder holds the archives that k3s imports when it starts.
func imageFolder(dataDir string) string { return filepath.Join(dataDir, "agent", "images") }

// fixedItems are the installed program and what it has unpacked.
func (m *machine) fixedItems() []checkpoint.Item {
	return []checkpoint.Item{
		{Name: upgrade.BinaryItem, Path: m.paths.Binary, Link: true},
		{Name: "programs", Path: m.paths.Bin, Link: true},
		{Name: "images", Path: imageFolder(m.settings.DataDir), Link: true},
	}
}

// liveItems are what the server writes, and the settings. Repositories, volumes
// and the registry are not among them: an upgrade does not touch them, and they
// may be large. Of an agent they are only what installing writes: it runs on
// while they are taken.
func (m *machine) liveItems() []checkpoint.Item {
	p := m.paths
	items := []checkpoint.Item{{Name: "engine-settings", Path: p.K3sEtc}, {Name: "settings", Path: p.Etc}}
	if m.settings.Role != bootstrap.RoleAgent {
		items = append(items, m.serverItems()...)
	}
	for n, file := range m.service.Files() {
		items = append(items, checkpoint.Item{Name: "service-" + strconv.Itoa(n), Path: file})
	}
	return append(items, checkpoint.Item{Name: "ledger", Path: p.Ledger})
}

// serverItems are what only a server writes.
func (m *machine) serverItems() []checkpoint.Item {
	p := m.paths
	return []checkpoint.Item{
		{Name: "kubernetes", Path: filepath.Join(m.settings.DataDir, "server")},
		{Name: "node", Path: p.NodeEtc},
		{Name: "node-settings", Path: filepath.Join(m.settings.DataDir, "agent", "etc")},
		{Name: "controller", Path: p.Controller},
		{Name: "secret-key", Path: p.SecretKey},
		{Name: "certificates", Path: p.CA},
		{Name: "git-keys", Path: p.GitKeys},
	}
}

// ownVersion is this program's, with the sum of its file.
func (m *machine) ownVersion() (upgrade.Version, string, error) {
	executable, err := os.Executable()
	if err != nil {
		return upgrade.Version{}, "", err
	}
	sum, err := m.host.Hash(executable)
	return upgrade.Version{Slipway: version, Kubernetes: k3s.Version(), SHA256: sum}, executable, err
}

// versionOf asks a binary for its version.
func (m *machine) versionOf(ctx context.Context, binary string) (upgrade.Version, error) {
	var said versions
	if err := m.ask(ctx, binary, &said, "version", "-o", "json"); err != nil {
		return upgrade.Version{}, err
	}
	sum, err := m.host.Hash(binary)
	return upgrade.Version{Slipway: said.Slipway, Kubernetes: said.Kubernetes, SHA256: sum}, err
}

// imagesOf asks a binary for the images it carries.
func (m *machine) imagesOf(ctx context.Context, binary string) (images []embedded.Image, err error) {
	return images, m.ask(ctx, binary, &images, "version", "--images", "-o", "json")
}

func (m *machine) ask(ctx context.Context, binary string, into any, args ...string) error {
	out, err := m.host.Run(ctx, host.Command{Name: binary, Args: args})
	if err == nil {
		err = json.Unmarshal(out.Stdout, into)
	}
	if err != nil {
		return fmt.Errorf("ask the installed %s for its %s: %w", binary, args[0], err)
	}
	return nil
}

// errNothingKept says why there is no way back.
func errNothingKept(s upgrade.State) error {
	switch s.Phase {
	case "":
		return errors.New("this platform was never upgraded, so there is no version to go back to")
	case upgrade.RolledBack:
		return fmt.Errorf("the last upgrade, to %s, was taken back already", s.To.Slipway)
	}
	return fmt.Errorf("what was kept before the upgrade to %s is gone: it is kept for as many days as SLIPWAY_UPGRADE_KEEP says", s.To.Slipway)
}
