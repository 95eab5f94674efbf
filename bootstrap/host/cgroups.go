package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroupDir is where control groups are mounted.
const cgroupDir = "/sys/fs/cgroup"

// Cgroups implements Cgroups.
func (l *Linux) Cgroups(names []string) ([]string, error) {
	var found []string
	for _, top := range l.hierarchies() {
		for _, name := range names {
			matches, err := filepath.Glob(l.path(filepath.Join(top, name)))
			if err != nil {
				return nil, fmt.Errorf("control groups %q: %w", name, err)
			}
			for _, m := range matches {
				if err := l.walkCgroup(m, &found); err != nil {
					return nil, err
				}
			}
		}
	}
	sort.SliceStable(found, func(i, j int) bool {
		return strings.Count(found[i], "/") > strings.Count(found[j], "/")
	})
	return found, nil
}

// hierarchies are the unified mount on version 2, or each controller's folder
// on version 1. The symlinks that v1 keeps for joined controllers are skipped.
func (l *Linux) hierarchies() []string {
	if _, err := l.Stat(cgroupDir + "/cgroup.controllers"); err == nil {
		return []string{cgroupDir}
	}
	names, err := l.List(cgroupDir)
	if err != nil {
		return nil
	}
	var tops []string
	for _, name := range names {
		top := filepath.Join(cgroupDir, name)
		if info, err := l.Stat(top); err == nil && info.Kind == KindDir {
			tops = append(tops, top)
		}
	}
	return tops
}

// walkCgroup adds a group and those below it.
func (l *Linux) walkCgroup(full string, found *[]string) error {
	err := filepath.WalkDir(full, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed while we walked
		}
		if err != nil {
			return err
		}
		if d.IsDir() {
			*found = append(*found, l.unroot(path))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("control group %s: %w", l.unroot(full), err)
	}
	return nil
}

// unroot undoes path.
func (l *Linux) unroot(full string) string {
	if l.root == "/" {
		return full
	}
	return strings.TrimPrefix(full, l.root)
}

// RemoveCgroup implements Cgroups.
func (l *Linux) RemoveCgroup(path string) error {
	if !Below(path, cgroupDir) || path == cgroupDir {
		return fmt.Errorf("remove control group %s: not below %s", path, cgroupDir)
	}
	// os.Remove would try unlink first, which some kernels answer with EPERM.
	err := unix.Rmdir(l.path(path))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove control group %s: %w", path, err)
	}
	return nil
}
