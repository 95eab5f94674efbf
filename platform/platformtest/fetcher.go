package platformtest

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Fetcher is a control.Fetcher whose repositories are all the same one. Safe
// for concurrent use.
type Fetcher struct {
	dir string

	mu    sync.Mutex
	sha   string
	err   error
	asked []control.GitSource
}

// NewFetcher writes its trees to dir. The newest commit is sha.
func NewFetcher(dir, sha string) *Fetcher { return &Fetcher{dir: dir, sha: sha} }

// Push makes another commit the newest, or lets fetching fail.
func (f *Fetcher) Push(sha string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sha, f.err = sha, err
}

// Asked lists what was fetched.
func (f *Fetcher) Asked() []control.GitSource {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]control.GitSource{}, f.asked...)
}

// Fetch writes a tree of one file.
func (f *Fetcher) Fetch(_ context.Context, from control.GitSource, log io.Writer) (control.FetchedTree, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, from)
	if f.err != nil {
		return control.FetchedTree{}, f.err
	}
	if _, err := fmt.Fprintln(log, "---> fetched"); err != nil {
		return control.FetchedTree{}, err
	}
	file, err := os.CreateTemp(f.dir, "*.tar")
	if err != nil {
		return control.FetchedTree{}, err
	}
	return control.FetchedTree{SHA: f.sha, Tar: file.Name()}, file.Close()
}

// HostKey is made up.
func (f *Fetcher) HostKey(_ context.Context, url string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return "", f.err
	}
	if _, err := platform.ParseGitURL(url); err != nil {
		return "", err
	}
	return "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHTsP0zYHPXzvUAdvFEIAH5Io5s2pHn1kbTfMIMOIKfa", nil
}
