package control

import (
	"context"
	"io"
)

// Fetcher brings source trees from git repositories elsewhere. Safe for
// concurrent use.
type Fetcher interface {
	// Fetch writes the tree of a branch's newest commit to a file, which the
	// caller removes, and tells its progress to log, in lines without secrets.
	// What is wrong with the repository or the way there is Invalid and names
	// it; nothing of it runs on when ctx ends.
	Fetch(ctx context.Context, from GitSource, log io.Writer) (FetchedTree, error)
	// HostKey is the key that an SSH server shows, in the form of
	// authorized_keys. A server that can't be reached is Invalid.
	HostKey(ctx context.Context, url string) (string, error)
}

// GitSource is a branch of a git repository elsewhere.
type GitSource struct {
	URL, Branch string
	// Username and Password are for HTTPS, empty for none.
	Username, Password string
	CA                 string // certificates of authorities in PEM, beside the system's
	// PrivateKey and HostKey are for SSH: PEM, and the form of authorized_keys.
	PrivateKey, HostKey string
}

// FetchedTree is what came of a branch.
type FetchedTree struct {
	SHA string // of the commit
	Tar string // path of the tree as an uncompressed tar file
}
