package archive

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/backup"
	"github.com/slipway-paas/slipway/bootstrap/secrets"
	"github.com/slipway-paas/slipway/charts"
	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/store"
)

// The sections of a backup that are not trees, and their documents.
const (
	sectionSettings = "settings"
	sectionState    = "state"
	sectionDatabase = "database"

	DocumentConfig      = sectionSettings + "/config.yaml"
	DocumentCredentials = sectionSettings + "/credentials"
	DocumentKey         = sectionState + "/secret.key"
	documentSecrets     = sectionState + "/secrets.json"
)

// The platform's own volumes, by the names of their folders.
const (
	registryFolder = charts.PlatformNamespace + "_registry"
	metricsFolder  = charts.PlatformNamespace + "_victoria-metrics"
	builderFolder  = charts.PlatformNamespace + "_builder-cache"
)

// DatabaseLocation is where the controller's records are.
func DatabaseLocation(s bootstrap.Settings, p bootstrap.Paths) string {
	if url := s.DatabaseURL.Reveal(); url != "" {
		return url
	}
	return filepath.Join(p.Controller, "slipway.db")
}

// NodeVolume is a volume of the cluster that a claim has.
type NodeVolume struct {
	Claim string // as in the name of its folder: "<namespace>_<claim>"
	Path  string // on its node; empty when it is no folder of a node
	Node  string // empty: any
	OfApp bool   // made by the controller, which knows its type
}

func secretsFile(p bootstrap.Paths) string { return filepath.Join(p.Controller, "secrets.json") }

// Maker makes backups of the platform on this host.
type Maker struct {
	Settings   bootstrap.Settings
	Paths      bootstrap.Paths
	Node       string // name of this node
	Version    string // of slipway
	Kubernetes string // version
	Recipients []age.Recipient
	Metrics    bool // with the monitoring's data
	Partial    bool // without the volumes of other nodes
	Volumes    func(ctx context.Context) ([]NodeVolume, error)
	Note       func(string)
	Now        func() time.Time
}

// Made is a backup that was made.
type Made struct {
	Name     string
	Manifest backup.Manifest
	Trailer  backup.Trailer
	Size     int64
	Took     time.Duration
	Warnings []string
}

// plan is what goes into one backup.
type plan struct {
	key      []byte
	snapshot *store.Snapshot
	manifest backup.Manifest
	trees    []backup.Tree
	warnings []string
}

// Make writes one backup into a place; an empty name is filled in. A backup
// that fails leaves nothing there.
func (m *Maker) Make(ctx context.Context, place backup.Place, name string) (out Made, err error) {
	began := m.Now()
	p, err := m.prepare(ctx)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if name == "" {
		name = backup.FileName(p.manifest.Header)
	}
	sink, err := place.Create(ctx, name, p.manifest.Bytes)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, sink.Abort()) }()
	counted := &countingWriter{to: sink}
	w, err := backup.NewWriter(counted, backup.WriterOptions{
		Manifest: p.manifest, Recipients: m.Recipients, Counted: m.progress("written", p.manifest.Bytes),
	})
	if err != nil {
		return out, err
	}
	if err := m.write(ctx, w, p); err != nil {
		return out, err
	}
	out = Made{Name: name, Manifest: p.manifest, Warnings: p.warnings}
	if out.Trailer, err = w.Close(); err != nil {
		return out, err
	}
	if err := sink.Commit(); err != nil {
		return out, err
	}
	out.Warnings = append(out.Warnings, out.Trailer.Notes...)
	out.Size, out.Took = counted.bytes, m.Now().Sub(began)
	return out, nil
}

// progress notes how far a number of bytes has come.
func (m *Maker) progress(what string, all int64) func(int64) { return byteProgress(m.Note, what, all) }

