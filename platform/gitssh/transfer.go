package gitssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// anotherPush are the words that Drycc's users know.
const anotherPush = "Another git push is ongoing"

// transfer is a fetch or a push, once its user is known. It returns the exit
// code.
func (t *terminal) transfer(ctx context.Context, c command) int {
	s := t.server
	// The connection may be older than the end of its key.
	if name, err := s.control.KeyOwner(ctx, t.who.fingerprint); err != nil || name != t.who.username {
		return t.refuse("Your key is not valid any more.")
	}
	a, role, err := s.control.RepoAccess(ctx, t.who.username, c.app)
	switch code := platform.CodeOf(err); {
	case code == platform.NotFound || code == platform.Forbidden:
		return t.refuse("There is no app %s, or you have no access to it. Your apps: drycc apps", c.app)
	case err != nil:
		s.log(t.who, c.app).WithError(err).Error("git door: access")
		return t.refuse("The platform can't look up apps at the moment; try again in a minute.")
	case c.verb == verbFetch:
		return t.fetch(ctx, a)
	case role < platform.Member:
		return t.refuse("You may read %s but not push to it: that takes the role member.", c.app)
	}
	leave, ok := s.repos.enter(a.ID)
	if !ok {
		return t.refuse(anotherPush)
	}
	code, deployed := t.push(ctx, a)
	leave()
	if deployed {
		s.clean(a.ID)
	}
	return code
}

// clean packs a repository in the background, one at a time; the others wait
// for their next push.
func (s *Server) clean(app string) {
	select {
	case s.cleaner <- struct{}{}:
	default:
		return
	}
	if !s.enter() {
		<-s.cleaner
		return
	}
	go func() {
		defer s.commands.Done()
		defer func() { <-s.cleaner }()
		// A server that stops does not wait for it.
		ctx, cancel := context.WithCancel(s.work)
		defer cancel()
		go func() {
			select {
			case <-s.stop:
				cancel()
			case <-ctx.Done():
			}
		}()
		if err := s.repos.clean(ctx, app); err != nil {
			s.logger.WithError(err).Warn("git door")
		}
	}()
}

// prepare makes sure that there is a repository; refusal is for the user.
func (t *terminal) prepare(ctx context.Context, a platform.App) (repo, refusal string) {
	s := t.server
	free, err := s.repos.free()
	if err == nil && free < s.limits.Free {
		s.log(t.who, a.ID).WithField("free", free).Error("git door: the disk is nearly full")
		return "", diskFull
	}
	if err == nil {
		repo, err = s.repos.ensure(ctx, a)
	}
	if err != nil {
		s.log(t.who, a.ID).WithError(err).Error("git door: repository")
		return "", "The repository can't be opened; the platform's log tells why."
	}
	return repo, ""
}

func (t *terminal) fetch(ctx context.Context, a platform.App) int {
	s := t.server
	repo, err := s.repos.ensure(ctx, a)
	if err != nil {
		s.log(t.who, a.ID).WithError(err).Error("git door: repository")
		return t.refuse("The repository can't be opened; the platform's log tells why.")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.limits.Transfer, errSlow)
	defer cancel()
	return t.git(ctx, nil, "upload-pack", "--strict", "--timeout="+seconds(s.limits.Stall), repo)
}

func seconds(d time.Duration) string { return strconv.Itoa(max(1, int(d.Seconds()))) }

var (
	errSlow    = errors.New("it took too long (SLIPWAY_GIT_TIMEOUT)")
	errStalled = errors.New("nothing came for too long")
)

// push lets git receive a pack. deployed is whether the app runs it.
func (t *terminal) push(ctx context.Context, a platform.App) (code int, deployed bool) {
	s := t.server
	repo, refusal := t.prepare(ctx, a)
	if refusal != "" {
		return t.refuse("%s", refusal), false
	}
	size, err := s.repos.size(a.ID)
	if err == nil && size > s.limits.Repo {
		return t.refuse("The repository of %s has become larger than %d MiB. Its operator can remove %s; the next push makes a new one.",
			a.ID, s.limits.Repo>>20, s.repos.named(a.ID)), false
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slow := time.AfterFunc(s.limits.Transfer, func() { cancel(errSlow) })
	stalled := time.AfterFunc(s.limits.Stall, func() { cancel(errStalled) })
	received := sync.OnceFunc(func() { slow.Stop(); stalled.Stop() })
	defer received()
	p := &push{server: s, who: t.who, app: a, repo: repo, ctx: ctx, received: received}
	token, forget := s.hooks.expect(p)
	defer forget()
	t.input = &watched{Reader: t.Channel, seen: func() { // while it receives only: Reset starts a stopped clock
		if stalled.Stop() {
			stalled.Reset(s.limits.Stall)
		}
	}}
	code = t.git(ctx, []string{envSocket + "=" + s.hooks.socket, envToken + "=" + token}, "receive-pack", repo)
	done := p.end()
	if ctx.Err() != nil {
		// Git may have been killed before it could tidy up.
		if err := sweepRepo(repo); err != nil {
			s.log(t.who, a.ID).WithError(err).Warn("git door: sweeping")
		}
	}
	if done == nil {
		return code, false
	}
	if code != 0 {
		// The client went away after the release was made, so git did not move
		// the branch. It says what runs all the same.
		_, err = s.git.output(s.work, s.repos.config(), 64, nil, "-C", repo, "update-ref", done.Ref, done.New, done.Old)
		if err != nil {
			s.log(t.who, a.ID).WithError(err).Warn("git door: moving the branch of a client that went away")
			return code, false
		}
	}
	// A clone gets what runs.
	_, err = s.git.output(s.work, s.repos.config(), 64, nil, "-C", repo, "symbolic-ref", "HEAD", done.Ref)
	if err != nil {
		s.log(t.who, a.ID).WithError(err).Warn("git door: HEAD")
	}
	return code, true
}

// git runs git between the client's streams.
func (t *terminal) git(ctx context.Context, env []string, args ...string) int {
	if t.protocol != "" {
		env = append(env, "GIT_PROTOCOL="+t.protocol)
	}
	input := t.input
	if input == nil {
		input = t.Channel
	}
	err := t.server.git.run(ctx, t.server.repos.config(), task{
		args: args, env: env, stdin: input, stdout: t.Channel, stderr: t.Stderr(),
	})
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	case errors.Is(err, errSlow) || errors.Is(err, errStalled):
		t.say("The transfer was broken off: %v.\n", err)
	case t.server.stopping():
		t.say("%s\n", restarting)
	case ctx.Err() == nil:
		t.server.logger.WithError(fmt.Errorf("git %s: %w", args[0], err)).Error("git door")
		t.say("git ended in an unexpected way; the platform's log tells more.\n")
	}
	return 1
}

// watched notes that something is read.
type watched struct {
	io.Reader
	seen func()
}

// Read notes it.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.seen()
	}
	return n, err
}
