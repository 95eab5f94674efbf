package doors

import (
	"errors"
	"net"
	"slices"
	"testing"
)

// ports is a set that remembers what was done.
type ports struct {
	done []string
	fail error
}

func (p *ports) doors() *Doors[string] {
	add := func(what string) { p.done = append(p.done, what) }
	return &Doors[string]{Make: func() (Set[string], error) {
		add("open")
		return Set[string]{
			Switch: func(routers string) { add("switch " + routers) },
			Start:  func() { add("start") }, Stop: func() { add("stop") },
		}, p.fail
	}}
}

func TestOrder(t *testing.T) {
	for name, tc := range map[string]struct {
		do   func(d *Doors[string]) error
		want []string
	}{
		"routes first": {func(d *Doors[string]) error { d.Switch("a"); d.Switch("b"); return d.Start() }, []string{"open", "switch b", "start"}},
		"ports first": {func(d *Doors[string]) error {
			err := d.Open()
			d.Switch("a")
			return errors.Join(err, d.Start())
		}, []string{"open", "switch a", "start"}},
		"no routes":    {func(d *Doors[string]) error { return d.Start() }, []string{"open", "start"}},
		"later routes": {func(d *Doors[string]) error { err := d.Start(); d.Switch("a"); d.Stop(); return err }, []string{"open", "start", "switch a", "stop"}},
		"never open":   {func(d *Doors[string]) error { d.Switch("a"); d.Stop(); return nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := &ports{}
			if err := tc.do(p.doors()); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(tc.want, p.done) {
				t.Errorf("did %q, want %q", p.done, tc.want)
			}
		})
	}
}

func TestPortsThatCannotBeOpened(t *testing.T) {
	p := &ports{fail: errors.New("address in use")}
	if err := p.doors().Start(); !errors.Is(err, p.fail) {
		t.Errorf("got %v", err)
	}
}

func TestServed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{":" + port, "0.0.0.0:" + port, "[::]:" + port, "127.0.0.1:" + port} {
		if !Served(t.Context(), address) {
			t.Errorf("nobody at %s", address)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if Served(t.Context(), ":"+port) || Served(t.Context(), "nonsense") {
		t.Error("somebody where nobody is")
	}
}
