package drycc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/control"
)

// online is a stage with a deployed app that is listened to over TCP.
type online struct {
	*stage
	url     string
	dialect *Handler
}

func goOnline(t *testing.T, change func(*patience)) *online {
	t.Helper()
	s := newStage(t)
	require.Equal(t, http.StatusCreated, s.send("adalove", "POST", "/v2/apps/", `{"id": "hello"}`).Code)
	require.Equal(t, http.StatusCreated, s.send("adalove", "POST", "/v2/apps/hello/build/", `{"image": "slipway.internal/hello:1"}`).Code)
	s.settle()
	dialect := New(s.core)
	if change != nil {
		change(&dialect.patience)
	}
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	handler, err := api.NewHandler(api.HandlerOptions{Mounts: []api.Mount{{Dialect: dialect}}, Logger: logger})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	o := &online{stage: s, url: server.URL, dialect: dialect}
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		o.noneLeft()
	})
	return o
}

// noneLeft waits until no goroutine is in a session any more.
func (o *online) noneLeft() {
	o.t.Helper()
	assert.Eventually(o.t, func() bool {
		var stacks bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		return !strings.Contains(stacks.String(), "drycc.(*socket)") && !strings.Contains(stacks.String(), "drycc.(*Handler).appLog")
	}, 10*time.Second, time.Millisecond, "a session has left something behind")
	o.dialect.sessions.mu.Lock()
	defer o.dialect.sessions.mu.Unlock()
	assert.Zero(o.t, o.dialect.sessions.total)
	assert.Empty(o.t, o.dialect.sessions.users)
}

func (o *online) header(who string) http.Header {
	h := http.Header{"Origin": {o.url}}
	if who != "nobody" {
		h.Set("Authorization", "token "+o.tokens[who])
	}
	return h
}

// dial opens a websocket; the answer's body is read.
func (o *online) dial(who, path string) (*websocket.Conn, int, string) {
	o.t.Helper()
	conn, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(o.url, "http")+path, o.header(who))
	if err != nil {
		require.ErrorIs(o.t, err, websocket.ErrBadHandshake)
		body, err := io.ReadAll(resp.Body)
		require.NoError(o.t, err)
		return nil, resp.StatusCode, string(body)
	}
	assert.Equal(o.t, []string{"2.3"}, resp.Header["Drycc_api_version"], "as read by net/http")
	o.t.Cleanup(func() { _ = conn.Close() })
	return conn, resp.StatusCode, ""
}

func (o *online) open(path, first string) *websocket.Conn {
	o.t.Helper()
	conn, status, body := o.dial("adalove", path)
	require.NotNil(o.t, conn, "%d %s", status, body)
	require.NoError(o.t, conn.WriteMessage(websocket.TextMessage, []byte(first)))
	return conn
}

// rest reads all frames until the server closes; the close code is returned.
func rest(t *testing.T, conn *websocket.Conn) (frames []string, code int) {
	t.Helper()
	for {
		_, data, err := conn.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			return frames, closed.Code
		}
		require.NoError(t, err)
		frames = append(frames, string(data))
	}
}

const (
	web0    = "/v2/apps/hello/pods/hello-web-0"
	success = "\x03" + `{"metadata":{},"status":"Success"}`
)

func TestSocketRefusals(t *testing.T) {
	o := goOnline(t, nil)
	for _, tc := range []struct {
		who, path string
		status    int
		body      string
	}{
		{"nobody", web0 + "/logs/", 401, "Authentication credentials"},
		{"bobross", web0 + "/logs/", 403, "permission"},
		{"bobross", web0 + "/exec/", 403, "permission"},
		{"bobross", web0 + "/attach/", 403, "permission"},
		{"adalove", "/v2/apps/hello/pods/absent/logs/", 400, "this process not found"},
		{"adalove", "/v2/apps/hello/pods/absent/exec/", 400, "this process not found"},
		{"adalove", "/v2/apps/absent/pods/absent/exec/", 404, "NOT_FOUND"},
		{"bobross", "/v2/apps/hello/pods/absent/exec/", 403, "permission"},
	} {
		_, status, body := o.dial(tc.who, tc.path)
		assert.Equal(t, tc.status, status, "%s %s", tc.who, tc.path)
		assert.Contains(t, body, tc.body)
	}
	for _, kind := range []string{"logs", "exec", "attach"} {
		w := o.send("adalove", "GET", web0+"/"+kind+"/", "")
		assert.Equal(t, http.StatusBadRequest, w.Code, "not upgraded")
		assert.Contains(t, w.Body.String(), "websocket")
	}
}

