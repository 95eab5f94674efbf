package platformtest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/slipway-paas/slipway/platform/control"
)

var _ control.Builder = (*Builder)(nil)

// Builder is a control.Builder that makes no images: it writes a few lines and
// says what an image would be called. It records every order, and notes builds
// of one app that overlap, which control promises not to ask for.
type Builder struct {
	mu       sync.Mutex
	orders   []control.BuildOrder
	lines    []string
	procfile map[string]string
	refuse   func(control.BuildOrder) error
	change   func(control.BuildOrder, *control.NewBuild)
	gates    []*Gate
	running  map[string]int // by app
	now      int
	most     int
	overlaps []string
}

// NewBuilder makes a builder whose builds have a web process type.
func NewBuilder() *Builder {
	return &Builder{lines: []string{"Step 1 : FROM base"}, procfile: map[string]string{"web": "serve"}, running: map[string]int{}}
}

// Say sets the lines that every build writes.
func (b *Builder) Say(lines ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = lines
}

// Procfile sets the process types of every build.
func (b *Builder) Procfile(procfile map[string]string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.procfile = procfile
}

// Refuse lets builds fail, after their lines, with what f returns unless nil.
func (b *Builder) Refuse(f func(control.BuildOrder) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = f
}

// Change lets f alter what builds come to.
func (b *Builder) Change(f func(control.BuildOrder, *control.NewBuild)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.change = f
}

// Hold holds the next build that nobody holds yet, after its lines.
func (b *Builder) Hold() *Gate {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := &Gate{reached: make(chan struct{}), open: make(chan struct{})}
	g.Reached = g.reached
	b.gates = append(b.gates, g)
	return g
}

// Orders lists what was ordered so far.
func (b *Builder) Orders() []control.BuildOrder {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.orders)
}

// Most is how many builds ran at once at most, and Overlaps names the apps
// that had two.
func (b *Builder) Most() (int, []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.most, slices.Clone(b.overlaps)
}

// Build writes the lines and returns the image <registry>/<app>/<app>:git-<sha>.
func (b *Builder) Build(ctx context.Context, order control.BuildOrder, log io.Writer) (control.NewBuild, error) {
	lines, gate := b.begin(order)
	defer b.end(order)
	for _, line := range lines {
		if _, err := io.WriteString(log, line+"\n"); err != nil {
			return control.NewBuild{}, err
		}
	}
	if gate != nil {
		if err := gate.pass(ctx); err != nil {
			return control.NewBuild{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return control.NewBuild{}, err
	}
	return b.result(order)
}

func (b *Builder) begin(order control.BuildOrder) ([]string, *Gate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.orders = append(b.orders, order)
	b.now++
	b.most = max(b.most, b.now)
	if b.running[order.App.ID]++; b.running[order.App.ID] > 1 {
		b.overlaps = append(b.overlaps, order.App.ID)
	}
	var gate *Gate
	if len(b.gates) > 0 {
		gate, b.gates = b.gates[0], b.gates[1:]
	}
	return slices.Clone(b.lines), gate
}

func (b *Builder) end(order control.BuildOrder) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now--
	b.running[order.App.ID]--
}

func (b *Builder) result(order control.BuildOrder) (control.NewBuild, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		if err := b.refuse(order); err != nil {
			return control.NewBuild{}, err
		}
	}
	stack := order.Config["DRYCC_STACK"]
	if stack == "" {
		stack = "container"
	}
	n := control.NewBuild{
		Image: fmt.Sprintf("127.0.0.1:5555/%s/%s:git-%.8s", order.App.ID, order.App.ID, order.SHA),
		Stack: stack, SHA: order.SHA, Procfile: b.procfile,
	}
	if b.change != nil {
		b.change(order, &n)
	}
	return n, nil
}
