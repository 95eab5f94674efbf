package edge

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// witness hears what the ACME client logs during one try. What is worth
// knowing goes on to our log, at debug level: how the try went is told by who
// asked for it. From the answers it keeps when an authority that refuses wants
// to be asked again, which no error says.
type witness struct {
	zapcore.LevelEnabler
	log    *logrus.Entry
	now    func() time.Time
	fields []zapcore.Field
	seen   *seen
}

// seen is shared by a witness and those made of it.
type seen struct {
	mu    sync.Mutex
	until time.Time
}

func newWitness(log *logrus.Entry, now func() time.Time) *witness {
	return &witness{LevelEnabler: zapcore.DebugLevel, log: log, now: now, seen: &seen{}}
}

func (w *witness) logger() *zap.Logger { return zap.New(w) }

// until is when the authority wants to be asked again; zero: it said nothing.
func (w *witness) until() time.Time {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	return w.seen.until
}

// With implements zapcore.Core.
func (w *witness) With(fields []zapcore.Field) zapcore.Core {
	other := *w
	other.fields = append(append([]zapcore.Field{}, w.fields...), fields...)
	return &other
}

// Check implements zapcore.Core.
func (w *witness) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return ce.AddCore(e, w)
}

// Sync implements zapcore.Core.
func (w *witness) Sync() error { return nil }

// Write implements zapcore.Core.
func (w *witness) Write(e zapcore.Entry, fields []zapcore.Field) error {
	status, header := 0, http.Header(nil)
	entry := w.log
	for _, f := range append(append([]zapcore.Field{}, w.fields...), fields...) {
		switch f.Key {
		case "status_code":
			status = int(f.Integer)
		case "response_headers":
			header, _ = f.Interface.(http.Header)
		case "url", "identifier", "challenge_type", "order", "attempt", "problem", "error":
			entry = entry.WithField(f.Key, text(f))
		}
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		w.refused(header.Get("Retry-After"))
	}
	if e.Level > zapcore.DebugLevel {
		entry.Debug("acme: " + e.Message)
	}
	return nil
}

// text is what a field says, in one line.
func text(f zapcore.Field) any {
	enc := zapcore.NewMapObjectEncoder()
	f.AddTo(enc)
	return enc.Fields[f.Key]
}

// refused reads a Retry-After: seconds or a date.
func (w *witness) refused(after string) {
	var until time.Time
	if seconds, err := strconv.Atoi(after); err == nil && seconds >= 0 {
		until = w.now().Add(time.Duration(seconds) * time.Second)
	} else if at, err := http.ParseTime(after); err == nil {
		until = at
	}
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	if until.After(w.seen.until) {
		w.seen.until = until
	}
}
