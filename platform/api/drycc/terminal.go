package drycc

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/control"
)

// The channels of a terminal's frames: the first byte of each.
const (
	channelStdin  = 0
	channelStdout = 1
	channelStderr = 2
	channelStatus = 3 // how the command ended, once, at the end
	channelResize = 4
	channelClose  = 255 // followed by the channel that has ended: 255 0 ends the input
)

// maxGathered is how much output is gathered for one frame.
const maxGathered = 1 << 20

// terminalRequest is the first frame of a terminal.
type terminalRequest struct {
	TTY     bool     `json:"tty"`
	Stdin   bool     `json:"stdin"`
	Command []string `json:"command"`
}

// execPod runs a command in a pod.
func (h *Handler) execPod(r *request) (answer, error) {
	app, pod := r.params["app"], r.params["pod"]
	if err := h.core.MayEnter(r.Context(), r.who, app, pod); err != nil {
		return answer{}, err
	}
	return answer{}, h.terminal(r, true, func(ctx context.Context, want terminalRequest, t control.Terminal) (int, error) {
		return h.core.Exec(ctx, r.who, app, pod, want.Command, t)
	})
}

// attachPod connects to the process of a pod.
func (h *Handler) attachPod(r *request) (answer, error) {
	app, pod := r.params["app"], r.params["pod"]
	if err := h.core.MayEnter(r.Context(), r.who, app, pod); err != nil {
		return answer{}, err
	}
	return answer{}, h.terminal(r, false, func(ctx context.Context, want terminalRequest, t control.Terminal) (int, error) {
		if len(want.Command) > 0 {
			return 0, platform.FieldErrorf("command", "This field is not known here.")
		}
		return h.core.Attach(ctx, r.who, app, pod, t)
	})
}

// terminal is a session with a command. With gather the output of a command
// without input is sent in as few frames as can be, because there are clients
// that show only the first.
func (h *Handler) terminal(r *request, gather bool, run func(context.Context, terminalRequest, control.Terminal) (int, error)) error {
	s, err := h.upgrade(r)
	if err != nil {
		return err
	}
	defer s.bye(websocket.CloseNormalClosure, "")
	var want terminalRequest
	if err := s.first(&want); err != nil {
		_ = s.channel(channelStatus, status(0, err)) // or the client has left
		s.group.Go(func() { s.read(nil) })
		return nil
	}
	stdin, typed := io.Pipe()
	resize := make(chan control.Size, 1)
	s.group.Go(func() {
		defer close(resize)
		defer typed.Close()
		s.read(func(frame []byte) { heard(frame, typed, resize) })
	})
	out := &output{s: s, gather: gather && !want.Stdin}
	t := control.Terminal{Stdout: out.on(channelStdout), Stderr: out.on(channelStderr), TTY: want.TTY, Resize: resize}
	if want.Stdin {
		t.Stdin = stdin
	}
	code, err := run(s.ctx, want, t)
	_ = typed.Close() // lets go of who still types and of who still reads
	noteFailure(r, err)
	// What fails here has ended the session already.
	_ = out.flush()
	_ = s.channel(channelStatus, status(code, err))
	return nil
}

// noteFailure keeps the cause of an error of ours for the log; the client is
// told less.
func noteFailure(r *request, err error) {
	if platform.CodeOf(err) == platform.Internal && r.Context().Err() == nil {
		api.TraceOf(r.Context()).Err = err
	}
}

// heard hands a client's frame on. What has no meaning is left out.
func heard(frame []byte, typed *io.PipeWriter, resize chan control.Size) {
	if len(frame) == 0 {
		return
	}
	switch data := frame[1:]; frame[0] {
	case channelStdin:
		_, _ = typed.Write(data) // fails when the command has ended, which is told otherwise
	case channelClose:
		if bytes.Equal(data, []byte{channelStdin}) {
			_ = typed.Close()
		}
	case channelResize:
		var size control.Size
		if json.Unmarshal(data, &size) != nil || size.Width == 0 || size.Height == 0 {
			return
		}
		select { // only the last size counts
		case <-resize:
		default:
		}
		resize <- size
	}
}

// channel sends a frame on a channel.
func (s *socket) channel(channel byte, data []byte) error {
	return s.write(websocket.BinaryMessage, append([]byte{channel}, data...))
}

// output is what a command says, on its way to the client.
type output struct {
	s      *socket
	gather bool

	mu       sync.Mutex
	gathered [3][]byte // by channel
	size     int
}

// channelWriter is output on one channel.
type channelWriter struct {
	out     *output
	channel byte
}

func (o *output) on(channel byte) io.Writer { return channelWriter{o, channel} }

// Write sends or gathers.
func (w channelWriter) Write(b []byte) (int, error) {
	o := w.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.gather {
		return len(b), o.s.channel(w.channel, b)
	}
	o.gathered[w.channel] = append(o.gathered[w.channel], b...)
	if o.size += len(b); o.size < maxGathered {
		return len(b), nil
	}
	o.gather = false
	return len(b), o.sendGathered()
}

// flush sends what was gathered.
func (o *output) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sendGathered()
}

func (o *output) sendGathered() error {
	for channel, data := range o.gathered {
		o.gathered[channel] = nil
		if len(data) == 0 {
			continue
		}
		if err := o.s.channel(byte(channel), data); err != nil {
			return err
		}
	}
	return nil
}
