package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

// Colours, as ANSI codes.
const (
	red  = "31"
	bold = "1"
)

// isTerminal tells whether w or r is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// paint colours text for a terminal that takes colours.
func (p *program) paint(w io.Writer, colour, text string) string {
	if !isTerminal(w) || p.env("NO_COLOR") != "" || p.env("TERM") == "dumb" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (k *call) printf(format string, args ...any) { fmt.Fprintf(k.out, format, args...) }

// structured prints v when -o asks for that and tells whether it did.
func (k *call) structured(v any) (bool, error) {
	switch format := k.text("output"); format {
	case "":
		return false, nil
	case "json":
		raw, err := json.MarshalIndent(v, "", "  ")
		if err == nil {
			k.printf("%s\n", raw)
		}
		return true, err
	case "yaml":
		raw, err := yaml.Marshal(v)
		if err == nil {
			k.printf("%s", raw)
		}
		return true, err
	default:
		return true, fmt.Errorf("there is no output format %q; there are json and yaml", format)
	}
}

// look gets something of the command's app and prints it where -o asks for that.
// done says that nothing is left to do, as it is printed or there is an error.
func look[T any](k *call, get func(api *client.Client, app string) (T, error)) (found T, app string, done bool, err error) {
	api, app, err := k.target()
	if err == nil {
		found, err = get(api, app)
	}
	if err != nil {
		return found, app, true, err
	}
	done, err = k.structured(found)
	return found, app, done, err
}

// listing is a list to be shown.
type listing[T any] struct {
	items  []T
	count  int    // of the whole list; 0 when it was not cut
	head   string // the columns' names, separated by spaces
	none   string // what is said when there is nothing
	row    func(T) []string
	widest int // an optional bound for the last column
}

// show prints a list as a table, or as -o says.
func show[T any](k *call, l listing[T]) error {
	if l.items == nil {
		l.items = []T{}
	}
	if done, err := k.structured(l.items); done {
		return err
	}
	if len(l.items) == 0 {
		k.printf("%s\n", l.none)
		return nil
	}
	var rows [][]string
	for _, item := range l.items {
		row := l.row(item)
		if last := len(row) - 1; l.widest > 0 {
			row[last] = shorten(row[last], l.widest)
		}
		rows = append(rows, row)
	}
	k.table(strings.Fields(l.head), rows)
	if l.count > len(l.items) {
		fmt.Fprintf(k.err, "%d of %d; --limit -1 shows all\n", len(l.items), l.count)
	}
	return nil
}

// table prints columns, each as wide as its widest cell.
func (k *call) table(head []string, rows [][]string) {
	if len(head) > 0 {
		rows = append([][]string{head}, rows...)
	}
	widths := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+4))
		}
		k.printf("%s\n", strings.TrimRight(b.String(), " "))
	}
}

// pairs prints names with values below each other.
func (k *call) pairs(indent string, pairs ...string) {
	width := 0
	for i := 0; i+1 < len(pairs); i += 2 {
		width = max(width, utf8.RuneCountInString(pairs[i]))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		fill := strings.Repeat(" ", width-utf8.RuneCountInString(pairs[i])+1)
		k.printf("%s\n", strings.TrimRight(indent+pairs[i]+":"+fill+pairs[i+1], " "))
	}
}

// shorten cuts a text.
func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-5]) + "[...]"
}

// progress prints text, does the work, and says that it is done; on a terminal
// something moves meanwhile. note is put behind "done".
func (k *call) progress(text string, work func() (note string, err error)) error {
	k.printf("%s... ", text)
	stop := k.spin()
	note, err := work()
	stop()
	switch {
	case err != nil:
		k.printf("\n")
	case note != "":
		k.printf("done, %s\n", note)
	default:
		k.printf("done\n")
	}
	return err
}

// does is progress for work without a note.
func (k *call) does(text string, work func() error) error {
	return k.progress(text, func() (string, error) { return "", work() })
}

// spin moves something at the cursor until it is stopped. Idempotent.
func (k *call) spin() (stop func()) {
	if !isTerminal(k.out) || k.env("TERM") == "dumb" {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticker := time.NewTicker(150 * time.Millisecond)
		defer ticker.Stop()
		for frame := 0; ; frame++ {
			select {
			case <-done:
				return
			case <-ticker.C:
				k.printf("%s\b\b\b", []string{"o..", ".o.", "..o"}[frame%3])
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(done)
		<-gone
		k.printf("   \b\b\b")
	})
}
