package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/backup"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/store"
)

// Drill is a restore into a scratch place, and what it has shown.
type Drill struct {
	Verified
	Restored, Checked time.Duration
	Whole             time.Duration // with verifying
	Lines             []string
}

// Driller makes drills.
type Driller struct {
	Bin     string // folder of the carried programs, for git
	Scratch string // folder with room for all data
	Note    func(string)
}

// Run restores f into a folder of its own below the scratch folder and removes
// it in the end.
func (r Driller) Run(ctx context.Context, f File) (d Drill, err error) {
	began := time.Now()
	dir, err := os.MkdirTemp(r.Scratch, "slipway-drill-")
	if err != nil {
		return d, fmt.Errorf("drill: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if d.Verified, err = f.Verify(ctx, r.Note); err != nil {
		return d, err
	}
	if err := EnoughRoom(dir, d.Trailer.Bytes); err != nil {
		return d, err
	}
	started := time.Now()
	in := &Restorer{File: f, Verified: d.Verified, Paths: scratchPaths(dir), Note: r.Note}
	if err := in.Data(ctx, filepath.Join(dir, "slipway.db")); err != nil {
		return d, err
	}
	d.Restored, started = time.Since(started), time.Now()
	r.Note("checking")
	for _, check := range []func(context.Context, string, Verified) (string, error){
		drillRecords, drillImages, r.drillGit, drillCertificates,
	} {
		line, err := check(ctx, dir, d.Verified)
		if err != nil {
			return d, fmt.Errorf("the drill of %s shows a problem: %w", f, err)
		}
		d.Lines = append(d.Lines, line)
	}
	d.Checked, d.Whole = time.Since(started), time.Since(began)
	return d, nil
}

// EnoughRoom refuses to fill a disk that others need.
func EnoughRoom(dir string, need int64) error {
	use, err := host.NewLinux(host.Options{}).Disk(dir)
	if err != nil {
		return fmt.Errorf("room in %s: %w", dir, err)
	}
	if spare := use.Free - min(use.Free, use.Total/20); uint64(max(need, 0)) > spare {
		return fmt.Errorf("%s has %d MB to spare and the data takes %d MB: give another folder, or free some", dir, spare>>20, need>>20)
	}
	return nil
}

// scratchPaths are the places of a platform below a folder.
func scratchPaths(dir string) bootstrap.Paths {
	p := bootstrap.NewPaths(bootstrap.DefaultSettings())
	p.Controller, p.CA, p.Git, p.GitKeys = dir, filepath.Join(dir, "ca"), filepath.Join(dir, "git"), filepath.Join(dir, "ssh")
	p.SecretKey, p.K3sData, p.Volumes = filepath.Join(dir, "secret.key"), filepath.Join(dir, "k3s"), filepath.Join(dir, "k3s", "storage")
	return p
}

// drillRecords opens the database as the controller would.
func drillRecords(ctx context.Context, dir string, v Verified) (_ string, err error) {
	location, key := filepath.Join(dir, "slipway.db"), v.Documents[DocumentKey]
	s, err := store.Open(ctx, location, key)
	if err != nil {
		return "", err
	}
	if err := s.Close(); err != nil {
		return "", err
	}
	snapshot, err := store.OpenSnapshot(ctx, location)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	inventory, err := snapshot.Inventory(ctx, key)
	if err != nil {
		return "", err
	}
	if !slices.Equal(inventory.Apps, v.Manifest.Apps) && len(inventory.Apps)+len(v.Manifest.Apps) > 0 {
		return "", fmt.Errorf("the records have the apps %s, and the manifest %s", strings.Join(inventory.Apps, ", "), strings.Join(v.Manifest.Apps, ", "))
	}
	return fmt.Sprintf("records of %d apps, opened with their key", len(inventory.Apps)), nil
}

// drillImages looks at every image of the manifest down to the digests of its
// layers.
func drillImages(ctx context.Context, dir string, v Verified) (string, error) {
	volume := filepath.Join(dir, "k3s", "storage", registryFolder)
	var images []backup.Image
	for _, text := range v.Manifest.Images {
		ref, err := platform.ParseImage(text)
		if err != nil {
			return "", err
		}
		images = append(images, backup.Image{Repository: ref.Repository, Tag: ref.Tag, Digest: ref.Digest})
	}
	_, missing, err := backup.Registry(volume, images)
	if err != nil {
		return "", err
	}
	if len(missing) > 0 {
		return "", fmt.Errorf("the image %s is not whole", v.Manifest.Images[missing[0]])
	}
	blobs, err := backup.CheckBlobs(ctx, volume)
	return fmt.Sprintf("%d images, %d pieces by their digests", len(images), blobs), err
}

// drillGit has git look through every repository.
func (r Driller) drillGit(ctx context.Context, dir string, _ Verified) (string, error) {
	root := filepath.Join(dir, "git")
	heads, err := filepath.Glob(filepath.Join(root, "*", "HEAD"))
	if err != nil {
		return "", err
	}
	git := embedded.Git(r.Bin)
	if _, err := os.Stat(git.Path); err != nil {
		return fmt.Sprintf("%d repositories, not looked through: git is not on this host", len(heads)), nil
	}
	h := host.NewLinux(host.Options{})
	for _, head := range heads {
		repository := filepath.Dir(head)
		// Root reads what belongs to another user; the settings say that it may.
		args := append(append([]string{}, git.Args[1:]...), "-c", "safe.directory=*", "-C", repository, "fsck", "--full", "--no-dangling")
		if _, err := h.Run(ctx, host.Command{Name: git.Path, Args: args, Env: git.Env}); err != nil {
			return "", fmt.Errorf("repository %s: %w", filepath.Base(repository), err)
		}
	}
	return fmt.Sprintf("%d repositories", len(heads)), nil
}

// drillCertificates sees that the authority is there with its key.
func drillCertificates(_ context.Context, dir string, _ Verified) (string, error) {
	names, err := os.ReadDir(filepath.Join(dir, "ca"))
	if err != nil {
		return "", fmt.Errorf("the certificate authority: %w", err)
	}
	return fmt.Sprintf("%d files of the certificate authority", len(names)), nil
}
