package drycc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/control"
)

// maxLogFrame is how much of a log is sent in one frame.
const maxLogFrame = 8 << 20

// logRequest is the first frame of a pod's log.
type logRequest struct {
	Lines     int    `json:"lines"`
	Follow    bool   `json:"follow"`
	Container string `json:"container"`
	Previous  bool   `json:"previous"`
}

// podLog sends the log of a pod.
func (h *Handler) podLog(r *request) (answer, error) {
	app, pod := r.params["app"], r.params["pod"]
	if err := h.core.MayRead(r.Context(), r.who, app, pod); err != nil {
		return answer{}, err
	}
	s, err := h.upgrade(r)
	if err != nil {
		return answer{}, err
	}
	var want logRequest
	err = s.first(&want)
	s.group.Go(func() { s.read(nil) })
	if err == nil {
		out := &textFrames{s: s, gather: !want.Follow}
		err = h.core.PodLog(s.ctx, r.who, app, pod, control.LogOptions(want), out)
		err = errors.Join(err, out.flush())
	}
	noteFailure(r, err)
	switch {
	case err == nil:
		s.bye(websocket.CloseNormalClosure, "")
	case s.ctx.Err() != nil:
		s.bye(websocket.CloseNormalClosure, problem(s.ctx.Err()))
	default:
		s.bye(websocket.CloseInternalServerErr, problem(err))
	}
	return answer{}, nil
}

// textFrames sends text, which frames may not break within a character.
type textFrames struct {
	s      *socket
	gather bool // all in one frame
	held   []byte
}

// Write sends what is whole, or gathers.
func (f *textFrames) Write(b []byte) (int, error) {
	f.held = append(f.held, b...)
	if f.gather && len(f.held) < maxLogFrame {
		return len(b), nil
	}
	whole := wholeRunes(f.held)
	if whole == 0 {
		return len(b), nil
	}
	err := f.send(f.held[:whole])
	f.held = append([]byte(nil), f.held[whole:]...)
	return len(b), err
}

func (f *textFrames) flush() error {
	if len(f.held) == 0 {
		return nil
	}
	return f.send(f.held)
}

func (f *textFrames) send(b []byte) error {
	return f.s.write(websocket.TextMessage, []byte(strings.ToValidUTF8(string(b), "\uFFFD")))
}

// wholeRunes is the length of b without the beginning of a character at its
// end.
func wholeRunes(b []byte) int {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if utf8.FullRune(b[i:]) {
				return len(b)
			}
			return i
		}
	}
	return len(b)
}

// appLog sends the log of all of an app as text, a line for each line.
func (h *Handler) appLog(r *request) (answer, error) {
	lines, follow, err := logQuery(r)
	if err != nil {
		return answer{}, err
	}
	app := r.params["app"]
	if !follow {
		var b strings.Builder
		err := h.core.AppLog(r.Context(), r.who, app, lines, false, func(l platform.LogLine) error {
			b.WriteString(logText(app, l))
			return nil
		})
		return answer{http.StatusOK, plain(b.String())}, err
	}
	return h.followText(r, func(ctx context.Context, out *textStream) error {
		return h.core.AppLog(ctx, r.who, app, lines, true, func(l platform.LogLine) error { return out.send(logText(app, l)) })
	})
}

// followText answers with the text that follow sends for as long as it goes
// on. An error before its first line is the answer.
func (h *Handler) followText(r *request, follow func(ctx context.Context, out *textStream) error) (answer, error) {
	free, err := h.sessions.take(r.who.User.Username)
	if err != nil {
		return answer{}, err
	}
	defer free()
	ctx, over := api.LongLived(r.Context())
	defer over()
	ctx, cancel := context.WithTimeout(ctx, h.patience.session)
	defer cancel()
	out := &textStream{w: r.w, control: http.NewResponseController(r.w), limit: h.patience.write}
	err = follow(ctx, out)
	if !out.begun && ctx.Err() == nil && err != nil {
		return answer{}, err
	}
	noteFailure(r, err)
	return answer{}, out.begin() // a log that said nothing is an empty answer
}

func logQuery(r *request) (lines int, follow bool, err error) {
	q := r.URL.Query()
	if s := q.Get("log_lines"); s != "" {
		if lines, err = strconv.Atoi(s); err != nil || lines < 0 {
			return 0, false, platform.FieldErrorf("log_lines", "A valid number of lines is required.")
		}
	}
	if s := q.Get("follow"); s != "" {
		if follow, err = strconv.ParseBool(s); err != nil {
			return 0, false, platform.FieldErrorf("follow", "Expected true or false.")
		}
	}
	return lines, follow, nil
}

// logText is a line as it is shown; the platform's own have no process.
func logText(app string, l platform.LogLine) string {
	from := "drycc[api]"
	if l.Pod != "" {
		from = fmt.Sprintf("%s[%s.%s]", app, l.Ptype, l.Pod)
	}
	text := strings.ReplaceAll(strings.TrimRight(l.Text, "\r\n"), "\n", " ")
	return fmt.Sprintf("%s %s: %s\n", l.Time.UTC().Format(time.RFC3339), from, text)
}

// textStream is an answer that goes on.
type textStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
	begun   bool
}

// begin sends the head and takes the time limits off that the listener has for
// ordinary answers.
func (t *textStream) begin() error {
	if t.begun {
		return nil
	}
	t.begun = true
	// Without these, on a writer that has no deadlines, the answer is only cut
	// off sooner.
	_ = t.control.SetReadDeadline(time.Time{})
	_ = t.control.SetWriteDeadline(time.Now().Add(t.limit))
	head := t.w.Header()
	head.Set("Content-Type", "text/plain; charset=utf-8")
	head.Set("X-Accel-Buffering", "no") // for proxies that would wait for more
	t.w.WriteHeader(http.StatusOK)
	return t.control.Flush()
}

// send writes and flushes a line; a client that does not take it is given up.
func (t *textStream) send(line string) error {
	if err := t.begin(); err != nil {
		return err
	}
	_ = t.control.SetWriteDeadline(time.Now().Add(t.limit))
	if _, err := t.w.Write([]byte(line)); err != nil {
		return err
	}
	return t.control.Flush()
}
