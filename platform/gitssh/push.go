package gitssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// diskFull is for pushers; the operator has the cure.
const diskFull = "The platform's disk is nearly full, so it takes no more pushes. Its operator has to make room."

// push is a git receive-pack under way.
type push struct {
	server *Server
	who    identity
	app    platform.App
	repo   string
	ctx    context.Context // ends with the client, or by the server's limits
	// received stops the clocks that run while the client sends.
	received func()

	deciding sync.WaitGroup // the hook's answer

	mu       sync.Mutex
	closed   bool    // git has ended: no hook is answered any more
	deployed *update // the branch that became a release

	told bool // the build's log says why it failed; decide's own
}

// begin starts the answer to the hook, unless git has ended already.
func (p *push) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.deciding.Add(1)
	return true
}

// end waits for the hook's answer and gives what was deployed, if anything.
func (p *push) end() *update {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.deciding.Wait()
	return p.deployed
}

// decide is the answer to the hook: whether git may move the refs.
func (p *push) decide(ctx context.Context, request hookRequest, out *lines) bool {
	p.received()
	say := func(format string, args ...any) { fmt.Fprintf(out, "---> "+format+"\n", args...) }
	err := p.accept(ctx, request, out, say)
	if err == nil {
		return true
	}
	var refusal errTree
	var known *platform.Error
	switch {
	case errors.As(err, &refusal):
		say("%s", refusal)
	case ctx.Err() != nil && p.told:
		// It says why.
	case ctx.Err() != nil:
		say("The push was broken off: %s", context.Cause(ctx))
	case errors.As(err, &known) && known.Code != platform.Internal:
		if !p.told {
			say("%s", known.Message)
		}
	default:
		p.server.log(p.who, p.app.ID).WithError(err).Error("git push")
		if !p.told {
			say("Something went wrong on the platform; its log tells more.")
		}
	}
	return false
}

func (p *push) accept(ctx context.Context, request hookRequest, out io.Writer, say func(string, ...any)) error {
	s := p.server
	// The key may have been taken away while the pack was coming.
	if name, err := s.control.KeyOwner(ctx, p.who.fingerprint); err != nil || name != p.who.username {
		return errors.Join(err, errTree("Your key is not valid any more."))
	}
	if len(request.Updates) > s.limits.Refs {
		return errTree(fmt.Sprintf("A push may move %d branches and tags; this one has %d.", s.limits.Refs, len(request.Updates)))
	}
	current, branches, err := s.branches(ctx, p.repo)
	if err != nil {
		return err
	}
	plan := planPush(request.Updates, current, branches)
	if plan.refusal != "" {
		return errTree(plan.refusal)
	}
	for _, note := range plan.notes {
		say("%s", note)
	}
	if plan.deploy == nil {
		return nil
	}
	env, err := quarantine(p.repo, request.Quarantine)
	if err != nil {
		return err
	}
	return p.deploy(ctx, *plan.deploy, request.Quarantine, env, out, say)
}

// deploy builds a branch. It returns nil when the app runs what was pushed.
func (p *push) deploy(ctx context.Context, u update, quarantined string, env []string, out io.Writer, say func(string, ...any)) error {
	s := p.server
	kind, err := s.git.output(ctx, s.repos.config(), 64, env, "-C", p.repo, "cat-file", "-t", u.New)
	if err != nil {
		return err
	}
	if strings.TrimSpace(kind) != "commit" {
		return errTree(fmt.Sprintf("%s would be no commit but a %s. Push what it stands for: git push REMOTE 'NAME^{commit}:%s'",
			u.Ref, strings.TrimSpace(kind), u.Ref))
	}
	t, err := s.repos.archiver().write(ctx, p.repo, env, u.New)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(t.file) }() // the next start removes what is left
	if t.files == 0 {
		return errTree("The commit has no files: there is nothing to build.")
	}
	for _, warning := range t.warnings() {
		say("%s", warning)
	}
	log := &noted{Writer: out}
	release, err := s.control.PushSource(ctx, p.who.username, p.app.ID,
		control.Source{Origin: platform.OriginGit, Ref: u.Ref, SHA: u.New, Tar: t.file}, log)
	if err != nil {
		p.told = log.written
		return err
	}
	if release.Failed() {
		return errTree(fmt.Sprintf("v%d does not run, so %s is refused. Mend it and push again.", release.Version, u.Ref))
	}
	if err := s.repos.adopt(p.app.ID, quarantined); err != nil {
		s.log(p.who, p.app.ID).WithError(err).Warn("git door: keeping what was deployed")
	}
	p.mu.Lock()
	p.deployed = &u
	p.mu.Unlock()
	return nil
}

// noted knows whether anything was written. A build's log tells how the build
// ended; what comes before there is a log does not.
type noted struct {
	io.Writer
	written bool
}

// Write notes it.
func (n *noted) Write(p []byte) (int, error) {
	n.written = true
	return n.Writer.Write(p)
}

// quarantine is the environment in which git sees the objects of a push that
// is not accepted yet. The hook names the folder; it has to be the repository's.
func quarantine(repo, folder string) ([]string, error) {
	if folder == "" {
		return nil, nil
	}
	objects := filepath.Join(repo, "objects")
	name := filepath.Base(folder) // of no other repository, whatever it says
	if !strings.HasPrefix(name, "incoming-") && !strings.HasPrefix(name, "tmp_objdir-incoming-") {
		return nil, fmt.Errorf("quarantine of %s: %q is none", repo, folder)
	}
	return []string{
		"GIT_OBJECT_DIRECTORY=" + filepath.Join(objects, name),
		"GIT_ALTERNATE_OBJECT_DIRECTORIES=" + objects,
	}, nil
}

// maxBranches is how many bytes of branch names are read.
const maxBranches = 4 << 20

// branches lists a repository's branches; current is the one that HEAD names,
// which was deployed last. It may not exist.
func (s *Server) branches(ctx context.Context, repo string) (current string, list []string, err error) {
	head, err := s.git.output(ctx, s.repos.config(), 4<<10, nil, "-C", repo, "symbolic-ref", "HEAD")
	if err != nil {
		return "", nil, err
	}
	out, err := s.git.output(ctx, s.repos.config(), maxBranches, nil, "-C", repo, "for-each-ref", "--format=%(refname)", branchPrefix)
	if err != nil {
		return "", nil, err
	}
	for line := range strings.Lines(out) {
		list = append(list, strings.TrimPrefix(strings.TrimSpace(line), branchPrefix))
	}
	return strings.TrimPrefix(strings.TrimSpace(head), branchPrefix), list, nil
}
