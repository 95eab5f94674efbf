package backup

import (
	"archive/tar"
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// Reader reads one backup, entry by entry. It can be believed only when Next
// has returned io.EOF: until then the rest may be missing.
type Reader struct {
	Header   Header
	Manifest Manifest
	Trailer  Trailer // after io.EOF

	format int
	raw    *bufio.Reader
	packed *zstd.Decoder
	tar    *tar.Reader
	tally  *tally
	err    error // once anything was wrong, for ever
}

// Damaged is the error of a backup that is not as it was written.
type Damaged struct{ Why error }

// Error implements error.
func (d *Damaged) Error() string {
	return fmt.Sprintf("the backup is damaged or cut short, and nothing of it is used: %v", d.Why)
}

// Unwrap returns the cause.
func (d *Damaged) Unwrap() error { return d.Why }

func damaged(format string, args ...any) error { return &Damaged{fmt.Errorf(format, args...)} }

// ErrNoKey says that none of the identities can read a backup.
var ErrNoKey = errors.New("none of the given keys or passphrases opens it")

// NewReader begins to read a backup with its header and manifest.
func NewReader(r io.Reader, identities ...age.Identity) (*Reader, error) {
	out := &Reader{raw: bufio.NewReaderSize(r, 64<<10), tally: newTally()}
	var err error
	if out.Header, out.format, err = readHeader(out.raw); err != nil {
		return nil, err
	}
	plain, err := age.Decrypt(out.raw, identities...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, damaged("%w", err)
	}
	out.packed, err = zstd.NewReader(plain, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return nil, damaged("%w", err)
	}
	out.tar = tar.NewReader(out.packed)
	if err := out.open(); err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

func (r *Reader) open() error {
	h, err := r.tar.Next()
	if err != nil {
		return damaged("its manifest: %w", err)
	}
	if err := r.document(h, manifestName, &r.Manifest); err != nil {
		return err
	}
	if !r.Header.same(r.Manifest.Header) || r.format != r.Manifest.Format {
		return damaged("its header is not the one it was written with")
	}
	return nil
}

func (r *Reader) document(h *tar.Header, name string, into any) error {
	if h.Name != name || h.Size > maxDocument {
		return damaged("%q instead of %s", h.Name, name)
	}
	data, err := io.ReadAll(r.tar)
	if err != nil {
		return damaged("%s: %w", name, err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return damaged("%s: %w", name, err)
	}
	return nil
}

// Entry is one entry of a backup; Read reads its contents.
type Entry struct {
	*tar.Header
	from *Reader
}

// Section is the part that the entry belongs to.
func (e *Entry) Section() string { return sectionOf(e.Name) }

// Read implements io.Reader.
func (e *Entry) Read(p []byte) (int, error) {
	n, err := e.from.tar.Read(p)
	e.from.tally.add(p[:n])
	if err != nil && !errors.Is(err, io.EOF) {
		err = e.from.fail(damaged("%s: %w", e.Name, err))
	}
	return n, err
}

// Next moves to the next entry, reading what is left of the one before. After
// the last it checks that everything was there and returns io.EOF.
func (r *Reader) Next() (*Entry, error) {
	if r.err != nil {
		return nil, r.err
	}
	if err := r.finish(); err != nil {
		return nil, r.fail(err)
	}
	h, err := r.tar.Next()
	if err != nil {
		return nil, r.fail(damaged("after entry %d: %w", r.tally.entries, unexpected(err)))
	}
	if h.Name == trailerName {
		if err := r.document(h, trailerName, &r.Trailer); err != nil {
			return nil, r.fail(err)
		}
		if err := r.atEnd(); err != nil {
			return nil, r.fail(err)
		}
		return nil, r.fail(io.EOF)
	}
	if err := r.tally.begin(h); err != nil {
		return nil, r.fail(err)
	}
	return &Entry{Header: h, from: r}, nil
}

// fail keeps the first error for all later calls.
func (r *Reader) fail(err error) error {
	if r.err == nil {
		r.err = err
	}
	return r.err
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// finish reads the rest of the present entry.
func (r *Reader) finish() error {
	if r.tally.content == nil {
		return nil
	}
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.tar.Read(buffer)
		r.tally.add(buffer[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return damaged("%w", err)
		}
	}
	r.tally.end()
	return nil
}

// atEnd compares what was read with the trailer, and sees that nothing follows.
func (r *Reader) atEnd() error {
	if !r.Trailer.equal(r.tally.trailer()) {
		return damaged("its entries are not those that its trailer tells of")
	}
	if _, err := r.tar.Next(); !errors.Is(err, io.EOF) {
		return damaged("entries after its trailer")
	}
	// The layers below check their ends when they are read up to them.
	n, err := io.Copy(io.Discard, r.packed)
	if err != nil {
		return damaged("after its last entry: %w", err)
	}
	if n > 0 {
		return damaged("%d bytes after its last entry", n)
	}
	if _, err := r.raw.ReadByte(); !errors.Is(err, io.EOF) {
		return damaged("bytes after its end")
	}
	return nil
}

// Close frees what the reader holds. It does not close what it reads from.
func (r *Reader) Close() { r.packed.Close() }
