package backup

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

const (
	xattrPrefix = "SCHILY.xattr." // the name that GNU tar and others give attributes
	ownPrefix   = "SLIPWAY."
)

// maxNotes bounds the notes of a trailer.
const maxNotes = 100

// Writer writes one backup. It holds one block of each layer in memory,
// whatever the size of what goes through.
type Writer struct {
	tar     *tar.Writer
	layers  []io.Closer // from the inside out
	tally   *tally
	notes   []string
	unnoted int
	links   map[inode]string // names of files with several links
	created time.Time
	counted func(bytes int64)
}

// WriterOptions say what a backup is of and who may read it.
type WriterOptions struct {
	Manifest   Manifest
	Recipients []age.Recipient // at least one
	Counted    func(bytes int64)
}

// NewWriter begins a backup on w with its header and manifest. Nothing of it
// can be read before Close.
func NewWriter(w io.Writer, o WriterOptions) (*Writer, error) {
	if len(o.Recipients) == 0 {
		return nil, errors.New("nobody could read it: name a recipient or a passphrase")
	}
	// JSON keeps no more of a time than this, and the reader compares.
	o.Manifest.Header.Created = o.Manifest.Header.Created.UTC().Truncate(time.Second)
	o.Manifest.Format = Format
	if err := writeHeader(w, o.Manifest.Header); err != nil {
		return nil, err
	}
	sealed, err := age.Encrypt(w, o.Recipients...)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	// One goroutine: what waits is the disk, and apps need the processors.
	packed, err := zstd.NewWriter(sealed, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(4<<20))
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	out := &Writer{
		tar: tar.NewWriter(packed), tally: newTally(), links: map[inode]string{},
		created: o.Manifest.Header.Created, counted: o.Counted,
	}
	out.layers = []io.Closer{out.tar, packed, sealed}
	if out.counted == nil {
		out.counted = func(int64) {}
	}
	return out, out.document(manifestName, o.Manifest)
}

// document writes a small entry of JSON that no sum covers but the layers'.
func (w *Writer) document(name string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: w.created, Format: tar.FormatPAX}
	if err := w.tar.WriteHeader(h); err != nil {
		return err
	}
	_, err = w.tar.Write(data)
	return err
}

// entry writes one entry; short contents are filled up with zeros and noted.
func (w *Writer) entry(h *tar.Header, content io.Reader) error {
	h.Format = tar.FormatPAX
	if err := w.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("entry %q: %w", h.Name, err)
	}
	if err := w.tally.begin(h); err != nil {
		return err
	}
	defer w.tally.end()
	if h.Size == 0 {
		return nil
	}
	got, err := w.copy(io.LimitReader(content, h.Size))
	if err != nil || got == h.Size {
		return err
	}
	w.note("%s became shorter while it was read", h.Name)
	_, err = w.copy(io.LimitReader(zeros{}, h.Size-got))
	return err
}

func (w *Writer) copy(r io.Reader) (n int64, err error) {
	buffer := make([]byte, 256<<10)
	for {
		got, err := r.Read(buffer)
		if got > 0 {
			if _, err := w.tar.Write(buffer[:got]); err != nil {
				return n, err
			}
			w.tally.add(buffer[:got])
			w.counted(int64(got))
			n += int64(got)
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func (w *Writer) note(format string, args ...any) {
	if len(w.notes) >= maxNotes {
		w.unnoted++
		return
	}
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

// Bytes writes a small file of its own.
func (w *Writer) Bytes(name string, data []byte) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: w.created}
	return w.entry(h, bytes.NewReader(data))
}

// streamPiece is the size of the entries that a stream is cut into.
const streamPiece = 4 << 20

// Stream takes contents of unknown length and writes them as the entries
// section/000001 and so on. Close writes the last.
func (w *Writer) Stream(section string) io.WriteCloser {
	return &stream{writer: w, section: section}
}

type stream struct {
	writer  *Writer
	section string
	number  int
	piece   []byte
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		room := min(streamPiece-len(s.piece), len(p))
		s.piece = append(s.piece, p[:room]...)
		p, n = p[room:], n+room
		if len(s.piece) == streamPiece {
			if err := s.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (s *stream) flush() error {
	s.number++
	err := s.writer.Bytes(fmt.Sprintf("%s/%06d", s.section, s.number), s.piece)
	s.piece = s.piece[:0]
	return err
}

// Close implements io.Closer.
func (s *stream) Close() error {
	if len(s.piece) == 0 && s.number > 0 {
		return nil
	}
	return s.flush()
}

// Close ends the backup with its trailer.
func (w *Writer) Close() (Trailer, error) {
	trailer := w.tally.trailer()
	trailer.Notes = w.notes
	if w.unnoted > 0 {
		trailer.Notes = append(trailer.Notes, fmt.Sprintf("and %d more", w.unnoted))
	}
	err := w.document(trailerName, trailer)
	for _, layer := range w.layers {
		if err == nil {
			err = layer.Close()
		}
	}
	return trailer, err
}