// byteProgress tells note after each full percent, or megabyte of little.
func byteProgress(note func(string), what string, all int64) func(int64) {
	var done, told int64
	step := max(all/100, 1<<20)
	return func(n int64) {
		if done += n; done-told >= step {
			told = done
			note(fmt.Sprintf("%d of %d MB %s", done>>20, max(all, done)>>20, what))
		}
	}
}

// countingWriter counts what goes to a sink.
type countingWriter struct {
	to    backup.Sink
	bytes int64
}

// Write implements io.Writer.
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.bytes += int64(n)
	return n, err
}

func (p *plan) close() error {
	if p.snapshot == nil {
		return nil
	}
	s := p.snapshot
	p.snapshot = nil
	return s.Close()
}

// prepare finds out what there is to back up. The state of the records from then
// on is what the backup has; everything they name is read after it.
func (m *Maker) prepare(ctx context.Context) (_ *plan, err error) {
	p := &plan{}
	if p.key, err = os.ReadFile(m.Paths.SecretKey); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no platform on this host to back up (%s is not there): run it on the server that has it", m.Paths.SecretKey)
	} else if err != nil {
		return nil, err
	}
	p.snapshot, err = store.OpenSnapshot(ctx, DatabaseLocation(m.Settings, m.Paths))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the controller's records are not on this host: run it on the server that has them: %w", err)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	inventory, err := p.snapshot.Inventory(ctx, p.key)
	if err != nil {
		return nil, err
	}
	p.manifest = m.manifest(p.key, inventory)
	if err := m.findElsewhere(ctx, p, inventory); err != nil {
		return nil, err
	}
	if err := m.findTrees(p, inventory); err != nil {
		return nil, err
	}
	for _, t := range p.trees {
		bytes, err := t.Measure(ctx)
		if err != nil {
			return nil, err
		}
		p.manifest.Bytes += bytes
	}
	return p, nil
}

// PlatformID is the same in all backups of an installation.
func PlatformID(key []byte) string { return secrets.Derive(key, "backup")[:16] }

func (m *Maker) manifest(key []byte, i store.Inventory) backup.Manifest {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never returns an error
	database := "sqlite"
	if !m.Settings.DatabaseURL.Empty() {
		database = "postgres"
	}
	return backup.Manifest{
		Header: backup.Header{
			ID: hex.EncodeToString(id), Platform: PlatformID(key),
			Created: m.Now().UTC().Truncate(time.Second), Version: m.Version,
		},
		Kubernetes: m.Kubernetes, Domain: m.Settings.Domain, Node: m.Node, Database: database,
		Apps: i.Apps, Metrics: m.Metrics,
	}
}

// findTrees lists the folders in the order in which they are written.
func (m *Maker) findTrees(p *plan, i store.Inventory) error {
	p.trees = []backup.Tree{{Name: "ca", Path: m.Paths.CA}, {Name: "ssh", Path: m.Paths.GitKeys}, {Name: "git", Path: m.Paths.Git}}
	registry, err := m.findImages(p, i.Images)
	if err != nil {
		return err
	}
	p.trees = append(p.trees, registry)
	entries, err := os.ReadDir(m.Paths.Volumes)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for volumes: %w", err)
	}
	for _, e := range entries { // sorted by name
		switch e.Name() {
		case registryFolder, metricsFolder, builderFolder:
		default:
			if e.IsDir() {
				p.trees = append(p.trees, backup.Tree{Name: "volumes/" + e.Name(), Path: filepath.Join(m.Paths.Volumes, e.Name())})
			}
		}
	}
	if m.Metrics {
		p.trees = append(p.trees, backup.Tree{Name: "metrics", Path: filepath.Join(m.Paths.Volumes, metricsFolder)})
	}
	return nil
}

