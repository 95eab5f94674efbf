package main

import (
	"archive/tar"
	"context"
	"io"
	gofs "io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tonistiigi/fsutil"
)

func treeOf(t *testing.T, headers ...tar.Header) (*tree, error) {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	w := tar.NewWriter(f)
	for _, h := range headers {
		h.Size = int64(len(h.Name))
		if h.Typeflag != tar.TypeReg {
			h.Size = 0
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := io.WriteString(w, h.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	return readTree(f)
}

func file(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644} }

func TestTreeIsWalkedInOrder(t *testing.T) {
	tr, err := treeOf(t, file("b/c"), file("a.txt"), file("a/z"), file("a/b/c"), file("a-b"),
		tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "a.txt"}, tar.Header{Name: "a/", Typeflag: tar.TypeDir, Mode: 0o700})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	err = tr.Walk(context.Background(), "/", func(name string, d gofs.DirEntry, err error) error {
		info, err := d.Info()
		if err != nil {
			return err
		}
		names = append(names, name)
		if name == "a" && info.Mode().Perm() != 0o700 {
			t.Errorf("the folder's mode is %v", info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(names, fsutil.ComparePath) {
		t.Errorf("BuildKit wants another order than %v", names)
	}
	want := "a a/b a/b/c a/z a-b a.txt b b/c l"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r, err := tr.Open("a/b/c")
	if err != nil {
		t.Fatal(err)
	}
	if raw, _ := io.ReadAll(r); string(raw) != "a/b/c" {
		t.Errorf("a/b/c holds %q", raw)
	}
	if _, err := tr.Open("l"); err == nil {
		t.Error("a link was opened as a file")
	}
}

func TestTreeSkips(t *testing.T) {
	tr, err := treeOf(t, file("a/b"), file("a/c"), file("d"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	_ = tr.Walk(context.Background(), "", func(name string, _ gofs.DirEntry, _ error) error {
		names = append(names, name)
		if name == "a" {
			return gofs.SkipDir
		}
		return nil
	})
	if strings.Join(names, " ") != "a d" {
		t.Errorf("walked %v", names)
	}
}

func TestTreeRefuses(t *testing.T) {
	for _, h := range []tar.Header{file("../x"), file("/x"), {Name: "d", Typeflag: tar.TypeChar}, {Name: "h", Typeflag: tar.TypeLink, Linkname: "x"}} {
		if _, err := treeOf(t, h); err == nil {
			t.Errorf("%s was taken", h.Name)
		}
	}
}
