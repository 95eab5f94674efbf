package gitssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	restarting = "The platform is restarting; try again in a minute."
	greeting   = "Hello %s! You are known here, but there is no shell: this server takes git only.\n" +
		"Deploy an app with: git push drycc main\n"
)

var errClientGone = errors.New("the client has gone")

// session serves the requests of one channel until the client closes it and
// what it asked for has ended.
func (s *Server) session(channel ssh.Channel, requests <-chan *ssh.Request, who identity) {
	ctx, cancel := context.WithCancelCause(s.work)
	defer cancel(nil)
	var running sync.WaitGroup
	t := &terminal{Channel: channel, server: s, who: who, closed: make(chan struct{})}
	for r := range requests {
		t.request(ctx, r, &running)
	}
	// No more requests: the channel or the connection is closed.
	close(t.closed)
	cancel(errClientGone)
	running.Wait()
	_ = channel.Close() // closed already
}

// terminal is the client's end of a session.
type terminal struct {
	ssh.Channel
	server   *Server
	who      identity
	protocol string // of git, from the environment
	started  bool
	input    io.Reader // of git, nil for the channel itself
	closed   chan struct{}
}

// request answers one request. A command runs on beside later ones.
func (t *terminal) request(ctx context.Context, r *ssh.Request, running *sync.WaitGroup) {
	switch r.Type {
	case "env":
		var v struct{ Name, Value string }
		ok := !t.started && ssh.Unmarshal(r.Payload, &v) == nil && v.Name == "GIT_PROTOCOL" && protocolVersion.MatchString(v.Value)
		if ok {
			t.protocol = v.Value
		}
		answer(r, ok)
	case "exec":
		var v struct{ Line string }
		if t.started || ssh.Unmarshal(r.Payload, &v) != nil {
			answer(r, false)
			return
		}
		t.started = true
		answer(r, true)
		running.Go(func() { t.execute(ctx, v.Line) })
	case "shell", "subsystem":
		answer(r, !t.started)
		if t.started {
			return
		}
		t.started = true
		if r.Type == "shell" {
			t.say(greeting, t.who.username)
		} else {
			t.say("Only git is offered here, no sftp.\n")
		}
		t.exit(1)
	default:
		// Terminals, agents, X11: nobody needs them here.
		answer(r, false)
	}
}

// protocolVersion is what git asks for: "version=2", with further keys of
// later versions.
var protocolVersion = regexp.MustCompile(`^version=[0-9](:[a-z0-9=.-]{1,32}){0,4}$`)

func answer(r *ssh.Request, ok bool) {
	if r.WantReply {
		_ = r.Reply(ok, nil) // a client that has gone needs no answer
	}
}

// say writes to the client's stderr.
func (t *terminal) say(format string, args ...any) {
	_, _ = fmt.Fprintf(t.Stderr(), format, args...) // a client that has gone hears nothing
}

// exit ends the session with a code.
func (t *terminal) exit(code int) {
	_ = t.CloseWrite()
	_, _ = t.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(code)}))
	_ = t.Close()
}

// execute answers a line that the client sent. A server that stops waits for
// it, and a little for the client to take the answer.
func (t *terminal) execute(ctx context.Context, line string) {
	open := t.server.enter()
	if open {
		defer t.server.commands.Done()
	}
	t.exit(t.run(ctx, line, open))
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	select {
	case <-t.closed:
	case <-timer.C:
	}
}

// farewell is how long a client may take to close its end.
const farewell = 2 * time.Second

// run does what a line says; not when the server is no more open.
func (t *terminal) run(ctx context.Context, line string, open bool) int {
	c, refusal := parseCommand(line)
	if refusal != "" {
		t.say("%s\n", refusal)
		return 1
	}
	if c.verb == verbPing {
		_, _ = io.WriteString(t, "pong\n")
		return 0
	}
	s := t.server
	if !open {
		return t.refuse(restarting)
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return t.refuse("Too many others push and fetch at the moment; try again in a minute.")
	}
	start := time.Now()
	code := t.transfer(ctx, c)
	s.log(t.who, c.app).WithField("code", code).WithField("took", time.Since(start).Round(time.Millisecond)).Info(string(c.verb))
	return code
}

// refuse tells git why not, in the way in which git shows it: "fatal: remote
// error: …".
func (t *terminal) refuse(format string, args ...any) int {
	message := "ERR " + fmt.Sprintf(format, args...) + "\n"
	_, _ = fmt.Fprintf(t, "%04x%s", len(message)+4, message) // a client that has gone reads nothing
	return 1
}