func TestSocketLogs(t *testing.T) {
	o := goOnline(t, nil)
	conn := o.open(web0+"/logs/", `{"lines": 300, "follow": false, "container": "", "previous": false}`)
	frames, code := rest(t, conn)
	assert.Empty(t, frames, "nothing was said yet")
	assert.Equal(t, 1000, code)

	o.cluster.Say("hello", platform.LogLine{Pod: "hello-web-0", Text: "one"})
	o.cluster.Say("hello", platform.LogLine{Pod: "hello-web-0", Text: "tw\xff ö"})
	frames, code = rest(t, o.open(web0+"/logs", `{"lines": -1}`))
	assert.Equal(t, []string{"one\ntw\uFFFD ö\n"}, frames, "one frame of text")
	assert.Equal(t, 1000, code)

	conn = o.open(web0+"/logs/", `{"follow": true}`)
	read := func() string {
		kind, data, err := conn.ReadMessage()
		require.NoError(t, err)
		assert.Equal(t, websocket.TextMessage, kind)
		return string(data)
	}
	assert.Equal(t, "one\n", read())
	assert.Equal(t, "tw\uFFFD ö\n", read())
	o.cluster.Say("hello", platform.LogLine{Pod: "hello-web-0", Text: "three"})
	assert.Equal(t, "three\n", read())
	require.NoError(t, conn.Close()) // noneLeft sees that the server notices

	frames, code = rest(t, o.open(web0+"/logs/", `{"lines": "many"}`))
	assert.Empty(t, frames)
	assert.Equal(t, 1011, code)
	frames, code = rest(t, o.open(web0+"/logs/", `{"color": true}`))
	assert.Empty(t, frames)
	assert.Equal(t, 1011, code)
}

// shell is a command that says what it is told, in a way that shows how.
func shell(_ context.Context, _ string, words []string, t control.Terminal) (int, error) {
	_, _ = io.WriteString(t.Stdout, "$ "+strings.Join(words, "|")+"\n")
	if t.Stdin != nil {
		input, err := io.ReadAll(t.Stdin)
		if err != nil {
			return 0, err
		}
		_, _ = t.Stdout.Write(bytes.ToUpper(input))
	}
	if t.TTY {
		size := <-t.Resize
		_, _ = io.WriteString(t.Stdout, string(rune('0'+size.Width))+"x"+string(rune('0'+size.Height)))
		return 0, nil
	}
	_, _ = io.WriteString(t.Stderr, "warning\n")
	_, _ = io.WriteString(t.Stdout, "bye\n")
	return 3, nil
}

