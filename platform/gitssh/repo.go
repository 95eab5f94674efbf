package gitssh

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/slipway-paas/slipway/platform"
)

// Names in the folder of repositories that are no app's.
const (
	hooksName   = ".hooks"
	configName  = ".config"
	scratchName = ".scratch"
	socketName  = ".hook.sock"
	newPrefix   = ".new-"
	gonePrefix  = ".gone-"
	fetchName   = ".fetch" // the Fetcher's, which tidies it itself
)

// ownerName is the file in a repository with the UUID of its app. A later app
// of the same name must not find the source of the one before.
const ownerName = "slipway-app"

// repos are the repositories on the disk. Root, or whoever runs the server,
// owns the folder; git's user owns each repository and can't rename it.
type repos struct {
	dir    string
	git    Git
	limits Limits

	mu    sync.Mutex
	gates map[string]*gate
}

// gate lets one push at a time into a repository. Cleaning gives way to it.
type gate struct {
	pushing bool
	cleaner context.CancelFunc // stops the cleaning that is under way
	cleaned chan struct{}      // closed when it has stopped
}

func (r *repos) config() string          { return filepath.Join(r.dir, configName) }
func (r *repos) path(app string) string  { return filepath.Join(r.dir, app+".git") }
func (r *repos) scratch() string         { return filepath.Join(r.dir, scratchName) }
func (r *repos) hooks() string           { return filepath.Join(r.dir, hooksName) }
func (r *repos) socket() string          { return filepath.Join(r.dir, socketName) }
func (r *repos) own(path string) error   { return r.give(path, r.git.UID) }
func (r *repos) named(app string) string { return app + ".git" }

func (r *repos) archiver() archiver {
	return archiver{git: r.git, config: r.config(), scratch: r.scratch(), limits: r.limits, free: r.free}
}

func (r *repos) give(path string, uid int) error {
	if r.git.UID == 0 {
		return nil
	}
	return os.Lchown(path, uid, r.git.UID)
}

// prepare makes the folders, writes what git reads, and removes what a killed
// server left behind. No git may be running.
func (r *repos) prepare(hook string) error {
	if err := os.MkdirAll(r.dir, 0o750); err != nil {
		return err
	}
	if err := errors.Join(r.give(r.dir, os.Getuid()), os.Chmod(r.dir, 0o750)); err != nil {
		return err
	}
	if err := r.sweep(); err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(r.scratch(), 0o700), os.Mkdir(r.hooks(), 0o755)); err != nil {
		return err
	}
	if err := os.Symlink(hook, filepath.Join(r.hooks(), HookName)); err != nil {
		return err
	}
	return os.WriteFile(r.config(), gitConfig(r.hooks(), r.limits), 0o644)
}

