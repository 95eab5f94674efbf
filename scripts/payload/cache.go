package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-paas/slipway/embedded"
)

const (
	entryFile    = "entry.json"
	scratchStem  = ".building-"
	scratchGrace = time.Minute // a folder this young may be about to be locked
)

// inputs is everything a component's bytes depend on.
type inputs struct {
	RecipeVersion int
	Recipe        recipe
	Version       string
	Source        string
	Arch          string
	Go            string
	Cgo           string
	Compression   string
	Files         map[string]string // sha256 of each file below embedded/src/<name>
	Debian        map[string]string // package versions
}

// inputs collects the inputs of a recipe.
func (b *builder) inputs(ctx context.Context, r recipe) (inputs, error) {
	in := inputs{
		RecipeVersion: recipeVersion, Recipe: r, Arch: b.arch, Compression: compression,
		Files: map[string]string{}, Debian: map[string]string{},
	}
	for _, name := range r.Debian {
		version, ok := b.debian.Packages[name]
		if !ok {
			return in, fmt.Errorf("%s pins no version of %s", debianPins, name)
		}
		in.Debian[name] = version
	}
	if len(r.Programs) == 0 {
		version := in.Debian[r.Debian[0]]
		in.Version = upstreamVersion(version)
		in.Source = "debian/" + b.debian.Suite + "/" + r.Debian[0] + "=" + version
		return in, nil
	}
	in.Go = b.host.Go
	var err error
	if in.Version, in.Source, err = b.moduleVersion(ctx, r); err != nil {
		return in, err
	}
	if r.Cgo {
		if in.Cgo, err = b.cgoTools(ctx); err != nil {
			return in, err
		}
	}
	if r.Packs {
		if in.Cgo, err = b.output(ctx, b.src, b.crossPrefix()+"strip", "--version"); err != nil {
			return in, fmt.Errorf("%w: install binutils", err)
		}
	}
	return in, in.addFiles(filepath.Join(b.src, r.Name))
}

// addFiles adds all files of a component's folder but its tests.
func (in *inputs) addFiles(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		in.Files[name], _, err = sumFile(path)
		return err
	})
}

// key is the name the inputs give to the result.
func (in inputs) key() (string, error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:12]), nil
}

// entry is one finished component: what it adds to the manifest, and the
// folder that holds its members.
type entry struct {
	Name     string            `json:"name"`
	Version  string            `json:"version"`
	Images   []embedded.Image  `json:"images"`
	Packs    []embedded.Image  `json:"packs,omitempty"`
	Binaries []embedded.Binary `json:"binaries"`
	Members  []embedded.Member `json:"members"`
	dir      string
}

func (e entry) size() int64 {
	var total int64
	for _, m := range e.Members {
		total += m.Size
	}
	return total
}

// cache keeps finished entries, each in a folder <name>-<key>.
type cache struct{ root string }

func openCache() (cache, error) {
	base := os.Getenv("XDG_CACHE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return cache{}, fmt.Errorf("payload: cache: set XDG_CACHE_HOME or HOME: %w", err)
		}
		base = filepath.Join(home, ".cache")
	}
	root := filepath.Join(base, "slipway", "payload")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return cache{}, fmt.Errorf("payload: cache: %w", err)
	}
	c := cache{root: root}
	return c, c.sweep()
}

// sweep removes the scratch folders of runs that were killed: those that no
// process holds locked.
func (c cache) sweep() error {
	found, err := filepath.Glob(filepath.Join(c.root, scratchStem+"*"))
	if err != nil {
		return err
	}
	for _, dir := range found {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < scratchGrace {
			continue
		}
		lock, err := lockDir(dir)
		if err != nil {
			continue
		}
		if err := errors.Join(os.RemoveAll(dir), lock.Close()); err != nil {
			return fmt.Errorf("payload: cache: %w", err)
		}
	}
	return nil
}

// lockDir locks a folder until the file it gives is closed or the process
// ends; it fails if another holds the lock.
func lockDir(dir string) (*os.File, error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// get finds an entry. One whose members are not all there with their sizes is
// removed and counts as absent.
func (c cache) get(name, key string) (entry, bool) {
	dir := c.dir(name, key)
	raw, err := os.ReadFile(filepath.Join(dir, entryFile))
	if err != nil {
		return entry{}, false
	}
	e := entry{}
	whole := json.Unmarshal(raw, &e) == nil
	for _, m := range e.Members {
		info, err := os.Stat(filepath.Join(dir, m.File))
		whole = whole && err == nil && info.Size() == m.Size
	}
	if !whole {
		return entry{}, false
	}
	e.dir = dir
	return e, true
}

func (c cache) dir(name, key string) string { return filepath.Join(c.root, name+"-"+key) }

// scratch makes a folder to build in, on the cache's own disk, and gives what
// removes it.
func (c cache) scratch(name string) (string, func(), error) {
	dir, err := os.MkdirTemp(c.root, scratchStem+name+"-")
	if err != nil {
		return "", nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, func() {
		// What stays is swept by a later run.
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	}, nil
}

// put keeps what was built in scratch/out as an entry. The folder takes its
// name when it is complete, so a killed build leaves no entry.
func (c cache) put(name, key, scratch string, e entry) (entry, error) {
	raw, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return e, err
	}
	out := filepath.Join(scratch, "out")
	if err := os.WriteFile(filepath.Join(out, entryFile), append(raw, '\n'), 0o644); err != nil {
		return e, err
	}
	e.dir = c.dir(name, key)
	// A damaged entry, or one that another run has finished meanwhile.
	if err := os.RemoveAll(e.dir); err != nil {
		return e, err
	}
	return e, os.Rename(out, e.dir)
}

// prune removes all entries but those given.
func (c cache) prune(keep []entry) error {
	kept := map[string]bool{}
	for _, e := range keep {
		kept[filepath.Base(e.dir)] = true
	}
	found, err := os.ReadDir(c.root)
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range found {
		if !kept[d.Name()] && !strings.HasPrefix(d.Name(), scratchStem) {
			errs = append(errs, os.RemoveAll(filepath.Join(c.root, d.Name())))
		}
	}
	return errors.Join(errs...)
}

// sumFile gives a file's sha256 in hex and its size.
func sumFile(name string) (string, int64, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	return hex.EncodeToString(sum.Sum(nil)), n, err
}
