package backup

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Format is the number of the format that is written. All lower ones are read.
const Format = 1

// magic begins every file, with the number of its format after it.
const magic = "slipway-backup "

// maxHeader bounds the lines in clear.
const maxHeader = 4 << 10

// ErrNotBackup says that something is no backup of a platform.
var ErrNotBackup = errors.New("it is no backup of slipway")

// Header stands in clear at the beginning of a file, so that files can be told
// apart without a key. It says nothing about what runs on the platform; the
// manifest repeats it, so a changed one is noticed.
type Header struct {
	ID       string    `json:"id"`       // of this backup, random
	Platform string    `json:"platform"` // of the installation, the same in all of its backups
	Created  time.Time `json:"created"`
	Version  string    `json:"version"` // of slipway
}

// writeHeader writes the lines in clear.
func writeHeader(w io.Writer, h Header) error {
	line, err := json.Marshal(h)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%d\n%s\n", magic, Format, line)
	return err
}

// ReadHeader reads the lines in clear and leaves r after them. ErrNotBackup
// when r begins with something else.
func ReadHeader(r *bufio.Reader) (Header, error) {
	h, _, err := readHeader(r)
	return h, err
}

func readHeader(r *bufio.Reader) (h Header, format int, err error) {
	begin, err := r.Peek(len(magic))
	if err != nil && !errors.Is(err, io.EOF) {
		return h, 0, err
	}
	if string(begin) != magic {
		return h, 0, ErrNotBackup
	}
	first, err := headerLine(r)
	if err != nil {
		return h, 0, err
	}
	if _, err := fmt.Sscanf(string(first), magic+"%d", &format); err != nil || format < 1 || string(first) != fmt.Sprintf("%s%d", magic, format) {
		return h, 0, ErrNotBackup
	}
	if format > Format {
		return h, format, fmt.Errorf("it has format %d, and this slipway reads up to %d: use a newer one", format, Format)
	}
	second, err := headerLine(r)
	if err != nil {
		return h, format, err
	}
	if err := json.Unmarshal(second, &h); err != nil || h.ID == "" {
		return h, format, fmt.Errorf("%w: its header is damaged", ErrNotBackup)
	}
	return h, format, nil
}

// headerLine reads a line that is not too long.
func headerLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for len(line) < maxHeader {
		c, err := r.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: it is cut short in its header", ErrNotBackup)
		}
		if err != nil {
			return nil, err
		}
		if c == '\n' {
			return line, nil
		}
		line = append(line, c)
	}
	return nil, fmt.Errorf("%w: its header does not end", ErrNotBackup)
}

// same reports whether two headers are the same to the byte.
func (h Header) same(other Header) bool {
	a, errA := json.Marshal(h)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}
