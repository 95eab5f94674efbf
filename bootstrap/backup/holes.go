package backup

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A file with holes is an entry of its data only, with two records: its length,
// and where the pieces of data belong ("offset,length offset,length").
const (
	sizeRecord    = ownPrefix + "size"
	extentsRecord = ownPrefix + "extents"
)

// maxExtents keeps the record far below what readers of tar take: more pieces
// are joined, holes among them being written as zeros.
const maxExtents = 10_000

// extent is a piece of a file that has data.
type extent struct{ offset, length int64 }

func statOf(info fs.FileInfo) *syscall.Stat_t {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st
	}
	return &syscall.Stat_t{Nlink: 1}
}

// extents lists the pieces of a file below size that hold data.
func extents(f *os.File, size int64) ([]extent, error) {
	var list []extent
	for at := int64(0); at < size; {
		begin, err := f.Seek(at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break // a hole up to the end
		}
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
			list = []extent{{0, size}} // a file system that does not tell
			break
		}
		if err != nil {
			return nil, err
		}
		end, err := f.Seek(begin, unix.SEEK_HOLE)
		if errors.Is(err, unix.ENXIO) {
			end, err = size, nil // it became shorter
		}
		if err != nil {
			return nil, err
		}
		if begin = min(begin, size); begin == size {
			break
		}
		end = min(end, size)
		list = append(list, extent{begin, end - begin})
		at = end
	}
	_, err := f.Seek(0, io.SeekStart)
	return joined(list), err
}

// joined fills the smallest holes until there are few enough pieces.
func joined(list []extent) []extent {
	for gap := int64(64 << 10); len(list) > maxExtents; gap *= 4 {
		short := list[:1]
		for _, e := range list[1:] {
			last := &short[len(short)-1]
			if e.offset-(last.offset+last.length) <= gap {
				last.length = e.offset + e.length - last.offset
				continue
			}
			short = append(short, e)
		}
		list = short
	}
	return list
}

// setExtents puts the pieces into a header and returns how long they are.
func setExtents(h *tar.Header, list []extent, size int64) (data int64) {
	if h.PAXRecords == nil {
		h.PAXRecords = map[string]string{}
	}
	words := make([]string, len(list))
	for i, e := range list {
		words[i] = fmt.Sprintf("%d,%d", e.offset, e.length)
		data += e.length
	}
	h.PAXRecords[sizeRecord] = strconv.FormatInt(size, 10)
	// A record can't be empty; a file that is one hole has no pieces.
	h.PAXRecords[extentsRecord] = strings.Join(append([]string{"-"}, words...), " ")
	return data
}

// getExtents reads the pieces of an entry, and how long the file is. An entry
// without holes is one piece.
func getExtents(h *tar.Header) (list []extent, size int64, err error) {
	text, holed := h.PAXRecords[extentsRecord]
	if !holed {
		return []extent{{0, h.Size}}, h.Size, nil
	}
	if size, err = strconv.ParseInt(h.PAXRecords[sizeRecord], 10, 64); err != nil || size < 0 {
		return nil, 0, fmt.Errorf("%s: a file with holes and without length", h.Name)
	}
	var data, end int64
	for _, word := range strings.Fields(text)[1:] {
		var e extent
		if _, err := fmt.Sscanf(word, "%d,%d", &e.offset, &e.length); err != nil || e.offset < end || e.length < 0 || e.length > size-e.offset {
			return nil, 0, fmt.Errorf("%s: its pieces make no file", h.Name)
		}
		end = e.offset + e.length
		data += e.length
		list = append(list, e)
	}
	if data != h.Size {
		return nil, 0, fmt.Errorf("%s: its pieces are not as long as its data", h.Name)
	}
	return list, size, nil
}
