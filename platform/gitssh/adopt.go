package gitssh

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// adopt gives the repository the objects of a push that was deployed, before
// git does: when the client goes away git throws its quarantine away, but what
// runs has to stay. Git finds them there and is content. Objects that nothing
// refers to in the end go when the repository is cleaned.
func (r *repos) adopt(app, quarantined string) error {
	if quarantined == "" {
		return nil
	}
	// No link leads out of it: git's user could have put links there.
	root, err := os.OpenRoot(r.path(app))
	if err != nil {
		return err
	}
	defer root.Close()
	from := path.Join("objects", filepath.Base(quarantined))
	var names []string
	err = fs.WalkDir(root.FS(), from, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			names = append(names, strings.TrimPrefix(name, from+"/"))
		}
		return err
	})
	// An index says that its pack is there, so it comes last.
	slices.SortStableFunc(names, func(a, b string) int { return last(a) - last(b) })
	for _, name := range names {
		dir := path.Join("objects", path.Dir(name))
		if made := root.Mkdir(dir, 0o755); made == nil {
			err = errors.Join(err, root.Lchown(dir, r.owned(), r.owned()))
		} else if !errors.Is(made, fs.ErrExist) {
			err = errors.Join(err, made)
		}
		if linked := root.Link(path.Join(from, name), path.Join("objects", name)); !errors.Is(linked, fs.ErrExist) {
			err = errors.Join(err, linked)
		}
	}
	return err
}

func last(name string) int {
	if strings.HasSuffix(name, ".idx") {
		return 1
	}
	return 0
}

// owned is the owner of what is in repositories; -1 leaves it.
func (r *repos) owned() int {
	if r.git.UID == 0 {
		return -1
	}
	return r.git.UID
}
