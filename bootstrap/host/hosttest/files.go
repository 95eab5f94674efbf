package hosttest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

func absent(op, p string) error { return &fs.PathError{Op: op, Path: p, Err: fs.ErrNotExist} }

// resolve follows symlinks of the last component.
func (f *Fake) resolve(p string) string {
	for range 8 {
		n, ok := f.Nodes[p]
		if !ok || n.Kind != host.KindSymlink {
			return p
		}
		if path.IsAbs(n.Target) {
			p = n.Target
		} else {
			p = path.Join(path.Dir(p), n.Target)
		}
	}
	return p
}

// ReadFile implements host.Files.
func (f *Fake) ReadFile(p string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.look("read %s", p); err != nil {
		return nil, err
	}
	n, ok := f.Nodes[f.resolve(p)]
	if !ok || n.Kind != host.KindFile {
		return nil, absent("read", p)
	}
	return []byte(n.Data), nil
}

// ReadStart implements host.Files.
func (f *Fake) ReadStart(p string, n int) ([]byte, error) {
	data, err := f.ReadFile(p)
	return data[:min(n, len(data))], err
}

// Stat implements host.Files.
func (f *Fake) Stat(p string) (host.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.look("stat %s", p); err != nil {
		return host.FileInfo{}, err
	}
	n, ok := f.Nodes[p]
	if !ok {
		return host.FileInfo{}, absent("stat", p)
	}
	return host.FileInfo{Path: p, Kind: n.Kind, Perm: fs.FileMode(n.Perm), Size: int64(len(n.Data)), Target: n.Target}, nil
}

// List implements host.Files.
func (f *Fake) List(dir string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.look("list %s", dir); err != nil {
		return nil, err
	}
	if _, ok := f.Nodes[dir]; !ok {
		return nil, absent("list", dir)
	}
	var names []string
	for p := range f.Nodes {
		if p != "/" && path.Dir(p) == dir {
			names = append(names, path.Base(p))
		}
	}
	sort.Strings(names)
	return names, nil
}

// Hash implements host.Files.
func (f *Fake) Hash(p string) (string, error) {
	data, err := f.ReadFile(p)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// parent checks that the directory of p is there.
func (f *Fake) parent(op, p string) error {
	if n, ok := f.Nodes[path.Dir(p)]; !ok || n.Kind != host.KindDir {
		return absent(op, p)
	}
	return nil
}

// WriteFile implements host.Files.
func (f *Fake) WriteFile(p string, data []byte, perm fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.parent("write", p); err != nil {
		return err
	}
	if f.Nodes[p].Kind == host.KindDir {
		return &fs.PathError{Op: "write", Path: p, Err: fs.ErrExist}
	}
	if err := f.change("write %s", p); err != nil {
		return err
	}
	f.Nodes[p] = Node{Kind: host.KindFile, Data: string(data), Perm: uint32(perm)}
	return nil
}

// CopyFile implements host.Files.
func (f *Fake) CopyFile(src, dst string, perm fs.FileMode) error {
	data, err := f.ReadFile(src)
	if err != nil {
		return err
	}
	return f.WriteFile(dst, data, perm)
}

// Append implements host.Files.
func (f *Fake) Append(p string, data []byte, perm fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.parent("append", p); err != nil {
		return err
	}
	n, ok := f.Nodes[p]
	if !ok {
		n = Node{Kind: host.KindFile, Perm: uint32(perm)}
	}
	if err := f.change("append %s", p); err != nil {
		if f.Torn && f.DieAt >= 0 && len(f.changes) == f.DieAt {
			n.Data += string(data[:len(data)/2])
			f.Nodes[p] = n
			f.Torn = false
		}
		return err
	}
	n.Data += string(data)
	f.Nodes[p] = n
	return nil
}

// Mkdir implements host.Files.
func (f *Fake) Mkdir(p string, perm fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.Nodes[p]; ok {
		return &fs.PathError{Op: "mkdir", Path: p, Err: fs.ErrExist}
	}
	if err := f.parent("mkdir", p); err != nil {
		return err
	}
	if err := f.change("mkdir %s", p); err != nil {
		return err
	}
	f.Nodes[p] = Node{Kind: host.KindDir, Perm: uint32(perm)}
	return nil
}

// Symlink implements host.Files.
func (f *Fake) Symlink(target, p string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n, ok := f.Nodes[p]; ok && n.Kind != host.KindSymlink {
		return &fs.PathError{Op: "symlink", Path: p, Err: fs.ErrExist}
	}
	if err := f.parent("symlink", p); err != nil {
		return err
	}
	if err := f.change("symlink %s", p); err != nil {
		return err
	}
	f.Nodes[p] = Node{Kind: host.KindSymlink, Target: target, Perm: 0o777}
	return nil
}

// Remove implements host.Files.
func (f *Fake) Remove(p string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.Nodes[p]; !ok {
		return f.look("remove %s", p)
	}
	for q := range f.Nodes {
		if q != p && host.Below(q, p) {
			return &fs.PathError{Op: "remove", Path: p, Err: fs.ErrExist}
		}
	}
	if err := f.change("remove %s", p); err != nil {
		return err
	}
	delete(f.Nodes, p)
	return nil
}

// RemoveTree implements host.Files.
func (f *Fake) RemoveTree(p string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.MountList {
		if host.Below(m.Point, p) {
			return fmt.Errorf("remove %s: %w: %s", p, host.ErrMounted, m.Point)
		}
	}
	if _, ok := f.Nodes[p]; !ok {
		return f.look("remove tree %s", p)
	}
	if err := f.change("remove tree %s", p); err != nil {
		return err
	}
	for q := range f.Nodes {
		if host.Below(q, p) {
			delete(f.Nodes, q)
		}
	}
	return nil
}

// Lock implements host.Files. It is not a change: nothing of it stays.
func (f *Fake) Lock(p string) (func() error, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.look("lock %s", p); err != nil {
		return nil, err
	}
	if f.locks[p] {
		return nil, fmt.Errorf("lock %s: %w", p, host.ErrLocked)
	}
	f.locks[p] = true
	return func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.locks, p)
		return nil
	}, nil
}

// Disk implements host.Files.
func (f *Fake) Disk(p string) (host.Disk, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	best, size := f.Disks["/"], 0
	for dir, d := range f.Disks {
		if host.Below(p, dir) && len(dir) > size && dir != "/" {
			best, size = d, len(dir)
		}
	}
	return best, f.look("disk %s", p)
}

// Snapshot copies the files, so that two states can be compared.
func (f *Fake) Snapshot() map[string]Node {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make(map[string]Node, len(f.Nodes))
	for p, n := range f.Nodes {
		all[p] = n
	}
	return all
}

// Match lists the paths below dir that hold text, for leak tests.
func (f *Fake) Match(dir, text string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []string
	for p, n := range f.Nodes {
		if n.Kind == host.KindFile && host.Below(p, dir) && strings.Contains(n.Data, text) {
			found = append(found, p)
		}
	}
	sort.Strings(found)
	return found
}
