package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// The channels of a terminal's frames; each frame begins with one of these.
const (
	channelStdin = iota
	channelStdout
	channelStderr
	channelStatus
	channelResize
	channelClose = 255 // followed by the channel that has ended
)

// pingEvery keeps proxies from ending a quiet connection.
const pingEvery = 30 * time.Second

// stream is a websocket that may be written from several goroutines.
type stream struct {
	conn *websocket.Conn
	mu   sync.Mutex
}

// open connects a websocket and sends its first frame. The caller closes it;
// the end of ctx closes it as well.
func (c *Client) open(ctx context.Context, path string, first any) (*stream, error) {
	target := *c.base
	target.Scheme = map[string]string{"http": "ws", "https": "wss"}[c.base.Scheme]
	config := c.tls.Clone()
	config.NextProtos = nil // websockets are HTTP/1.1
	dialer := websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, NetDialContext: dial, TLSClientConfig: config,
		HandshakeTimeout: dialTimeout, WriteBufferSize: 32 << 10, ReadBufferSize: 32 << 10,
	}
	header := c.header()
	header.Set("Origin", c.base.String())
	conn, res, err := dialer.DialContext(ctx, target.String()+path, header)
	if res != nil && err != nil {
		body, _ := io.ReadAll(io.LimitReader(res.Body, mostBody)) // what is missing of a refusal's text is missing
		return nil, newError(call{method: http.MethodGet, path: path}, res, body)
	}
	if err != nil {
		return nil, c.unreachable(ctx, &url.Error{Op: "connect", URL: path, Err: err})
	}
	c.checkVersion(res.Header)
	s := &stream{conn: conn}
	context.AfterFunc(ctx, func() { _ = conn.Close() }) // reads and writes end with an error
	if first == nil {
		return s, nil
	}
	raw, err := json.Marshal(first)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := s.write(websocket.TextMessage, raw); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return s, nil
}

func (s *stream) write(kind int, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn.WriteMessage(kind, data)
}

// keepAlive pings until done is closed.
func (s *stream) keepAlive(done <-chan struct{}) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
			// A broken connection shows itself to the reader.
			_ = s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(dialTimeout))
		}
	}
}

// read gives every frame to take until the other side closes. It returns nil
// for a regular end and ctx's error when that ended.
func (s *stream) read(ctx context.Context, take func(data []byte) error) error {
	done := make(chan struct{})
	defer close(done)
	go s.keepAlive(done)
	for {
		_, data, err := s.conn.ReadMessage()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseNoStatusReceived):
			return nil
		case err != nil:
			return fmt.Errorf("the connection broke off: %w", err)
		}
		if err := take(data); err != nil {
			return err
		}
	}
}

// LogOptions says which part of a pod's log is wanted.
type LogOptions struct {
	Lines     int    // the last ones; all when not positive
	Follow    bool   // go on with what is yet to come
	Container string // empty for the pod's main one
	Previous  bool   // of the container before its last restart
}

// Logs writes a pod's log to out.
func (c *Client) Logs(ctx context.Context, app, pod string, o LogOptions, out io.Writer) error {
	s, err := c.open(ctx, appPath(app, "pods", pod, "logs"), map[string]any{
		"lines": o.Lines, "follow": o.Follow, "container": o.Container, "previous": o.Previous,
	})
	if err != nil {
		return err
	}
	defer s.conn.Close()
	return s.read(ctx, func(data []byte) error {
		_, err := out.Write(data)
		return err
	})
}

// Size is that of a terminal, in characters.
type Size struct {
	Height, Width int
}

// Terminal is what a command in a container is joined with.
type Terminal struct {
	Command []string
	TTY     bool
	Stdin   io.Reader // nil: none
	Stdout  io.Writer
	Stderr  io.Writer
	Resize  <-chan Size // nil: never; may be closed
}

// Exec runs a command in a running pod and returns its exit code. Input that
// ends at once, instead of none, has the output come as it is said.
func (c *Client) Exec(ctx context.Context, app, pod string, t Terminal) (int, error) {
	s, err := c.open(ctx, appPath(app, "pods", pod, "exec"), map[string]any{
		"tty": t.TTY, "stdin": true, "command": t.Command,
	})
	if err != nil {
		return 0, err
	}
	if t.Stdin == nil {
		t.Stdin = strings.NewReader("")
	}
	return s.join(ctx, t)
}

