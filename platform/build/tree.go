package build

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// Limits bound a source tree. Zero members take the default.
type Limits struct {
	Bytes int64 // of all files together; default 1 GiB
	Files int   // members of any kind; default 100000
}

func (l Limits) orDefault() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 1 << 30
	}
	if l.Files <= 0 {
		l.Files = 100_000
	}
	return l
}

// maxConfigFile is how long a file may be that says how to build, in bytes.
const maxConfigFile = 1 << 20

// tree is what a plan needs to know of a source tree.
type tree struct {
	members map[string]member
	read    map[string][]byte // content of files that say how to build
}

type member struct {
	kind fs.FileMode // type bits
	link string      // of a symbolic link
}

// scan reads a tar and refuses one that no honest `git archive` writes. Errors
// are Invalid and say which member is wrong and why. It keeps the content of
// files for which wanted holds.
func scan(r io.Reader, l Limits, wanted func(name string) bool) (*tree, error) {
	l = l.orDefault()
	t := &tree{members: map[string]member{}, read: map[string][]byte{}}
	in := tar.NewReader(r)
	var total int64
	for count := 1; ; count++ {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, refusef("The source tree can't be read: %v.", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue // git writes the commit there
		}
		if count > l.Files {
			return nil, refusef("The source tree has more than %d files.", l.Files)
		}
		if total += h.Size; h.Size < 0 || total > l.Bytes {
			return nil, refusef("The source tree is larger than %s.", megabytes(l.Bytes))
		}
		if err := t.add(in, h, wanted); err != nil {
			return nil, err
		}
	}
}

func (t *tree) add(in io.Reader, h *tar.Header, wanted func(string) bool) error {
	name, err := memberName(h.Name)
	if err != nil || name == "." {
		return err
	}
	m := member{}
	switch h.Typeflag {
	case tar.TypeReg:
	case tar.TypeDir:
		m.kind = fs.ModeDir
	case tar.TypeSymlink:
		m.kind, m.link = fs.ModeSymlink, h.Linkname
		if leadsOut(name, h.Linkname) {
			return refusef("The source tree's link %s leads out of the tree, to %s.", quoted(name), quoted(h.Linkname))
		}
	case tar.TypeLink:
		return refusef("The source tree has the hard link %s. Only files, folders and symbolic links can be built.", quoted(name))
	default:
		return refusef("The source tree has %s, which is a device or pipe. Only files, folders and symbolic links can be built.", quoted(name))
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if above, ok := t.members[dir]; ok && above.kind != fs.ModeDir {
			return refusef("The source tree has %s below %s, which is no folder.", quoted(name), quoted(dir))
		}
	}
	if before, ok := t.members[name]; ok && (before.kind != fs.ModeDir || m.kind != fs.ModeDir) {
		return refusef("The source tree has %s twice.", quoted(name))
	}
	t.members[name] = m
	if m.kind != 0 || !wanted(name) {
		return nil
	}
	if h.Size > maxConfigFile {
		return refusef("%s is longer than %s.", quoted(name), megabytes(maxConfigFile))
	}
	content, err := io.ReadAll(in)
	if err != nil {
		return refusef("The source tree can't be read: %v.", err)
	}
	t.read[name] = content
	return nil
}

// memberName is the clean, relative name of a tar's member.
func memberName(given string) (string, error) {
	switch {
	case strings.HasPrefix(given, "/"):
		return "", refusef("The source tree has a file with the absolute path %s.", quoted(given))
	case slices.Contains(strings.Split(given, "/"), ".."):
		return "", refusef("The source tree has the path %s, which leads out of the tree.", quoted(given))
	case strings.ContainsRune(given, 0):
		return "", refusef("The source tree has a path with a zero byte.")
	}
	name := path.Clean(given)
	if !fs.ValidPath(name) {
		return "", refusef("The source tree has the path %s, which is no valid one.", quoted(given))
	}
	return name, nil
}

// leadsOut reports whether a link of that name points out of its tree.
func leadsOut(name, link string) bool {
	if strings.HasPrefix(link, "/") {
		return true
	}
	target := path.Join(path.Dir(name), link)
	return target == ".." || strings.HasPrefix(target, "../")
}

// file reports whether name is a file, or leads to one by a link.
func (t *tree) file(name string) bool {
	_, ok := t.resolve(name)
	return ok
}

// resolve follows symbolic links to a file.
func (t *tree) resolve(name string) (string, bool) {
	const most = 10
	for range most {
		m, ok := t.members[name]
		switch {
		case !ok || m.kind == fs.ModeDir:
			return "", false
		case m.kind == 0:
			return name, true
		}
		name = path.Join(path.Dir(name), m.link)
	}
	return "", false
}

// content is what the file name holds; nil when there is none.
func (t *tree) content(name string) []byte {
	if at, ok := t.resolve(name); ok {
		return t.read[at]
	}
	return nil
}

func refusef(format string, args ...any) error {
	return platform.Errorf(platform.Invalid, format, args...)
}

// quoted shows a name out of a tree, which may hold anything.
func quoted(name string) string {
	const most = 200
	if len(name) > most {
		name = name[:most] + "…"
	}
	return fmt.Sprintf("%q", name)
}

func megabytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
