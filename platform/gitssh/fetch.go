package gitssh

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// FetchOptions are what a Fetcher needs.
type FetchOptions struct {
	Dir    string // of the repositories; made if absent
	Git    Git
	Limits Limits // Pack, Tree, Files, Free and Transfer
	// Forbidden are addresses that are not called, beside those of this machine
	// only; Allowed are called all the same.
	Forbidden func() []netip.Prefix
	Allowed   []netip.Prefix
}

// Fetcher gets source trees from git repositories elsewhere. The network is
// spoken to by this process, which holds the passwords, and what comes is read
// by git, which has no network:
//
//	repository ──HTTPS or SSH──▶ Fetcher ──socket──▶ git fetch, as another user
//
// It fetches one commit, without history and submodules.
type Fetcher struct {
	dir    string
	git    Git
	limits Limits
	guard  guard
}

var _ control.Fetcher = (*Fetcher)(nil)

// NewFetcher makes its folder and removes what a killed one left behind.
func NewFetcher(o FetchOptions) (*Fetcher, error) {
	if o.Dir == "" || o.Git.Path == "" {
		return nil, errors.New("git fetcher: an option is missing")
	}
	f := &Fetcher{
		dir: filepath.Join(o.Dir, fetchName), git: o.Git, limits: o.Limits.withDefaults(),
		guard: guard{allowed: o.Allowed, forbidden: o.Forbidden},
	}
	if err := os.RemoveAll(f.dir); err != nil {
		return nil, fmt.Errorf("git fetcher: %w", err)
	}
	for _, dir := range []string{o.Dir, f.dir} {
		if err := errors.Join(os.MkdirAll(dir, 0o750), f.give(dir, os.Getuid())); err != nil {
			return nil, fmt.Errorf("git fetcher: %w", err)
		}
	}
	if err := os.WriteFile(f.config(), fetchConfig(), 0o644); err != nil {
		return nil, fmt.Errorf("git fetcher: %w", err)
	}
	return f, nil
}

func (f *Fetcher) config() string { return filepath.Join(f.dir, "config") }

func (f *Fetcher) give(path string, uid int) error {
	if f.git.UID == 0 {
		return nil
	}
	return os.Lchown(path, uid, f.git.UID)
}

// refused is what is wrong with a repository elsewhere, or the way there.
func refused(format string, args ...any) error {
	return platform.Errorf(platform.Invalid, format, args...)
}

// Fetch writes the tree of a branch's newest commit to a file.
func (f *Fetcher) Fetch(ctx context.Context, from control.GitSource, log io.Writer) (control.FetchedTree, error) {
	none := control.FetchedTree{}
	where, err := platform.ParseGitURL(from.URL)
	if err != nil {
		return none, err
	}
	if err := platform.ValidateBranch(from.Branch); err != nil {
		return none, err
	}
	if free, err := roomOn(f.dir); err != nil || free < f.limits.Free {
		return none, errors.Join(err, platform.Errorf(platform.Unavailable, diskFull))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.limits.Transfer, refused("Fetching from %s took longer than %s (SLIPWAY_GIT_TIMEOUT).", where.Host, f.limits.Transfer))
	defer cancel()
	repo := filepath.Join(f.dir, rand.Text()+".git")
	if err := errors.Join(os.Mkdir(repo, 0o755), f.give(repo, f.git.UID)); err != nil {
		return none, err
	}
	defer func() { _ = os.RemoveAll(repo) }() // the next start removes what is left
	t, sha, err := f.fetchInto(ctx, repo, where, from)
	if err != nil {
		var refusal errTree
		if errors.As(err, &refusal) {
			err = refused("%s", refusal)
		}
		return none, err
	}
	for _, warning := range t.warnings() {
		_, _ = fmt.Fprintf(log, "---> %s\n", warning) // a log never fails
	}
	if t.files == 0 {
		return none, errors.Join(refused("The newest commit of %s has no files: there is nothing to build.", from.Branch), os.Remove(t.file))
	}
	return control.FetchedTree{SHA: sha, Tar: t.file}, nil
}

