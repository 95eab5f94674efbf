package api

import (
	"context"
	"io"
	"net/http"
)

// Dialect is one API on the listener. Both methods may be called from many
// goroutines at once.
type Dialect interface {
	http.Handler
	// Fail answers r with err in the dialect's own shape. It is called only
	// while nothing has been written yet.
	Fail(w http.ResponseWriter, r *http.Request, err error)
}

// Mount says which requests a dialect gets. The first mount that fits wins.
type Mount struct {
	// Host is the host name without port, lower case; empty fits every host.
	Host string
	// Prefix is a path prefix that ends at a slash; empty fits every path.
	Prefix string
	// Dialect answers.
	Dialect Dialect
}

// Trace collects what is known about one request for the log and the metrics.
// It belongs to the goroutine that serves the request.
type Trace struct {
	ID     string // request id, also sent to the client as X-Request-Id
	Remote string // address of the client, as far as it can be known
	Route  string // "GET /v2/apps/{app}/"; empty until a dialect has matched
	User   string // who asks; empty until known
	Err    error  // why the answer is a 500; goes to the log only
	// Body is the request's body without the limit on its size, for routes
	// that pass it on and do not keep it.
	Body io.ReadCloser
	// Private keeps the path out of the log, for paths that hold a secret.
	Private bool
}

type traceKey struct{}

// TraceOf returns the trace of the request whose context is ctx. Outside of
// a Handler it returns a fresh one, never nil.
func TraceOf(ctx context.Context) *Trace {
	if t, ok := ctx.Value(traceKey{}).(*Trace); ok {
		return t
	}
	return &Trace{}
}