// findImages picks the images of releases that are in the platform's registry.
func (m *Maker) findImages(p *plan, references []string) (backup.Tree, error) {
	hosts := []string{"registry." + m.Settings.Domain}
	for _, d := range m.Settings.FormerDomains {
		hosts = append(hosts, "registry."+d)
	}
	var images []backup.Image
	var names []string
	for _, text := range references {
		ref, err := platform.ParseImage(text)
		if err != nil || !slices.Contains(hosts, ref.Registry) {
			continue // of another registry, which keeps it
		}
		images = append(images, backup.Image{Repository: ref.Repository, Tag: ref.Tag, Digest: ref.Digest})
		names = append(names, text)
	}
	volume := filepath.Join(m.Paths.Volumes, registryFolder)
	include, missing, err := backup.Registry(volume, images)
	if err != nil {
		return backup.Tree{}, err
	}
	for i, name := range names {
		if slices.Contains(missing, i) {
			p.manifest.Missing = append(p.manifest.Missing, name)
			p.warnings = append(p.warnings, fmt.Sprintf("the image %s of an old release is not in the registry any more: it can't be rolled back to", name))
			continue
		}
		p.manifest.Images = append(p.manifest.Images, name)
	}
	return backup.Tree{Name: "registry", Path: volume, Include: include}, nil
}

// write writes documents, records and trees. The database is let go of as soon
// as it is written.
func (m *Maker) write(ctx context.Context, w *backup.Writer, p *plan) error {
	for _, d := range []struct{ name, path string }{
		{DocumentConfig, m.Paths.Config}, {DocumentCredentials, m.Paths.Credentials},
		{DocumentKey, m.Paths.SecretKey}, {documentSecrets, secretsFile(m.Paths)},
	} {
		data, err := os.ReadFile(d.path)
		if err != nil {
			return fmt.Errorf("back up: %w", err)
		}
		if err := w.Bytes(d.name, data); err != nil {
			return err
		}
	}
	m.Note("records")
	stream := w.Stream(sectionDatabase)
	if _, err := p.snapshot.Dump(ctx, stream); err != nil {
		return err
	}
	if err := errors.Join(stream.Close(), p.close()); err != nil {
		return err
	}
	for _, t := range p.trees {
		if _, err := w.Tree(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// findElsewhere looks for volumes whose data is not on this host. Those of
// other nodes are refused, unless a backup without them is asked for; those of
// file servers and buckets are theirs to back up.
func (m *Maker) findElsewhere(ctx context.Context, p *plan, i store.Inventory) error {
	for _, v := range i.Volumes {
		if v.Type != platform.VolumeCSI {
			p.manifest.Elsewhere = append(p.manifest.Elsewhere, fmt.Sprintf("%s/%s (%s)", v.App, v.Name, v.Type))
		}
	}
	volumes, err := m.Volumes(ctx)
	if err != nil {
		p.warnings = append(p.warnings, fmt.Sprintf("Kubernetes does not answer (%v): all folders of volumes on this host are taken, and whether other nodes have some is not known", err))
		return nil
	}
	var others []string
	for _, v := range volumes {
		if v.Claim == builderFolder || v.Claim == metricsFolder && !m.Metrics {
			continue
		}
		where := ""
		switch {
		case v.Path == "" && !v.OfApp:
			where = "not a folder of a node"
		case v.Path == "":
			continue // by its type, above
		case v.Node != "" && v.Node != p.manifest.Node:
			where = "node " + v.Node
			others = append(others, v.Claim+" on "+where)
		case !strings.HasPrefix(v.Path, m.Paths.Volumes+"/"):
			where = v.Path
		default:
			continue
		}
		p.manifest.Elsewhere = append(p.manifest.Elsewhere, fmt.Sprintf("%s (%s)", v.Claim, where))
	}
	if len(others) > 0 && !m.Partial {
		return fmt.Errorf("the data of some volumes is on other nodes, and a backup reads this host's only: %s. Nothing was written. Move the apps here, or give --without-other-nodes for a backup that lacks those",
			strings.Join(others, ", "))
	}
	for _, e := range p.manifest.Elsewhere {
		p.warnings = append(p.warnings, "the data of volume "+e+" is not in the backup")
	}
	return nil
}
