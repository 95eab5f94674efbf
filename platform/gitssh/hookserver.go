package gitssh

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	hookPatience = time.Minute     // for the hook's request
	linePatience = 2 * time.Minute // for a line of the log to be read
)

// hookServer answers the hooks of pushes that are under way. Each push has a
// token of its own, good for one hook.
type hookServer struct {
	socket string

	mu     sync.Mutex
	pushes map[string]*push
}

// expect lets the hook of a push in; it returns the token. forget ends that.
func (h *hookServer) expect(p *push) (token string, forget func()) {
	token = rand.Text()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pushes[token] = p
	return token, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.pushes, token)
	}
}

func (h *hookServer) take(token string) *push {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.pushes[token]
	delete(h.pushes, token)
	return p
}

// listen opens the socket for git's user only.
func (h *hookServer) listen(ctx context.Context, own func(string) error) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", h.socket)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.Chmod(h.socket, 0o600), own(h.socket)); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// serve answers hooks until the listener is closed and all hooks have ended.
func (h *hookServer) serve(listener net.Listener) error {
	var hooks errgroup.Group
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return hooks.Wait()
		}
		if err != nil {
			return errors.Join(fmt.Errorf("hooks: %w", err), hooks.Wait())
		}
		hooks.Go(func() error {
			h.answer(conn)
			return nil
		})
	}
}

// answer serves one hook. The end of the hook, whatever ended it, ends the
// build that it waits for.
func (h *hookServer) answer(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(io.LimitReader(conn, maxHookRequest))
	if conn.SetReadDeadline(time.Now().Add(hookPatience)) != nil {
		return
	}
	var request hookRequest
	line, err := reader.ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &request) != nil {
		return
	}
	p := h.take(request.Token)
	if p == nil || !p.begin() {
		return
	}
	defer p.deciding.Done()
	ctx, end := context.WithCancelCause(p.ctx)
	defer end(nil)
	cancel := func() { end(errClientGone) }
	defer context.AfterFunc(p.server.builds, func() { end(context.Cause(p.server.builds)) })()
	if conn.SetReadDeadline(time.Time{}) != nil {
		return
	}
	go func() {
		// The hook says nothing more: what comes is its end.
		_, _ = conn.Read(make([]byte, 1))
		cancel()
	}()
	out := &lines{emit: func(line string) error {
		if err := conn.SetWriteDeadline(time.Now().Add(linePatience)); err != nil {
			return err
		}
		_, err := fmt.Fprintf(conn, "%s%s\n", logMark, line)
		if err != nil {
			cancel() // nobody reads any more
		}
		return err
	}}
	verdict := verdictNo
	if p.decide(ctx, request, out) {
		verdict = verdictYes
	}
	out.close()
	_, _ = fmt.Fprintf(conn, "%s%s\n", verdictMark, verdict) // a hook that has gone has refused
}