// sweep removes the door's own files and, from each repository, quarantined
// objects and locks of pushes that never ended.
func (r *repos) sweep() error {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		switch {
		case e.Name() == fetchName:
		case strings.HasPrefix(e.Name(), "."):
			errs = append(errs, os.RemoveAll(filepath.Join(r.dir, e.Name())))
		case e.IsDir():
			errs = append(errs, sweepRepo(filepath.Join(r.dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// sweepRepo works below a root that no link leads out of: git's user could
// have put links there.
func sweepRepo(path string) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer root.Close()
	var stale []string
	err = fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		base := filepath.Base(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case e.IsDir() && (strings.HasPrefix(base, "tmp_objdir-") || strings.HasPrefix(base, "incoming-")):
			stale = append(stale, name)
			return fs.SkipDir
		case e.IsDir() && len(base) == 2 && strings.HasPrefix(name, "objects/"):
			return fs.SkipDir // only objects
		case strings.HasSuffix(base, ".lock") || strings.HasPrefix(base, "tmp_") || name == "gc.pid":
			stale = append(stale, name)
		}
		return nil
	})
	errs := []error{err}
	for _, name := range stale {
		errs = append(errs, root.RemoveAll(name))
	}
	return errors.Join(errs...)
}

// ensure makes the repository of an app unless it is there. One of an earlier
// app of that name is thrown away. The caller has checked that a may be used.
func (r *repos) ensure(ctx context.Context, a platform.App) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	path := r.path(a.ID)
	owner, err := r.owner(a.ID)
	if err == nil && owner == a.UUID {
		return path, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if err := r.remove(a.ID); err != nil {
		return "", err
	}
	temp := filepath.Join(r.dir, newPrefix+rand.Text())
	if err := os.Mkdir(temp, 0o755); err != nil {
		return "", err
	}
	err = errors.Join(writeSynced(filepath.Join(temp, ownerName), []byte(a.UUID)), r.own(temp))
	if err == nil {
		_, err = r.git.output(ctx, r.config(), 4<<10, nil, "init", "--quiet", "--bare", "--template=", temp)
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err == nil {
		err = syncDir(r.dir)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("repository of %s: %w", a.ID, err), os.RemoveAll(temp))
	}
	return path, nil
}

// writeSynced writes a file that has its content also after a loss of power: an
// empty one would make a repository look like that of another app.
func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncDir makes renames in a folder survive a loss of power.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// owner is the UUID of the app that a repository was made for.
func (r *repos) owner(app string) (string, error) {
	root, err := os.OpenRoot(r.path(app))
	if err != nil {
		return "", err
	}
	defer root.Close()
	raw, err := root.ReadFile(ownerName)
	return string(raw), err
}

// remove takes a repository away, at once for everybody who looks.
func (r *repos) remove(app string) error {
	gone := filepath.Join(r.dir, gonePrefix+rand.Text())
	err := os.Rename(r.path(app), gone)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(gone)
}

// enter lets a push into a repository, or says no when another is there. It
// waits for cleaning to stop, which is at once.
func (r *repos) enter(app string) (leave func(), ok bool) {
	r.mu.Lock()
	g := r.gates[app]
	if g == nil {
		g = &gate{}
		r.gates[app] = g
	}
	if g.pushing {
		r.mu.Unlock()
		return nil, false
	}
	g.pushing = true
	cleaned := g.cleaned
	if g.cleaner != nil {
		g.cleaner()
	}
	r.mu.Unlock()
	if cleaned != nil {
		<-cleaned
	}
	return func() { r.leave(app) }, true
}

func (r *repos) leave(app string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gates[app].pushing = false
	r.forget(app)
}

func (r *repos) forget(app string) {
	if g := r.gates[app]; g != nil && !g.pushing && g.cleaner == nil {
		delete(r.gates, app)
	}
}

// clean packs a repository when it has become untidy, unless a push is or
// comes there.
func (r *repos) clean(ctx context.Context, app string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.mu.Lock()
	if g := r.gates[app]; g != nil {
		r.mu.Unlock()
		return nil
	}
	done := make(chan struct{})
	r.gates[app] = &gate{cleaner: cancel, cleaned: done}
	r.mu.Unlock()
	complaint := &capped{limit: 4 << 10}
	err := r.git.run(ctx, r.config(), task{
		args:   []string{"-C", r.path(app), "gc", "--auto", "--quiet"},
		stdout: complaint, stderr: complaint, nice: 19,
	})
	r.mu.Lock()
	r.gates[app].cleaner, r.gates[app].cleaned = nil, nil
	close(done)
	r.forget(app)
	r.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("cleaning the repository of %s: %w: %s", app, err, strings.TrimSpace(complaint.String()))
	}
	return nil
}

// reconcile removes the repositories of apps that are no more.
func (r *repos) reconcile(ctx context.Context, uuid func(ctx context.Context, app string) (string, error)) error {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		app, ok := strings.CutSuffix(e.Name(), ".git")
		if !ok || platform.ValidateAppID(app) != nil {
			continue
		}
		want, err := uuid(ctx, app)
		if err != nil && platform.CodeOf(err) != platform.NotFound {
			return errors.Join(append(errs, err)...) // it will be looked at again
		}
		owner, ownerErr := r.owner(app)
		if err == nil && (ownerErr != nil || owner == want) {
			continue
		}
		if leave, ok := r.enter(app); ok {
			errs = append(errs, r.remove(app))
			leave()
		}
	}
	return errors.Join(errs...)
}

// size is how many bytes a repository takes.
func (r *repos) size(app string) (int64, error) {
	var total int64
	err := filepath.WalkDir(r.path(app), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return ignoreGone(err)
		}
		info, err := e.Info()
		if err == nil {
			total += info.Size()
		}
		return ignoreGone(err)
	})
	return total, err
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// free is how many bytes the disk of the repositories has left.
func (r *repos) free() (int64, error) { return roomOn(r.dir) }

func roomOn(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("room on %s: %w", dir, err)
	}
	return int64(s.Bavail) * s.Bsize, nil
}
