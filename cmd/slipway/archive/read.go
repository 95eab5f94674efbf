package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/slipway-paas/slipway/bootstrap/backup"
)

// File is a backup in its place, with what opens it.
type File struct {
	Place      backup.Place
	Name       string
	Identities []age.Identity
}

// String is where it is.
func (f File) String() string {
	return strings.TrimSuffix(f.Place.String(), "/") + "/" + f.Name
}

// Verified is a backup that was read to its end.
type Verified struct {
	Manifest  backup.Manifest
	Trailer   backup.Trailer
	Documents map[string][]byte // the small ones
	Size      int64
	Took      time.Duration
}

// maxSmall bounds a document that is kept in memory.
const maxSmall = 1 << 20

// Verify reads a whole backup and believes it only then.
func (f File) Verify(ctx context.Context, note func(string)) (v Verified, err error) {
	began := time.Now()
	v.Documents = map[string][]byte{}
	r, size, err := f.read(ctx, note, "read", func(e *backup.Entry) error {
		if s := e.Section(); (s != sectionSettings && s != sectionState) || e.Size > maxSmall {
			return nil
		}
		data, err := io.ReadAll(e)
		v.Documents[e.Name] = data
		return err
	})
	if err != nil {
		return v, err
	}
	v.Manifest, v.Trailer, v.Size, v.Took = r.Manifest, r.Trailer, size, time.Since(began)
	for _, name := range []string{DocumentConfig, DocumentCredentials, DocumentKey, documentSecrets} {
		if len(v.Documents[name]) == 0 {
			return v, fmt.Errorf("%s: it has no %s: a backup of something else", f, name)
		}
	}
	return v, nil
}

// read reads a backup from beginning to end and calls visit with each entry.
func (f File) read(ctx context.Context, note func(string), verb string, visit func(*backup.Entry) error) (*backup.Reader, int64, error) {
	source, size, err := f.Place.Open(ctx, f.Name)
	if err != nil {
		return nil, 0, fmt.Errorf("read the backup %s: %w", f, err)
	}
	defer source.Close()
	told := byteProgress(note, verb, size)
	r, err := backup.NewReader(&watchedReader{ctx, source, told}, f.Identities...)
	if err != nil {
		return nil, size, fmt.Errorf("%s: %w", f, err)
	}
	defer r.Close()
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r, size, nil
		}
		if err == nil {
			err = visit(e)
		}
		if ctx.Err() != nil {
			return nil, size, ctx.Err()
		}
		if err != nil {
			return nil, size, fmt.Errorf("%s: %w", f, err)
		}
	}
}

// watchedReader ends with its context and tells how much was read.
type watchedReader struct {
	ctx  context.Context
	from io.Reader
	told func(int64)
}

// Read implements io.Reader.
func (w *watchedReader) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.from.Read(p)
	w.told(int64(n))
	return n, err
}

// same reports whether what was read now is what was verified before.
func (v Verified) same(r *backup.Reader) error {
	if r.Header.ID != v.Manifest.Header.ID || r.Trailer.Entries != v.Trailer.Entries || !sameSections(r.Trailer, v.Trailer) {
		return errors.New("the backup is not the one that was read a moment ago: somebody exchanged it")
	}
	return nil
}

func sameSections(a, b backup.Trailer) bool {
	if len(a.Sections) != len(b.Sections) {
		return false
	}
	for name, s := range a.Sections {
		if b.Sections[name] != s {
			return false
		}
	}
	return true
}

// Find is the file that an argument names or, where it names only a
// place, the newest of this platform there; of any when platform is empty.
func Find(ctx context.Context, place backup.Place, name, platform string) (string, error) {
	if name != "" {
		return name, nil
	}
	all, err := backup.ListKept(ctx, place)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(all, func(k backup.Kept) bool { return platform == "" || k.Header.Platform == platform })
	if i < 0 {
		return "", fmt.Errorf("there is no backup in %s", place)
	}
	return all[i].Name, nil
}
