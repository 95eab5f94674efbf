package archive

import (
	"context"
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

// Waiting looks which apps still have work to be done.
func Waiting(ctx context.Context, location string) (cluster string, apps []string, err error) {
	s, err := store.OpenSnapshot(ctx, location)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Waiting(ctx)
}
