package kube

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Attach connects to the process of a pod's first container.
//
// A process may have said something, or ended, before anybody can attach, and
// the runtime hands that over in the log only. So without a terminal all
// output is read from the log, from its beginning, and only the input is
// attached. With a terminal, prompts have to come through, which are no whole
// lines and so not in the log yet: there the output is attached, and what the
// log has of the time before is put in front.
func (c *Cluster) Attach(ctx context.Context, app, pod string, t control.Terminal) (int, error) {
	if _, err := c.findPod(ctx, app, pod); err != nil {
		return 0, translate(ctx, "Attach", err)
	}
	w, err := c.watchJob(ctx, app, pod)
	if err != nil {
		return 0, translate(ctx, "Attach", err)
	}
	defer w.stop()
	p, err := c.begun(ctx, w)
	if err != nil {
		return 0, translate(ctx, "Attach", err)
	}
	told := false
	if t.TTY && p.Spec.Containers[0].TTY && running(p) {
		told, err = c.attachTerminal(ctx, p, t)
	}
	if !told && ctx.Err() == nil {
		if p.Spec.Containers[0].TTY {
			t.Stdout = returns{t.Stdout}
		}
		err = c.attachPipes(ctx, p, t, w)
	}
	if err != nil {
		return 0, translate(ctx, "Attach", err)
	}
	code, err := c.exitCode(ctx, w, p)
	return code, translate(ctx, "Attach", err)
}

func (c *Cluster) attach(ctx context.Context, p *corev1.Pod, t control.Terminal) error {
	where := c.core.CoreV1().RESTClient().Post().Namespace(p.Namespace).Resource("pods").Name(p.Name).SubResource("attach").
		VersionedParams(&corev1.PodAttachOptions{
			Container: p.Spec.Containers[0].Name,
			Stdin:     t.Stdin != nil, Stdout: t.Stdout != nil, TTY: t.TTY,
		}, scheme.ParameterCodec).URL()
	_, err := c.stream(ctx, "Attach", where, t)
	return err
}

// attachTime is how long an attached process may be silent before the log is
// asked for what it said before. It answers the wish to be attached with
// nothing that could be waited for.
const attachTime = 500 * time.Millisecond

// attachTerminal reports whether anything was told; when not, an error may be
// because the process had ended just before.
func (c *Cluster) attachTerminal(ctx context.Context, p *corev1.Pod, t control.Terminal) (told bool, err error) {
	out := &joined{to: t.Stdout, first: make(chan struct{}), done: make(chan struct{})}
	t.Stdout = out
	inner, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	silent := make(chan struct{})
	t.Resize = nudged(inner, &group, t.Resize, silent)
	group.Go(func() {
		timer := time.NewTimer(attachTime)
		defer timer.Stop()
		defer close(out.done)
		select {
		case <-inner.Done():
			return
		case <-out.first:
		case <-timer.C:
			defer close(silent)
		}
		// What was said before is worth having, not worth failing for.
		var before bytes.Buffer
		_ = c.copyLog(inner, p.Namespace, p.Name, &corev1.PodLogOptions{Container: p.Spec.Containers[0].Name}, returns{&before})
		out.begin(before.Bytes())
	})
	if err = c.attach(ctx, p, t); err == nil {
		<-out.done
	}
	return out.result(err)
}

// nudged hands on the sizes of a terminal. When silent is closed it says that
// the size had changed for a moment: a program that waits at its prompt, which
// was written before anybody was there to see it, then writes it again.
func nudged(ctx context.Context, group *sync.WaitGroup, from <-chan control.Size, silent <-chan struct{}) <-chan control.Size {
	to := make(chan control.Size)
	group.Go(func() {
		var last control.Size
		send := func(s control.Size) {
			select {
			case to <- s:
			case <-ctx.Done():
			}
		}
		for {
			select {
			case <-ctx.Done():
				return
			case s, open := <-from:
				if !open {
					from = nil
					continue
				}
				last = s
				send(s)
			case <-silent:
				silent = nil
				if last.Height > 1 {
					send(control.Size{Width: last.Width, Height: last.Height - 1})
					send(last)
				}
			}
		}
	})
	return to
}

// returns gives the lines of a log back the carriage returns that a terminal
// needs and the log does not have.
type returns struct{ to io.Writer }

