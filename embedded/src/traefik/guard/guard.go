// Package guard stands between the entry points of the gateway and its routes.
package guard

import (
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Guard looks at every request first.
//
//   - A request over TLS for another host than the one that the connection was
//     opened for is answered with 421 Misdirected Request. A connection belongs
//     to one host, so nothing in front of the gateway that looks at the name of
//     the connection can be led to another tenant. Browsers that share one
//     connection between hosts of one certificate open a second one then.
//   - Traefik has one limit of time for reading a request, with its body. It is
//     set short, against clients that never finish their headers, and lifted
//     here, where the headers are there: a body may take as long as it needs.
//   - The access log: one line of JSON a request.
type Guard struct {
	Apps *Apps
	log  *accessLog // nil: none
}

// New writes an access log to w, unless it is nil.
func New(w io.Writer) *Guard {
	g := &Guard{Apps: &Apps{}}
	if w != nil {
		g.log = &accessLog{to: w, apps: g.Apps, now: time.Now}
	}
	return g
}

// Wrap guards a handler.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// HTTP/3 has no such limit and says so by an error.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		if misdirected(r) {
			http.Error(w, http.StatusText(http.StatusMisdirectedRequest), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
	if g.log == nil {
		return h
	}
	return g.log.wrap(h)
}

// misdirected reports whether the connection was opened for another host. One
// that was opened for none, as clients do that know an address only, is not.
func misdirected(r *http.Request) bool {
	if r.TLS == nil || r.TLS.ServerName == "" {
		return false
	}
	return lower(r.TLS.ServerName) != hostOf(r)
}

// hostOf is the host of a request as names are compared: lower case, without
// port and final dot.
func hostOf(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return lower(strings.TrimSuffix(host, "."))
}

// lower is strings.ToLower of ASCII; names have no other letters.
func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}
