package control

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/slipway-paas/slipway/platform"
)

const (
	// maxTrees bounds the source trees that are received or wait on the disk
	// at a time, pushes apart.
	maxTrees = 16
	// shaLength is that of a commit, in hex digits.
	shaLength = 40
)

func badSource(format string, args ...any) error {
	return platform.FieldErrorf("source", format, args...)
}

// UploadSource reads a source tree, a tar file that may be compressed with
// gzip, and has it built and deployed as SubmitSource does. What is no tar
// file, empty or too large is Invalid. The SHA of the run is one of the tree's
// content: the same files have the same, whenever they were written.
func (c *Controller) UploadSource(ctx context.Context, actor Actor, app string, body io.Reader) (platform.BuildRun, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Member); err != nil {
		return platform.BuildRun{}, err
	}
	if c.builder == nil {
		return platform.BuildRun{}, noBuilder()
	}
	if !c.builds.takeTree() {
		return platform.BuildRun{}, platform.Errorf(platform.Throttled, "Too many builds are waiting. Try again later.")
	}
	path, sha, err := c.receive(body)
	if err != nil {
		c.builds.freeTree()
		return platform.BuildRun{}, err
	}
	s := Source{Origin: platform.OriginUpload, SHA: sha, Tar: path}
	return c.submit(ctx, actor.User.Username, app, s, c.builds.freeTree)
}

// sourcePattern is the name of a file that a tree is received in.
const sourcePattern = "slipway-source-*.tar"

// clearTrees removes the trees that a process left which was killed. Only a
// folder of our own is looked at.
func clearTrees(folder string) error {
	if folder == "" {
		return nil
	}
	left, err := filepath.Glob(filepath.Join(folder, sourcePattern))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

func (c *Controller) removeTree(app, path string) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		c.log.WithField("app", app).WithError(err).Warn("removing a source tree")
	}
}

// receive writes the tree to a file of its own as plain tar, and returns its
// path and SHA.
func (c *Controller) receive(body io.Reader) (path, sha string, err error) {
	file, err := os.CreateTemp(c.building.Folder, sourcePattern)
	if err != nil {
		return "", "", fmt.Errorf("receiving a source tree: %w", err)
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	plain, err := unpacked(&bounded{r: body, left: c.building.MaxSource, most: c.building.MaxSource})
	if err != nil {
		return "", "", err
	}
	tee := io.TeeReader(&bounded{r: plain, left: c.building.MaxSource, most: c.building.MaxSource}, file)
	if sha, err = treeSHA(tee); err != nil {
		return "", "", err
	}
	_, err = io.Copy(io.Discard, tee) // what lies behind the end of the archive
	return file.Name(), sha, readError(err)
}

// unpacked takes gzip off, when it is there.
func unpacked(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	magic, err := buffered.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, readError(err)
	}
	if len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(buffered)
		return z, readError(err)
	}
	return buffered, nil
}

// bounded is a Reader that refuses what is too large.
type bounded struct {
	r          io.Reader
	left, most int64
}

// Read reads up to the bound.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, badSource("The source tree has more than %d MB, which SLIPWAY_BUILD_SOURCE_LIMIT allows. Leave out what is not needed with a .slipwayignore file.", b.most>>20)
	}
	return n, err
}

// readError tells what is wrong with an archive from what went wrong with us.
func readError(err error) error {
	var known *platform.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, tar.ErrHeader), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return badSource("This is no tar file: send a tar file, plain or compressed with gzip.")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return badSource("The tar file is cut off.")
	}
	return fmt.Errorf("receiving a source tree: %w", err)
}

// treeSHA reads a tar file and sums up names, kinds and contents.
func treeSHA(r io.Reader) (string, error) {
	sum, archive, entries := sha256.New(), tar.NewReader(r), 0
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && entries == 0 && errors.Is(err, io.ErrUnexpectedEOF) {
			err = tar.ErrHeader
		}
		if err != nil {
			return "", readError(err)
		}
		entries++
		if err := addEntry(sum, h, archive); err != nil {
			return "", readError(err)
		}
	}
	if entries == 0 {
		return "", badSource("The source tree is empty.")
	}
	return hex.EncodeToString(sum.Sum(nil))[:shaLength], nil
}

func addEntry(sum hash.Hash, h *tar.Header, content io.Reader) error {
	_, err := fmt.Fprintf(sum, "%q %c %o %q %d\n", h.Name, h.Typeflag, h.Mode&0o111, h.Linkname, h.Size)
	if err == nil {
		_, err = io.Copy(sum, content)
	}
	return err
}
