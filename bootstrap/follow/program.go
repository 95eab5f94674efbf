package follow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/checkpoint"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/join"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
)

const (
	// fetching bounds a download; one that stands still is made again.
	fetching = time.Hour
	// room is how often a program has to fit on the disk before it is fetched:
	// itself, a copy in its place, that of the old one, and what both carry as
	// files and in containerd. The program itself counts more exactly.
	room = 5
	// margin stays free beside it.
	margin = 1 << 30
)

// Program is where the server's program lies before it is installed.
func Program(r upgrade.Record) string { return filepath.Join(r.Dir, "next") }

// download has the offered program at its place, whole and synced. What an
// earlier download brought there is taken when it is the one.
func (a *Agent) download(ctx context.Context, door Door, offer join.Offer) (string, error) {
	want, path := offer.Binary, Program(a.Record)
	if sum, err := sumOf(path); err == nil && sum == want.SHA256 {
		return path, nil
	}
	if err := os.MkdirAll(a.Record.Dir, 0o700); err != nil {
		return "", err
	}
	if err := removeFiles(path, path+".part"); err != nil {
		return "", err
	}
	free, err := a.Free(a.Record.Dir)
	if err != nil {
		return "", err
	}
	if need := uint64(want.Size)*room + margin; free < need {
		return "", fmt.Errorf("%s has %d MB free, and %d MB are needed: free some", a.Record.Dir, free>>20, need>>20)
	}
	ctx, cancel := context.WithTimeout(ctx, fetching)
	defer cancel()
	if err := fetch(ctx, door, want, path); err != nil {
		return "", errors.Join(err, removeFiles(path+".part"))
	}
	return path, nil
}

// fetch writes the program beside its place and moves it there.
func fetch(ctx context.Context, door Door, want join.Binary, path string) error {
	f, err := os.OpenFile(path+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	err = door.Binary(ctx, want, f, nil)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".part", path); err != nil {
		return err
	}
	return host.SyncDir(filepath.Dir(path))
}

func sumOf(path string) (sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Close())
}

// tidy removes what following has left: the program that was fetched, and what
// was kept of the one before, to which a node goes back by following.
func (a *Agent) tidy() error {
	path := Program(a.Record)
	if err := removeFiles(path, path+".part"); err != nil {
		return err
	}
	_, err := checkpoint.Prune(a.Checkpoints, upgrade.Reason, 0)
	return err
}

func removeFiles(paths ...string) error {
	var errs []error
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
