package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/platform/store"
)

// Mark is what a host remembers of a restore, so that it is gone on with
// and never begun twice.
type Mark struct {
	ID       string    `json:"id"` // of the backup
	File     string    `json:"file"`
	Domain   string    `json:"domain"`  // of the backup
	Cluster  string    `json:"cluster"` // that the apps ran on
	Begun    time.Time `json:"begun"`
	Records  string    `json:"records"`  // which database was empty, so that what is in it is the backup's
	Data     bool      `json:"data"`     // all of it is in its place
	Finished bool      `json:"finished"` // the platform runs
}

func markFile(p bootstrap.Paths) string { return filepath.Join(p.Controller, "restore.json") }

// ReadMark returns nil when nothing was ever restored here.
func ReadMark(p bootstrap.Paths) (*Mark, error) {
	data, err := os.ReadFile(markFile(p))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var m Mark
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		return nil, fmt.Errorf("record of a restore: %w", err)
	}
	return &m, nil
}

// Save writes the mark as a whole.
func (m Mark) Save(p bootstrap.Paths) error {
	data, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(p.Controller, 0o700); err != nil {
		return fmt.Errorf("record of a restore: %w", err)
	}
	return host.NewLinux(host.Options{}).WriteFile(markFile(p), append(data, '\n'), 0o600)
}

// Marked is Data with a mark of how far it has come. One that was cut off goes
// on: a database that was empty when the restore began has nobody else's records.
// Another one, which somebody has named meanwhile, may have.
func (r *Restorer) Marked(ctx context.Context, database string) error {
	m, err := ReadMark(r.Paths)
	if err != nil {
		return err
	}
	if m == nil {
		m = &Mark{ID: r.Verified.Manifest.Header.ID, File: r.File.String(), Domain: r.Verified.Manifest.Domain, Begun: time.Now().UTC()}
	}
	if err := m.Save(r.Paths); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(database)) // it may hold a password
	which := hex.EncodeToString(sum[:])
	load := store.LoadOptions{Moved: true, Replace: m.Records == which, Begin: func() error {
		m.Records = which
		return m.Save(r.Paths)
	}}
	if err := r.data(ctx, database, load); err != nil {
		return err
	}
	if m.Cluster, _, err = Waiting(ctx, database); err != nil {
		return err
	}
	m.Data = true
	return m.Save(r.Paths)
}

// Waiting looks which apps still have work to be done.
func Waiting(ctx context.Context, location string) (cluster string, apps []string, err error) {
	s, err := store.OpenSnapshot(ctx, location)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Waiting(ctx)
}