func exitCode(t *testing.T, frame string) string {
	t.Helper()
	require.Equal(t, byte(channelStatus), frame[0])
	var s struct {
		Status, Reason, Message string
		Details                 struct {
			Causes []struct{ Reason, Message string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(frame[1:]), &s))
	require.Equal(t, "Failure", s.Status)
	require.Equal(t, "NonZeroExitCode", s.Reason)
	require.Equal(t, "ExitCode", s.Details.Causes[0].Reason)
	return s.Details.Causes[0].Message
}

func TestSocketExecGathers(t *testing.T) {
	o := goOnline(t, nil)
	o.cluster.Play(shell)
	frames, code := rest(t, o.open(web0+"/exec/", `{"tty": false, "stdin": false, "command": ["sh", "-c", "a b"]}`))
	require.Len(t, frames, 3)
	assert.Equal(t, "\x01$ sh|-c|a b\nbye\n", frames[0], "all output in the first frame")
	assert.Equal(t, "\x02warning\n", frames[1])
	assert.Equal(t, "3", exitCode(t, frames[2]))
	assert.Equal(t, 1000, code)

	large := strings.Repeat("x", maxGathered/2)
	o.cluster.Play(func(_ context.Context, _ string, _ []string, t control.Terminal) (int, error) {
		for range 5 {
			_, _ = io.WriteString(t.Stdout, large)
		}
		return 0, nil
	})
	frames, _ = rest(t, o.open(web0+"/exec/", `{"command": ["cat"]}`))
	require.Len(t, frames, 5, "what is too much is sent on")
	assert.Len(t, frames[0], maxGathered+1)
	assert.Equal(t, success, frames[4])
}

func TestSocketExecWithInput(t *testing.T) {
	o := goOnline(t, nil)
	o.cluster.Play(shell)
	conn := o.open(web0+"/exec/", `{"stdin": true, "command": ["cat"]}`)
	for _, frame := range []string{"\x00hello ", "", "\x09unknown channel", "\xff\x07", "\x00world\n", "\xff\x00", "\x00too late"} {
		require.NoError(t, conn.WriteMessage(websocket.BinaryMessage, []byte(frame)))
	}
	frames, code := rest(t, conn)
	require.Len(t, frames, 5)
	assert.Equal(t, []string{"\x01$ cat\n", "\x01HELLO WORLD\n", "\x02warning\n", "\x01bye\n"}, frames[:4], "as it comes")
	assert.Equal(t, "3", exitCode(t, frames[4]))
	assert.Equal(t, 1000, code)
}

func TestSocketTerminalSize(t *testing.T) {
	o := goOnline(t, nil)
	o.cluster.Play(shell)
	conn := o.open(web0+"/attach/", `{"tty": true}`)
	_, data, err := conn.ReadMessage()
	require.NoError(t, err)
	assert.Equal(t, "\x01$ \n", string(data))
	for _, frame := range []string{"\x04nonsense", "\x04" + `{"Width": 0, "Height": 9}`, "\x04" + `{"Height": 4, "Width": 8}`} {
		require.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte(frame)))
	}
	frames, code := rest(t, conn)
	assert.Equal(t, []string{"\x018x4", success}, frames)
	assert.Equal(t, 1000, code)
}

func TestSocketExecRefusals(t *testing.T) {
	o := goOnline(t, nil)
	for first, says := range map[string]string{
		`{"command": []}`:                   "command: This field is required.",
		`{"command": "ls"}`:                 "command: Expected a list, but got a string.",
		`{"shell": "ls"}`:                   "shell: This field is not known here.",
		`{`:                                 "JSON parse error",
		"\xff":                              "not UTF-8",
		`{"command": ["x"]} {"more": true}`: "there is more after the object",
	} {
		frames, code := rest(t, o.open(web0+"/exec/", first))
		require.Len(t, frames, 1, first)
		assert.Contains(t, frames[0], says)
		assert.Equal(t, 1000, code)
	}
	frames, _ := rest(t, o.open(web0+"/attach/", `{"command": ["ls"]}`))
	assert.Contains(t, frames[0], "command: This field is not known here.")

	o.cluster.Play(func(context.Context, string, []string, control.Terminal) (int, error) {
		return 0, platform.Errorf(platform.Unprocessable, "the image has no program bash")
	})
	frames, _ = rest(t, o.open(web0+"/exec/", `{"command": ["bash"]}`))
	assert.Contains(t, frames[0], "the image has no program bash")
	o.cluster.Play(func(context.Context, string, []string, control.Terminal) (int, error) {
		return 0, errors.New("s3cret cause")
	})
	frames, _ = rest(t, o.open(web0+"/exec/", `{"command": ["bash"]}`))
	assert.NotContains(t, frames[0], "s3cret")
}