// Attach joins the process of a pod or of a run, for whose beginning it waits,
// and returns its exit code. t.Command has no meaning.
func (c *Client) Attach(ctx context.Context, app, pod string, t Terminal) (int, error) {
	s, err := c.open(ctx, appPath(app, "pods", pod, "attach"), map[string]any{"tty": t.TTY, "stdin": t.Stdin != nil})
	if err != nil {
		return 0, err
	}
	return s.join(ctx, t)
}

// RunRequest is a command that runs once in a pod of its own.
type RunRequest struct {
	// Command is a []string, taken as it is, or a string, split at white space;
	// nil for what the build itself says.
	Command any               `json:"command,omitempty"`
	Ptype   string            `json:"ptype,omitempty"`
	Volumes map[string]string `json:"volumes,omitempty"` // volume → path
	Timeout int               `json:"timeout,omitempty"` // seconds
	Expires int               `json:"expires,omitempty"` // seconds
	Stdin   bool              `json:"stdin,omitempty"`   // wait for Attach
	TTY     bool              `json:"tty,omitempty"`
}

// Run starts a command and returns the name that Attach and Logs take for it.
// The name is empty when the controller does not tell it.
func (c *Client) Run(ctx context.Context, app string, in RunRequest) (string, error) {
	k := call{method: http.MethodPost, path: strings.TrimSuffix(appPath(app, "run"), "/"), in: in}
	res, err := c.send(ctx, k)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		body, _ := io.ReadAll(io.LimitReader(res.Body, mostBody)) // the status says enough
		return "", newError(k, res, body)
	}
	return res.Header.Get("X-Drycc-Run"), nil
}

// join passes a terminal's input and output until the command ends. It does
// not wait for a read of Stdin that is under way: nobody can end that.
func (s *stream) join(ctx context.Context, t Terminal) (int, error) {
	defer s.conn.Close()
	done := make(chan struct{})
	defer close(done)
	if t.Stdin != nil {
		go s.sendInput(t.Stdin)
	}
	if t.Resize != nil {
		go s.sendSizes(t.Resize, done)
	}
	var final *status
	err := s.read(ctx, func(data []byte) error {
		if len(data) == 0 {
			return nil
		}
		switch data[0] {
		case channelStdout:
			return writeAll(t.Stdout, data[1:])
		case channelStderr:
			return writeAll(t.Stderr, data[1:])
		case channelStatus:
			final = parseStatus(data[1:])
		}
		return nil
	})
	if final != nil {
		return final.code()
	}
	return 0, err
}

func writeAll(w io.Writer, data []byte) error {
	if w == nil {
		return nil
	}
	_, err := w.Write(data)
	return err
}

// sendInput passes input on and says when there is no more.
func (s *stream) sendInput(in io.Reader) {
	buffer := make([]byte, 32<<10)
	buffer[0] = channelStdin
	for {
		n, err := in.Read(buffer[1:])
		if n > 0 && s.write(websocket.BinaryMessage, buffer[:n+1]) != nil {
			return // the reader sees the broken connection
		}
		if err != nil {
			_ = s.write(websocket.BinaryMessage, []byte{channelClose, channelStdin})
			return
		}
	}
}

func (s *stream) sendSizes(sizes <-chan Size, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case size, ok := <-sizes:
			if !ok {
				return
			}
			raw, err := json.Marshal(size)
			if err != nil || s.write(websocket.BinaryMessage, append([]byte{channelResize}, raw...)) != nil {
				return
			}
		}
	}
}

// status is the part of a Kubernetes Status that tells how a command ended.
type status struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Details struct {
		Causes []struct {
			Reason  string `json:"reason"`
			Message string `json:"message"`
		} `json:"causes"`
	} `json:"details"`
}

func parseStatus(data []byte) *status {
	var s status
	if json.Unmarshal(data, &s) != nil {
		s = status{Status: "Failure", Message: string(data)}
	}
	return &s
}

// code is the command's exit code, or why there is none.
func (s *status) code() (int, error) {
	if s.Status == "Success" {
		return 0, nil
	}
	for _, cause := range s.Details.Causes {
		if cause.Reason != "ExitCode" {
			continue
		}
		if n, err := strconv.Atoi(cause.Message); err == nil {
			return n, nil
		}
	}
	if s.Message == "" {
		return 0, errors.New("the command did not run")
	}
	return 0, errors.New(s.Message)
}
