package gitssh

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// maxLine is how long a line of a log may be, in bytes; longer ones are cut.
const maxLine = 4 << 10

var escapes = regexp.MustCompile("\x1b(\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(\x07|\x1b\\\\)?|[@-Z\\\\-_])")

// lines writes whole, clean lines through emit: git passes them on to the
// pusher's terminal as they are, so nothing in a build's output may steer that.
type lines struct {
	emit func(line string) error

	mu   sync.Mutex
	rest []byte
	err  error
}

var _ io.Writer = (*lines)(nil)

// Write keeps what is after the last line break for later.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for len(p) > 0 && l.err == nil {
		line, rest, ended := bytes.Cut(p, []byte("\n"))
		l.keep(line)
		p = rest
		if ended {
			l.flush()
		}
	}
	if l.err != nil {
		return 0, l.err
	}
	return n, nil
}

func (l *lines) keep(part []byte) {
	l.rest = append(l.rest, part[:min(len(part), maxLine-len(l.rest))]...)
}

func (l *lines) flush() {
	l.err = l.emit(cleanLine(string(l.rest)))
	l.rest = l.rest[:0]
}

// close writes what is left of a line without a break.
func (l *lines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 && l.err == nil {
		l.flush()
	}
}

// cleanLine is what a line leaves on paper: what a carriage return overwrote,
// colours and other control characters are gone.
func cleanLine(s string) string {
	s = strings.TrimRight(s, "\r")
	if i := strings.LastIndexByte(s, '\r'); i >= 0 {
		s = s[i+1:]
	}
	s = escapes.ReplaceAllString(strings.ToValidUTF8(s, "\uFFFD"), "")
	return strings.Map(func(r rune) rune {
		if r == '\t' || !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) {
			return r
		}
		return -1
	}, s)
}