// Write adds what is missing.
func (r returns) Write(b []byte) (int, error) {
	plain := bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	_, err := r.to.Write(bytes.ReplaceAll(plain, []byte("\n"), []byte("\r\n")))
	return len(b), err
}

// attachPipes copies the log and attaches the input until the container has
// ended.
func (c *Cluster) attachPipes(ctx context.Context, p *corev1.Pod, t control.Terminal, w *jobWatch) error {
	inner, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	if t.Stdin != nil && p.Spec.Containers[0].Stdin && running(p) {
		group.Go(func() {
			// When the input breaks the process hears of its end, and says what
			// it has to say; the log goes on.
			_ = c.attach(inner, p, control.Terminal{Stdin: t.Stdin})
		})
	}
	told := &counting{to: t.Stdout}
	for {
		opts := &corev1.PodLogOptions{Container: p.Spec.Containers[0].Name, Follow: true}
		told.skip = told.done
		err := c.copyLog(ctx, p.Namespace, p.Name, opts, told)
		if told.failed != nil {
			return told.failed
		}
		now := w.pod()
		if ctx.Err() != nil || now == nil || !running(now) {
			return err
		}
		// The stream broke, or the watch does not know of the end yet.
		if err := w.sleep(ctx, maxBackoff); err != nil {
			return err
		}
	}
}

// exitCode waits for the container's end.
func (c *Cluster) exitCode(ctx context.Context, w *jobWatch, p *corev1.Pod) (int, error) {
	for {
		now := w.pod()
		if now == nil || now.UID != p.UID {
			return 0, platform.Errorf(platform.NotFound, "%s was removed before its end was known", p.Name)
		}
		if end := ended(now); end != nil {
			if now.Status.Reason == "DeadlineExceeded" {
				return 0, platform.Errorf(platform.Unprocessable, "the command was ended because its time was up")
			}
			return int(end.ExitCode), nil
		}
		if over(now) {
			return 0, platform.Errorf(platform.Unprocessable, "%s ended: %s", p.Name, now.Status.Message)
		}
		if err := w.sleep(ctx, quiet); err != nil {
			return 0, err
		}
	}
}

// joined holds back what comes until it is known what came before, and leaves
// out what is in both.
type joined struct {
	mu    sync.Mutex
	to    io.Writer
	first chan struct{} // closed when something came
	done  chan struct{} // closed when begin was called or never will be
	heard bool
	began bool
	told  bool
	held  []byte
	err   error
}

// maxHeld bounds what is held back; who says so much says it again.
const maxHeld = 1 << 20

// Write hands on or holds back.
func (j *joined) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.heard {
		j.heard = true
		close(j.first)
	}
	switch {
	case j.err != nil:
		return 0, j.err
	case j.began:
		j.told = true
		return j.to.Write(b)
	case len(j.held)+len(b) <= maxHeld:
		j.held = append(j.held, b...)
	}
	return len(b), nil
}

// begin tells what came before, and then what was held back of it.
func (j *joined) begin(before []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.began = true
	out := append(before, j.held[overlap(before, j.held):]...)
	if j.held = nil; len(out) > 0 {
		j.told = true
		_, j.err = j.to.Write(out)
	}
}

// result is whether anything was told, and the error of telling or else err.
func (j *joined) result(err error) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		err = j.err
	}
	return j.told, err
}

// maxOverlap is how much may have come twice in the moment of attaching.
const maxOverlap = 64 << 10

// overlap is the length of the longest end of a that b begins with.
func overlap(a, b []byte) int {
	for n := min(len(a), len(b), maxOverlap); n > 0; n-- {
		if bytes.HasSuffix(a, b[:n]) {
			return n
		}
	}
	return 0
}

// counting hands on all but the first bytes.
type counting struct {
	to         io.Writer
	done, skip int64
	failed     error
}

// Write leaves out what was handed on by an earlier stream of the same log.
func (c *counting) Write(b []byte) (int, error) {
	n := len(b)
	if c.skip >= int64(n) {
		c.skip -= int64(n)
		return n, nil
	}
	b = b[c.skip:]
	c.skip = 0
	c.done += int64(len(b))
	if _, err := c.to.Write(b); err != nil {
		c.failed = err
		return 0, err
	}
	return n, nil
}
