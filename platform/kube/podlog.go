package kube

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const (
	// maxLine bounds a line of a log; the runtime splits longer ones at 16 KiB
	// anyway.
	maxLine = 64 << 10
	// snapshotBytes bounds what is held of all logs of an app at once.
	snapshotBytes = 32 << 20
	podsAtOnce    = 8
)

// PodLog copies a container's log to w. With Follow the log of a pod that has
// not begun yet is waited for.
func (c *Cluster) PodLog(ctx context.Context, app, pod string, o control.LogOptions, w io.Writer) error {
	return translate(ctx, "PodLog", c.podLog(ctx, app, pod, o, w))
}

func (c *Cluster) podLog(ctx context.Context, app, name string, o control.LogOptions, w io.Writer) error {
	p, err := c.findPod(ctx, app, name)
	if err != nil {
		return err
	}
	if o.Follow && (p == nil || !over(p) && !running(p) && ended(p) == nil) {
		watch, err := c.watchJob(ctx, app, name)
		if err != nil {
			return err
		}
		p, err = c.begun(ctx, watch)
		watch.stop()
		if err != nil {
			return err
		}
	}
	if p == nil {
		return nil // nothing has been said yet
	}
	opts := &corev1.PodLogOptions{Container: o.Container, Follow: o.Follow, Previous: o.Previous}
	if opts.Container == "" {
		opts.Container = p.Spec.Containers[0].Name
	}
	if o.Lines > 0 {
		opts.TailLines = ptr(int64(o.Lines))
	}
	if !slices.ContainsFunc(p.Spec.Containers, func(cn corev1.Container) bool { return cn.Name == opts.Container }) {
		return platform.FieldErrorf("container", "the pod has no container %s", opts.Container)
	}
	return c.copyLog(ctx, app, p.Name, opts, w)
}

func (c *Cluster) copyLog(ctx context.Context, app, pod string, opts *corev1.PodLogOptions, w io.Writer) error {
	stream, err := c.core.CoreV1().Pods(app).GetLogs(pod, opts).Stream(ctx)
	if apierrors.IsBadRequest(err) {
		return noLogYet(err)
	}
	if err != nil {
		return err
	}
	defer stream.Close()
	_, err = io.Copy(w, stream)
	return err
}

// noLogYet words the API server's refusal, which may be about a container
// that is still being made or about one that never ended before.
func noLogYet(err error) error {
	return platform.Errorf(platform.Unprocessable, "there is no log: %s", statusMessage(err))
}

// begun waits until the pod of w, which was there a moment ago or its Job was,
// runs or has run, or cannot.
func (c *Cluster) begun(ctx context.Context, w *jobWatch) (*corev1.Pod, error) {
	for {
		p := w.pod()
		if _, there := w.jobs.get(w.name); p == nil && !there {
			return nil, platform.Errorf(platform.NotFound, "%s was removed", w.name)
		}
		if p != nil && (running(p) || ended(p) != nil || over(p)) {
			return p, nil
		}
		t, again := w.trouble(c.now(), p)
		if t != nil {
			return nil, platform.Errorf(platform.Unprocessable, "%s", t.reason)
		}
		if err := w.sleep(ctx, again.Sub(c.now())); err != nil {
			return nil, err
		}
	}
}

// Logs lists the newest lines of all pods, oldest first.
func (c *Cluster) Logs(ctx context.Context, app string, lines int) ([]platform.LogLine, error) {
	list, err := c.core.CoreV1().Pods(app).List(ctx, metav1.ListOptions{LabelSelector: appSelector(app)})
	if err != nil {
		return nil, translate(ctx, "Logs", err)
	}
	each := make([][]platform.LogLine, len(list.Items))
	var group errgroup.Group
	group.SetLimit(podsAtOnce)
	for i := range list.Items {
		group.Go(func() (err error) {
			each[i], err = c.lastLines(ctx, &list.Items[i], lines, snapshotBytes/len(list.Items))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, translate(ctx, "Logs", err)
	}
	all := slices.Concat(each...)
	slices.SortStableFunc(all, func(a, b platform.LogLine) int { return a.Time.Compare(b.Time) })
	return all[max(0, len(all)-lines):], nil
}

// lastLines are the newest of one pod, of at most so many bytes. A pod that
// has not begun or is gone has none.
func (c *Cluster) lastLines(ctx context.Context, p *corev1.Pod, lines, bytes int) ([]platform.LogLine, error) {
	stream, err := c.core.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{
		Container: p.Spec.Containers[0].Name, Timestamps: true, TailLines: ptr(int64(lines)),
	}).Stream(ctx)
	if apierrors.IsBadRequest(err) || apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	var out []platform.LogLine
	held := 0
	err = eachLine(stream, func(at time.Time, text string) error {
		out = append(out, platform.LogLine{Time: at, Ptype: p.Labels[labelType], Pod: p.Name, Text: text})
		for held += len(text); held > bytes && len(out) > 1; out = out[1:] {
			held -= len(out[0].Text)
		}
		return nil
	})
	return out, err
}

// eachLine hands over the lines of a log with timestamps.
func eachLine(r io.Reader, hear func(at time.Time, text string) error) error {
	buffered := bufio.NewReaderSize(r, maxLine)
	var last time.Time
	for {
		raw, more, err := buffered.ReadLine()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		_ = more // the rest of a line that is too long is told as one of its own
		line := string(raw)
		if stamp, text, ok := strings.Cut(line, " "); ok {
			if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
				line, last = text, at
			}
		}
		if err := hear(last, strings.ToValidUTF8(line, "\uFFFD")); err != nil {
			return err
		}
	}
}