func (f *Fetcher) fetchInto(ctx context.Context, repo string, where platform.GitURL, from control.GitSource) (t tree, sha string, err error) {
	if _, err := f.git.output(ctx, f.config(), 4<<10, nil, "init", "--quiet", "--bare", "--template=", repo); err != nil {
		return t, "", err
	}
	if err := f.receive(ctx, repo, where, from); err != nil {
		return t, "", err
	}
	out, err := f.git.output(ctx, f.config(), 128, nil, "-C", repo, "rev-parse", "--verify", "refs/heads/fetched^{commit}")
	if err != nil {
		return t, "", err
	}
	sha = strings.TrimSpace(out)
	a := archiver{git: f.git, config: f.config(), scratch: f.dir, limits: f.limits, free: func() (int64, error) { return roomOn(f.dir) }}
	t, err = a.write(ctx, repo, nil, sha)
	return t, sha, err
}

// receive runs git fetch over a socket, at whose other end a conversation with
// the server is held.
func (f *Fetcher) receive(ctx context.Context, repo string, where platform.GitURL, from control.GitSource) error {
	peer, err := f.dial(ctx, where, from)
	if err != nil {
		return err
	}
	defer peer.close()
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	bounded, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	talk := make(chan error, 1)
	go func() {
		err := peer.talk(bounded, ours, &quota{w: ours, left: f.limits.Pack, most: f.limits.Pack})
		_ = ours.Close() // git hears that all was said
		if err != nil {
			cancel(err)
		}
		talk <- err
	}()
	complaint := &capped{limit: 4 << 10}
	err = f.git.run(bounded, f.config(), task{
		args: []string{"-C", repo, "fetch", "--quiet", "--no-tags", "--depth=1", "--no-write-fetch-head",
			"fd::3/repository", "+refs/heads/" + from.Branch + ":refs/heads/fetched"},
		stdout: complaint, stderr: complaint, files: []*os.File{theirs},
	})
	_ = ours.Close()
	peer.close()
	said := <-talk
	if err == nil || ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var known *platform.Error
	if errors.As(err, &known) || errors.As(said, &known) {
		return known
	}
	return explain(from.Branch, complaint.String(), err, said)
}

// socketPair is what git is talked to over: with a pipe it would not be heard
// that git has said all, as several of its processes have it open.
func socketPair() (ours net.Conn, theirs *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("a socket for git: %w", err)
	}
	file := os.NewFile(uintptr(pair[0]), "git")
	theirs = os.NewFile(uintptr(pair[1]), "git")
	ours, err = net.FileConn(file) // a copy
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("a socket for git: %w", err), theirs.Close())
	}
	return ours, theirs, nil
}

// explain puts what git says into words.
func explain(branch, complaint string, err, said error) error {
	if strings.Contains(complaint, "couldn't find remote ref") {
		return refused("The repository has no branch %s.", branch)
	}
	text := strings.TrimSpace(complaint)
	if said != nil && !errors.Is(said, net.ErrClosed) {
		text = strings.TrimSpace(said.Error() + "\n" + text)
	}
	if text == "" {
		text = err.Error()
	}
	return refused("Fetching %s did not work: %s", branch, text)
}

// quota is a Writer that takes so many bytes.
type quota struct {
	w          io.Writer
	left, most int64
}

// Write refuses what is too much.
func (q *quota) Write(p []byte) (int, error) {
	if q.left -= int64(len(p)); q.left < 0 {
		return 0, refused("The repository sends more than %d MiB (SLIPWAY_GIT_PUSH_SIZE).", q.most>>20)
	}
	return q.w.Write(p)
}

// peer is a connection to the server of a repository.
type peer interface {
	// talk carries what git says to the server and back, until one of them has
	// said all or ctx ends.
	talk(ctx context.Context, fromGit io.Reader, toGit io.Writer) error
	close() // may be called again
}

func (f *Fetcher) dial(ctx context.Context, where platform.GitURL, from control.GitSource) (peer, error) {
	if where.Scheme == "ssh" {
		return f.dialSSH(ctx, where, from)
	}
	return f.dialHTTP(where, from)
}
