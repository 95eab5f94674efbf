package bootstrap

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Progress shows how a plan goes on. Its methods are called by one goroutine,
// in the order Begin, any number of Note, End or Fail; but Note may come from
// others too.
type Progress interface {
	Begin(number, of int, name string)
	// Note tells what the current step is doing, in a few words.
	Note(text string)
	// End tells that the step ended well; skipped when it had nothing to do.
	End(took time.Duration, skipped bool)
	Fail(took time.Duration)
}

// NewProgress shows progress on w: one line a step, with its time. On a
// terminal the current step's line is drawn again and again until it ends, with
// a bar, the time and the last note; width tells the terminal's columns.
func NewProgress(w io.Writer, terminal bool, width func() int, clock func() time.Time) Progress {
	if !terminal {
		return &plainProgress{w: w}
	}
	return &barProgress{w: w, width: width, clock: clock}
}

const nameWidth = 24

func lineOf(number, of int, name string) string {
	dots := strings.Repeat(".", max(nameWidth-len(name), 3))
	return fmt.Sprintf("[%*d/%d] %s %s", len(fmt.Sprint(of)), number, of, name, dots)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }

func ending(took time.Duration, skipped bool) string {
	if skipped {
		return "as it should be"
	}
	return seconds(took)
}

// plainProgress writes a line when a step ends, so that a log has one line a
// step; the name comes first, at once, for those who watch a pipe.
type plainProgress struct {
	mu sync.Mutex
	w  io.Writer
}

// Errors of writing progress are dropped: nobody would see them, and they are
// no reason to stop an install.
func (p *plainProgress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, format, args...)
}

func (p *plainProgress) Begin(number, of int, name string) { p.say("%s ", lineOf(number, of, name)) }

// Note says nothing: it would break the line.
func (p *plainProgress) Note(string) {}

func (p *plainProgress) End(took time.Duration, skipped bool) { p.say("%s\n", ending(took, skipped)) }

func (p *plainProgress) Fail(took time.Duration) { p.say("FAILED after %s\n", seconds(took)) }

// barProgress rewrites one line.
type barProgress struct {
	mu    sync.Mutex
	w     io.Writer
	width func() int
	clock func() time.Time

	number, of int
	name, note string
	began      time.Time
	stop       chan struct{}
	stopped    chan struct{}
}

// redraw is how often the line is drawn while nothing happens.
const redraw = 200 * time.Millisecond

func (p *barProgress) Begin(number, of int, name string) {
	p.mu.Lock()
	p.number, p.of, p.name, p.note, p.began = number, of, name, "", p.clock()
	p.stop, p.stopped = make(chan struct{}), make(chan struct{})
	p.draw()
	stop, stopped := p.stop, p.stopped
	p.mu.Unlock()
	go p.tick(stop, stopped)
}

func (p *barProgress) tick(stop <-chan struct{}, stopped chan<- struct{}) {
	defer close(stopped)
	t := time.NewTicker(redraw)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		}
	}
}

func (p *barProgress) Note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note, _, _ = strings.Cut(text, "\n")
	p.draw()
}

// draw is called locked.
func (p *barProgress) draw() {
	const cells = 20
	full := cells * (p.number - 1) / max(p.of, 1)
	bar := strings.Repeat("#", full) + strings.Repeat("-", cells-full)
	line := fmt.Sprintf("[%s] %d/%d %s %s", bar, p.number, p.of, p.name, seconds(p.clock().Sub(p.began)))
	if p.note != "" {
		line += "  " + p.note
	}
	p.write("\r\x1b[K" + clip(line, p.width()-1))
}

// clip keeps a line from wrapping, which could not be rewritten.
func clip(line string, width int) string {
	r := []rune(line)
	if width > 0 && len(r) > width {
		return string(r[:width])
	}
	return line
}

func (p *barProgress) write(s string) { fmt.Fprint(p.w, s) }

func (p *barProgress) finish(text string) {
	close(p.stop)
	<-p.stopped
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write("\r\x1b[K" + lineOf(p.number, p.of, p.name) + " " + text + "\n")
}

func (p *barProgress) End(took time.Duration, skipped bool) { p.finish(ending(took, skipped)) }

func (p *barProgress) Fail(took time.Duration) { p.finish("FAILED after " + seconds(took)) }
