package kube

import (
	"context"
	"errors"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Exec runs a command in the first container of a pod.
func (c *Cluster) Exec(ctx context.Context, app, pod string, command []string, t control.Terminal) (int, error) {
	p, err := c.findPod(ctx, app, pod)
	if err != nil {
		return 0, translate(ctx, "Exec", err)
	}
	if p == nil || !running(p) {
		return 0, platform.Errorf(platform.Unprocessable, "%s is not running, so no command can be run in it", pod)
	}
	where := c.core.CoreV1().RESTClient().Post().Namespace(app).Resource("pods").Name(p.Name).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: p.Spec.Containers[0].Name, Command: command,
			Stdin: t.Stdin != nil, Stdout: true, Stderr: !t.TTY, TTY: t.TTY,
		}, scheme.ParameterCodec).URL()
	return c.stream(ctx, "Exec", where, t)
}

// stream connects a terminal to what the API server has at where, and returns
// the exit code that it tells.
//
// A ctx that ends in the very moment between the handshake and the library's
// first look at the connection leaves some of the library's goroutines behind:
// it then gives up without closing its pipes.
func (c *Cluster) stream(ctx context.Context, op string, where *url.URL, t control.Terminal) (int, error) {
	executor, err := c.executor(where)
	if err != nil {
		return 0, translate(ctx, op, err)
	}
	opts := remotecommand.StreamOptions{Stdin: t.Stdin, Stdout: t.Stdout, Tty: t.TTY}
	if !t.TTY {
		opts.Stderr = t.Stderr
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // lets go of who waits for a size
	if t.TTY && t.Resize != nil {
		opts.TerminalSizeQueue = sizes{ctx, t.Resize}
	}
	err = executor.StreamWithContext(ctx, opts)
	var exit exec.CodeExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return exit.Code, nil
	case ctx.Err() != nil:
		return 0, err
	}
	return 0, refused(ctx, op, err)
}

// executor speaks the newer protocol and, with a server that does not, the
// older one.
func (c *Cluster) executor(where *url.URL) (remotecommand.Executor, error) {
	newer, err := remotecommand.NewWebSocketExecutor(c.config, "GET", where.String())
	if err != nil {
		return nil, err
	}
	older, err := remotecommand.NewSPDYExecutor(c.config, "POST", where)
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(newer, older, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}

// refused tells a cluster that is away from a node that says why the command
// cannot be run, for instance because the image has no such program.
func refused(ctx context.Context, op string, err error) error {
	known := translate(ctx, op, err)
	if platform.CodeOf(known) != platform.Internal {
		return known
	}
	return &platform.Error{Code: platform.Unprocessable, Op: "kube." + op, Message: clip(err.Error(), maxMessage)}
}

// sizes hands on the sizes of a terminal.
type sizes struct {
	ctx context.Context
	ch  <-chan control.Size
}

// Next waits for a size; nil when there will be no more.
func (s sizes) Next() *remotecommand.TerminalSize {
	select {
	case size, ok := <-s.ch:
		if ok {
			return &remotecommand.TerminalSize{Width: size.Width, Height: size.Height}
		}
	case <-s.ctx.Done():
	}
	return nil
}
