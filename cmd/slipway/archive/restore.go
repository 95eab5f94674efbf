package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/backup"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/platform/store"
)

// Restorer puts the data of a verified backup into the places of a platform.
type Restorer struct {
	File     File
	Verified Verified
	Paths    bootstrap.Paths
	Note     func(string)
	Warnings []string // afterwards: what this host does not take
}

// Data reads the backup once more and restores everything in it. database is
// where the records go: a URL of PostgreSQL, or a path. The places are made
// empty first: a try before may have been cut off.
func (r *Restorer) Data(ctx context.Context, database string) error {
	return r.data(ctx, database, store.LoadOptions{Moved: true})
}

func (r *Restorer) data(ctx context.Context, database string, o store.LoadOptions) error {
	if err := r.clear(database); err != nil {
		return err
	}
	load, err := r.beginLoad(ctx, database, o)
	if err != nil {
		return err
	}
	x := &backup.Extractor{Place: r.place}
	reader, _, err := r.File.read(ctx, r.Note, "restored", func(e *backup.Entry) error {
		if e.Section() == sectionDatabase {
			_, err := io.Copy(load, e)
			return err
		}
		_, err := x.Put(e)
		return err
	})
	err = errors.Join(err, x.Close())
	if err == nil {
		err = r.Verified.same(reader)
	}
	if err := load.end(err); err != nil {
		return err
	}
	r.Warnings = x.Warnings
	h := host.NewLinux(host.Options{})
	return errors.Join(
		h.WriteFile(r.Paths.SecretKey, r.Verified.Documents[DocumentKey], 0o600),
		h.WriteFile(filepath.Join(r.Paths.Controller, "secrets.json"), r.Verified.Documents[documentSecrets], 0o600))
}

// place is where a section's folder goes.
func (r *Restorer) place(section string) (string, bool) {
	switch section {
	case "ca":
		return r.Paths.CA, true
	case "ssh":
		return r.Paths.GitKeys, true
	case "git":
		return r.Paths.Git, true
	case "registry":
		return filepath.Join(r.Paths.Volumes, registryFolder), true
	case "metrics":
		return filepath.Join(r.Paths.Volumes, metricsFolder), true
	}
	name, ok := strings.CutPrefix(section, "volumes/")
	return filepath.Join(r.Paths.Volumes, name), ok && name != "" && name != "." && name != ".."
}

// clear removes what an earlier try left.
func (r *Restorer) clear(database string) error {
	volumes, err := VolumeFolders(r.Paths)
	if err != nil {
		return err
	}
	for _, dir := range append(volumes, r.Paths.CA, r.Paths.GitKeys, r.Paths.Git) {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	if !strings.Contains(database, "://") {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			for _, file := range []string{database, database + loadingSuffix} {
				if err := os.RemoveAll(file + suffix); err != nil {
					return fmt.Errorf("restore: %w", err)
				}
			}
		}
	}
	if err := os.MkdirAll(r.Paths.K3sData, 0o755); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	for _, dir := range []string{r.Paths.Controller, r.Paths.Volumes} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	return nil
}

// VolumeFolders lists the folders of volumes on this host. They are told from
// what else may be there, such as the lost+found of a disk, by the underscore
// that no name of Kubernetes has.
func VolumeFolders(p bootstrap.Paths) ([]string, error) {
	list, err := filepath.Glob(filepath.Join(p.Volumes, "*_*"))
	if err != nil {
		return nil, fmt.Errorf("look for volumes: %w", err)
	}
	return list, nil
}

// loadingSuffix is of an SQLite file that is not complete yet.
const loadingSuffix = ".restoring"

// dbLoad loads the records while their pieces are read.
type dbLoad struct {
	*io.PipeWriter
	done chan error
	path string // of the finished SQLite file; empty with PostgreSQL
}

func (r *Restorer) beginLoad(ctx context.Context, database string, o store.LoadOptions) (*dbLoad, error) {
	in, out := io.Pipe()
	l := &dbLoad{PipeWriter: out, done: make(chan error, 1)}
	target := database
	if !strings.Contains(database, "://") {
		l.path, target = database, database+loadingSuffix
	}
	go func() {
		_, err := store.Load(ctx, target, in, o)
		if errors.Is(err, store.ErrNotEmpty) {
			err = errors.New("the database of DATABASE_URL has records already, and they may be somebody's: give an empty one by DATABASE_URL in the environment, or drop its tables")
		}
		in.CloseWithError(err) // nil: what follows the end is read as one
		l.done <- err
	}()
	return l, nil
}

// end waits for the records; problem is why there are no more of them.
func (l *dbLoad) end(problem error) error {
	if problem != nil {
		_ = l.CloseWithError(problem) // always nil
		loaded := <-l.done
		if errors.Is(loaded, problem) {
			return problem
		}
		return errors.Join(problem, loaded)
	}
	if err := errors.Join(l.Close(), <-l.done); err != nil {
		return err
	}
	if l.path == "" {
		return nil
	}
	folder, err := os.Open(filepath.Dir(l.path))
	if err != nil {
		return fmt.Errorf("restore the records: %w", err)
	}
	err = os.Rename(l.path+loadingSuffix, l.path)
	if err = errors.Join(err, folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("restore the records: %w", err)
	}
	return nil
}
