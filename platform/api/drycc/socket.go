package drycc

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
)

// patience says how long a websocket waits for what.
type patience struct {
	first   time.Duration // for the client's first frame
	ping    time.Duration // between two pings
	silence time.Duration // without any frame, pongs included, the client is gone
	write   time.Duration // for the client to take a frame
	close   time.Duration // for the client to answer our goodbye
	session time.Duration // for everything
}

func defaultPatience() patience {
	return patience{
		first: 30 * time.Second, ping: 30 * time.Second, silence: 90 * time.Second,
		write: 30 * time.Second, close: 5 * time.Second, session: time.Hour,
	}
}

const (
	// maxFrame bounds what a client sends at once; terminals send far less.
	maxFrame = 1 << 20
	// slowest is how many bytes a second a client has to take of a large frame.
	slowest = 64 << 10
	// maxSessions and maxSessionsOfUser bound the streams open at a time.
	maxSessions       = 500
	maxSessionsOfUser = 50
)

// sessions counts the streams that are open.
type sessions struct {
	mu    sync.Mutex
	total int
	users map[string]int
}

func newSessions() *sessions { return &sessions{users: map[string]int{}} }

// take lets a user have one more stream; the function gives it back.
func (s *sessions) take(user string) (func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= maxSessions || s.users[user] >= maxSessionsOfUser {
		return nil, platform.Errorf(platform.Throttled, "Too many logs and terminals are open. Close some and try again.")
	}
	s.total++
	s.users[user]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.total--
		if s.users[user]--; s.users[user] == 0 {
			delete(s.users, user)
		}
	}, nil
}

// socket is one websocket. Its reader is whoever runs first, drain or the
// terminal's pump; writing is for everybody.
type socket struct {
	conn   *websocket.Conn
	limits patience
	ctx    context.Context // ends with the session, the client or the server
	cancel context.CancelFunc
	undo   []func()

	mu    sync.Mutex // one frame at a time
	group sync.WaitGroup
}

// upgrade changes to the websocket protocol. Until it returns without error
// nothing has been sent, so that a refusal is an ordinary answer. The caller
// calls bye.
func (h *Handler) upgrade(r *request) (*socket, error) {
	if !websocket.IsWebSocketUpgrade(r.Request) {
		return nil, platform.Errorf(platform.Invalid, "This address speaks the websocket protocol; ask with Upgrade: websocket.")
	}
	free, err := h.sessions.take(r.who.User.Username)
	if err != nil {
		return nil, err
	}
	var refusal string
	upgrader := websocket.Upgrader{
		// Credentials travel in a header, which no page of another origin can
		// have a browser send.
		CheckOrigin: func(*http.Request) bool { return true },
		Error:       func(_ http.ResponseWriter, _ *http.Request, _ int, reason error) { refusal = reason.Error() },
	}
	conn, err := upgrader.Upgrade(r.w, r.Request, r.w.Header().Clone())
	if err != nil {
		free()
		if refusal == "" {
			return nil, err
		}
		return nil, platform.Errorf(platform.Invalid, "%s", refusal)
	}
	ctx, over := api.LongLived(r.Context())
	ctx, cancel := context.WithTimeout(ctx, h.patience.session)
	s := &socket{conn: conn, limits: h.patience, ctx: ctx, cancel: cancel, undo: []func(){cancel, over, free}}
	conn.SetReadLimit(maxFrame)
	conn.SetPongHandler(func(string) error { return s.alive() })
	s.group.Go(s.ping)
	return s, nil
}

// alive moves the time at which a silent client counts as gone.
func (s *socket) alive() error {
	return s.conn.SetReadDeadline(time.Now().Add(s.limits.silence))
}

// ping asks for a sign of life now and then.
func (s *socket) ping() {
	tick := time.NewTicker(s.limits.ping)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			if s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(s.limits.write)) != nil {
				s.cancel()
				return
			}
		}
	}
}

// first reads the frame that says what the client wants.
func (s *socket) first(into any) error {
	if err := s.conn.SetReadDeadline(time.Now().Add(s.limits.first)); err != nil {
		return err
	}
	_, data, err := s.conn.ReadMessage()
	if err != nil {
		s.cancel()
		return err
	}
	return decodeObject(data, into)
}

// read hands every frame to hear until the client has gone, and then ends the
// session. It goes on reading while hear is slow only when hear returns.
func (s *socket) read(hear func(frame []byte)) {
	defer s.cancel()
	for {
		if s.alive() != nil {
			return
		}
		_, data, err := s.conn.ReadMessage()
		if err != nil {
			return
		}
		if hear != nil {
			hear(data)
		}
	}
}

// write sends one frame. A client that does not take it ends the session.
func (s *socket) write(kind int, frame []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := s.limits.write + time.Duration(len(frame)/slowest)*time.Second
	err := s.conn.SetWriteDeadline(time.Now().Add(limit))
	if err == nil {
		err = s.conn.WriteMessage(kind, frame)
	}
	if err != nil {
		s.cancel()
	}
	return err
}

// bye ends the session: it tells the client, waits a moment for its answer so
// that nothing under way is lost, and returns when nothing is left of it.
func (s *socket) bye(code int, reason string) {
	for len(reason) > 120 { // what a control frame holds
		reason = reason[:120]
	}
	goodbye := websocket.FormatCloseMessage(code, reason)
	s.mu.Lock()
	gone := s.conn.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(s.limits.close)) != nil
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.group.Wait(); close(done) }()
	if !gone {
		s.waitRead(done)
	}
	s.cancel()
	_ = s.conn.Close() // whatever it says, we are through with it
	<-done
	for _, f := range s.undo {
		f()
	}
}

// waitRead gives the reader a moment to hear the client's goodbye.
func (s *socket) waitRead(done <-chan struct{}) {
	timer := time.NewTimer(s.limits.close)
	defer timer.Stop()
	select {
	case <-done:
	case <-s.ctx.Done():
	case <-timer.C:
	}
}

// problem is what a client is told of an error in a session.
func problem(err error) string {
	var e *platform.Error
	switch {
	case errors.As(err, &e) && e.Code != platform.Internal && e.Field != "":
		return e.Field + ": " + e.Message
	case errors.As(err, &e) && e.Code != platform.Internal:
		return e.Message
	case errors.Is(err, context.DeadlineExceeded):
		return "the session has reached its limit; begin another"
	case errors.Is(err, context.Canceled):
		return "the session was ended"
	}
	return "An internal error occurred"
}

// status is how the end of a command is told, in the cluster's own form.
func status(code int, err error) []byte {
	type cause struct {
		Reason  string `json:"reason"`
		Message string `json:"message"`
	}
	type details struct {
		Causes []cause `json:"causes,omitempty"`
	}
	out := struct {
		Metadata struct{} `json:"metadata"`
		Status   string   `json:"status"`
		Message  string   `json:"message,omitempty"`
		Reason   string   `json:"reason,omitempty"`
		Details  *details `json:"details,omitempty"`
		Code     int      `json:"code,omitempty"`
	}{Status: "Success"}
	switch {
	case err != nil:
		out.Status, out.Reason, out.Message, out.Code = "Failure", "InternalError", problem(err), 500
	case code != 0:
		text, _ := json.Marshal(code)
		out.Status, out.Reason, out.Code = "Failure", "NonZeroExitCode", 500
		out.Message = "command terminated with exit code " + string(text)
		out.Details = &details{[]cause{{"ExitCode", string(text)}}}
	}
	raw, _ := json.Marshal(out) // strings and numbers always encode
	return raw
}
