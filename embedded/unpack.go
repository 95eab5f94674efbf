package embedded

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

const (
	chunkSize = 1 << 20
	maxWindow = 64 << 20 // the largest zstd window a payload may ask for
)

// unpack writes the item read from member to temp (a file that exists, or for
// a tree a directory) and checks both sums. report is told of every chunk and
// ends the work by an error.
func unpack(it item, member io.Reader, temp string, report func(int64) error) error {
	packedSum := sha256.New()
	source := &sumReader{r: member, sum: packedSum}
	var plain io.Reader = source
	if it.packed {
		decoder, err := zstd.NewReader(source, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		defer decoder.Close()
		plain = decoder
	}
	plainSum := sha256.New()
	content := &sumReader{r: plain, sum: plainSum, report: report}
	var err error
	if it.tree {
		err = unpackTree(content, temp)
	} else {
		err = fillFile(temp, it.mode, content)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, content)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, source)
	}
	if err != nil {
		return err
	}
	if !matches(packedSum, it.member.SHA256) || !matches(plainSum, it.sha256) {
		return fmt.Errorf("its sha256 is not the manifest's: %w", ErrCorrupt)
	}
	return nil
}

func matches(sum hash.Hash, want string) bool {
	return hex.EncodeToString(sum.Sum(nil)) == want
}

// sumReader hashes what is read through it. An error of the source other than
// the end means a damaged payload; one of report passes as it is.
type sumReader struct {
	r      io.Reader
	sum    hash.Hash
	report func(int64) error
}

func (s *sumReader) Read(p []byte) (int, error) {
	if len(p) > chunkSize {
		p = p[:chunkSize]
	}
	n, err := s.r.Read(p)
	s.sum.Write(p[:n])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, ErrCorrupt) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if s.report != nil && n > 0 {
		if stop := s.report(int64(n)); stop != nil {
			return n, stop
		}
	}
	return n, err
}

// fillFile writes content to the file at name and syncs it: after a power cut
// a renamed file must not be an empty one.
func fillFile(name string, mode os.FileMode, content io.Reader) (err error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	// A plain writer, so that the copy is done in our chunks.
	if _, err := io.CopyBuffer(struct{ io.Writer }{file}, content, make([]byte, chunkSize)); err != nil {
		return err
	}
	if err := file.Chmod(mode); err != nil {
		return err
	}
	return file.Sync()
}

// unpackTree writes the tar stream content below dir: directories, files and
// relative links, nothing else.
func unpackTree(content io.Reader, dir string) error {
	archive := tar.NewReader(content)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !filepath.IsLocal(header.Name) {
			return fmt.Errorf("%q leads outside the tree: %w", header.Name, ErrCorrupt)
		}
		name := filepath.Join(dir, header.Name)
		switch header.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(name, 0o755)
		case tar.TypeReg:
			err = fillFile(name, header.FileInfo().Mode().Perm(), archive)
		case tar.TypeSymlink:
			if filepath.IsAbs(header.Linkname) || !filepath.IsLocal(filepath.Join(filepath.Dir(header.Name), header.Linkname)) {
				return fmt.Errorf("%q leads outside the tree: %w", header.Linkname, ErrCorrupt)
			}
			err = os.Symlink(header.Linkname, name)
		default:
			return fmt.Errorf("%q is of type %q: %w", header.Name, header.Typeflag, ErrCorrupt)
		}
		if err != nil {
			return err
		}
	}
}
