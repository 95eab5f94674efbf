// Command solve makes the images of one order. It is BuildKit's client: it
// reads the order and the source tree from its standard input, has buildkitd
// build and push, and writes what happens to its standard output.
//
// Standard input stays open for as long as somebody wants the images. When it
// ends after the tree, or solve is killed, the build is cancelled.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/slipway-paas/slipway/embedded/src/builder/order"
)

const (
	daemonSocket = "/run/buildkit/buildkitd.sock"
	holdSocket   = "/run/buildkit/hold.sock"
	stateDir     = "/var/lib/buildkit"
	spoolDir     = stateDir + "/spool"

	maxOrder = 16 << 20 // bytes of JSON
)

// errHungUp is a platform that no longer waits for the images.
var errHungUp = errors.New("nobody waits for this build any more") //lint:global sentinel

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	os.Exit(run(ctx, os.Stdin, os.Stdout))
}

// run serves one order. Its exit code tells an answer that was given (0) from
// one that was not.
func run(ctx context.Context, stdin io.Reader, stdout io.Writer) int {
	out := newEvents(stdout)
	done, err := serve(ctx, stdin, out)
	if errors.Is(err, errHungUp) {
		return 1
	}
	if err != nil {
		out.send(order.Event{Failed: failureOf(err)})
		return 0
	}
	out.send(order.Event{Done: done})
	return 0
}

func serve(ctx context.Context, stdin io.Reader, out *events) (*order.Done, error) {
	in := bufio.NewReaderSize(stdin, 256<<10)
	o, err := readOrder(in)
	if err != nil {
		return nil, err
	}
	source, err := spool(in, o.TarBytes)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	tree, err := readTree(source)
	if err != nil {
		return nil, &sourceError{text: err.Error()}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel(errHungUp)
	}()
	release, err := hold(ctx)
	if err != nil {
		return nil, err
	}
	done, err := build(ctx, o, tree, out)
	release(context.Cause(ctx) != nil || cutOff(err))
	if err != nil && context.Cause(ctx) != nil {
		err = context.Cause(ctx)
	}
	return done, err
}

func readOrder(in *bufio.Reader) (order.Order, error) {
	var o order.Order
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) || len(line) > maxOrder {
			return o, fmt.Errorf("reading the order: %w", err)
		}
	}
	if err := json.Unmarshal(line, &o); err != nil {
		return o, fmt.Errorf("reading the order: %w", err)
	}
	return o, nil
}

// spool keeps size bytes of the tree in a file without a name: it goes with
// this process, however that ends.
func spool(in io.Reader, size int64) (*os.File, error) {
	if err := os.MkdirAll(spoolDir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(spoolDir, "tree-")
	if err != nil {
		return nil, fmt.Errorf("keeping the source tree: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, err
	}
	n, err := io.CopyN(f, in, size)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	switch {
	case errors.Is(err, io.EOF):
		err = errHungUp
	case err != nil:
		err = fmt.Errorf("keeping the source tree (%d of %d bytes): %w", n, size, err)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// sourceError is the pusher's to mend.
type sourceError struct {
	text string
	cut  bool // the build was cut off
}

func (e *sourceError) Error() string { return e.text }

// cutOff reports whether err is why a build was cut off.
func cutOff(err error) bool {
	var source *sourceError
	var disk *diskError
	return errors.As(err, &disk) || errors.As(err, &source) && source.cut
}

// diskError is a disk that is too full.
type diskError struct{ text string }

func (e *diskError) Error() string { return e.text }

func failureOf(err error) *order.Failure {
	var source *sourceError
	var disk *diskError
	switch {
	case errors.As(err, &source):
		return &order.Failure{Fault: "source", Message: source.text}
	case errors.As(err, &disk):
		return &order.Failure{Fault: "disk", Message: disk.text}
	}
	return &order.Failure{Fault: "builder", Message: err.Error()}
}
