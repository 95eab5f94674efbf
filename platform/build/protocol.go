package build

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/slipway-paas/slipway/platform"
)

// Pod runs commands in the builder's pod.
type Pod interface {
	// Exec runs command and copies its input and output until it has ended,
	// which with a code other than 0 is an error. The process sees its input
	// end when ctx does or this process dies. A builder that is not there is
	// Unavailable.
	Exec(ctx context.Context, command []string, stdin io.Reader, stdout io.Writer) error
}

// order and event are what the builder understands: see
// embedded/src/builder/order, which has the same shapes. Both are tested with
// testdata/order.json.
type order struct {
	ID         string       `json:"id"`
	Tenant     string       `json:"tenant"`
	Registry   string       `json:"registry"`
	Aliases    []string     `json:"aliases"`
	Repository string       `json:"repository"`
	Username   string       `json:"username"`
	Password   string       `json:"password"`
	SSHKey     string       `json:"sshKey,omitempty"`
	NoCache    bool         `json:"noCache,omitempty"`
	Images     []orderImage `json:"images"`
	Packs      *orderPacks  `json:"packs,omitempty"`
	TarBytes   int64        `json:"tarBytes"`
	DiskBytes  int64        `json:"diskBytes"`
	FreeBytes  int64        `json:"freeBytes"`
}

type orderImage struct {
	Ptype      string            `json:"ptype"`
	Dockerfile string            `json:"dockerfile"`
	Args       map[string]string `json:"args,omitempty"`
}

type event struct {
	Log  *string `json:"log,omitempty"`
	Done *struct {
		Digests map[string]string `json:"digests"`
		Packed  *packed           `json:"packed"`
	} `json:"done,omitempty"`
	Failed *struct {
		Fault   string `json:"fault"`
		Message string `json:"message"`
	} `json:"failed,omitempty"`
}

const (
	solvePath = "/usr/bin/solve"
	maxEvent  = 1 << 20 // bytes of a line from the builder
)

// solve sends an order and its tree to the builder, copies its lines to log
// and returns the digests it answers with.
func solve(ctx context.Context, pod Pod, o order, source io.Reader, log io.Writer) (map[string]string, error) {
	answer, err := ask(ctx, pod, o, source, log)
	return answer.digests, err
}

// ask is solve with all that the builder answers.
func ask(ctx context.Context, pod Pod, o order, source io.Reader, log io.Writer) (answers, error) {
	header, err := json.Marshal(o)
	if err != nil {
		return answers{}, fmt.Errorf("encoding an order: %w", err)
	}
	wanted, cancel := context.WithCancel(ctx)
	defer cancel()
	in, out := io.Pipe()
	answer := &answers{log: log}
	var group sync.WaitGroup
	group.Go(func() {
		answer.read(in)
		cancel() // it has said all: the input may end
		_, _ = io.Copy(io.Discard, in)
	})
	// The input ends when nobody wants the images any more.
	stdin := io.MultiReader(strings.NewReader(string(header)+"\n"), source, &open{wanted})
	err = pod.Exec(ctx, []string{solvePath}, stdin, out)
	_ = out.Close()
	group.Wait()
	_, err = answer.result(err)
	return *answer, err
}

// open is an input without content that ends with its ctx.
type open struct{ ctx context.Context }

// Read waits for the end.
func (o *open) Read([]byte) (int, error) {
	<-o.ctx.Done()
	return 0, io.EOF
}

// answers reads the builder's lines.
type answers struct {
	log     io.Writer
	digests map[string]string
	packed  *packed
	err     error
	ended   bool
}

func (a *answers) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEvent)
	for !a.ended && lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			a.ended, a.err = true, fmt.Errorf("the builder said what is no event: %w", err)
			return
		}
		switch {
		case e.Log != nil:
			if _, err := fmt.Fprintln(a.log, *e.Log); err != nil {
				a.ended, a.err = true, err
			}
		case e.Done != nil:
			a.ended, a.digests, a.packed = true, e.Done.Digests, e.Done.Packed
		case e.Failed != nil:
			a.ended, a.err = true, failure(e.Failed.Fault, e.Failed.Message)
		}
	}
	if err := lines.Err(); err != nil && !a.ended {
		a.ended, a.err = true, err
	}
}

func failure(fault, message string) error {
	switch fault {
	case "source":
		return platform.Errorf(platform.Invalid, "%s", message)
	case "disk":
		return platform.Errorf(platform.Unavailable, "%s", message)
	}
	return &platform.Error{
		Code: platform.Unavailable, Op: "build.Build", Err: errors.New(message),
		Message: "The platform's builder could not build. That is no fault of the source: push again, and tell an operator if it stays so.",
	}
}

// result is what the builder answered, else why it could not be asked.
func (a *answers) result(err error) (map[string]string, error) {
	switch {
	case a.ended:
		return a.digests, a.err
	case err == nil:
		err = errors.New("it ended without an answer")
	}
	if platform.CodeOf(err) == platform.Unavailable {
		return nil, err
	}
	return nil, failure("builder", "asking the builder: "+err.Error())
}
