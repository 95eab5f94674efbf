package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// tree is a source tree as a stream.
type tree struct {
	io.Reader
	close func() error
}

// Close lets go of the files.
func (t *tree) Close() error { return t.close() }

// openTree reads a tar file as it is, and packs a folder.
func openTree(source string) (*tree, error) {
	info, err := os.Stat(source)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		file, err := os.Open(source)
		if err != nil {
			return nil, err
		}
		return &tree{file, file.Close}, nil
	}
	ignored, err := readIgnore(source)
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(pack(w, source, ignored)) }()
	return &tree{r, r.Close}, nil
}

// pack writes a folder as a compressed tar file.
func pack(w io.Writer, root string, ignored ignores) error {
	zipped := gzip.NewWriter(w)
	out := tar.NewWriter(zipped)
	err := filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, at)
		if err != nil || name == "." {
			return err
		}
		name = filepath.ToSlash(name)
		if name == ".git" || ignored.match(name, d.IsDir()) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		return packEntry(out, at, name, d)
	})
	return errors.Join(err, out.Close(), zipped.Close())
}

func packEntry(out *tar.Writer, at, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	link := ""
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		if link, err = os.Readlink(at); err != nil {
			return err
		}
	case !info.IsDir() && !info.Mode().IsRegular():
		return nil // sockets and the like are no source
	}
	h, err := tar.FileInfoHeader(info, filepath.ToSlash(link))
	if err != nil {
		return err
	}
	// Who owns the files here says nothing there.
	h.Name, h.Uid, h.Gid, h.Uname, h.Gname = name, 0, 0, "", ""
	if info.IsDir() {
		h.Name += "/"
	}
	if err := out.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	file, err := os.Open(at)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("packing %s: %w", name, err)
	}
	return nil
}

// ignores are the patterns of an ignore file, in the form of git's.
type ignores []ignore

type ignore struct {
	parts  []string // of the path, each for path.Match; "**" is any number of folders
	keep   bool     // begins with "!": not ignored after all
	folder bool     // ends with "/": folders only
}

// readIgnore reads .slipwayignore, and without it .gitignore, of a folder.
func readIgnore(root string) (ignores, error) {
	for _, name := range []string{".slipwayignore", ".gitignore"} {
		raw, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list, err := parseIgnore(string(raw))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return list, nil
	}
	return nil, nil
}

func parseIgnore(text string) (ignores, error) {
	var list ignores
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var p ignore
		if rest, ok := strings.CutPrefix(line, "!"); ok {
			line, p.keep = rest, true
		}
		line = strings.TrimPrefix(line, `\`)
		if rest, ok := strings.CutSuffix(line, "/"); ok {
			line, p.folder = rest, true
		}
		if !strings.Contains(line, "/") {
			line = "**/" + line // at any depth
		}
		p.parts = strings.Split(strings.TrimPrefix(line, "/"), "/")
		for _, part := range p.parts {
			if _, err := path.Match(part, ""); err != nil {
				return nil, fmt.Errorf("the pattern %q is broken", line)
			}
		}
		list = append(list, p)
	}
	return list, nil
}

// match reports whether a path is ignored; the last pattern that fits decides.
// What is in an ignored folder is never asked for.
func (list ignores) match(name string, folder bool) bool {
	ignored := false
	for _, p := range list {
		if (folder || !p.folder) && fitParts(p.parts, strings.Split(name, "/")) {
			ignored = !p.keep
		}
	}
	return ignored
}

func fitParts(pattern, name []string) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == "**" {
		for i := range len(name) + 1 {
			if fitParts(pattern[1:], name[i:]) {
				return true
			}
		}
		return false
	}
	if len(name) == 0 {
		return false
	}
	ok, err := path.Match(pattern[0], name[0])
	return ok && err == nil && fitParts(pattern[1:], name[1:])
}
