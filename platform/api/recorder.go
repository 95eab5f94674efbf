package api

import (
	"bufio"
	"net"
	"net/http"
)

// recorder remembers the status and counts the bytes of an answer. Unwrap
// lets http.ResponseController reach the connection behind it, which the
// streaming routes need to flush, to hijack and to move deadlines.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader remembers the first final status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts what was written.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Hijack gives the connection away, to a protocol that the client asked to
// change to; the answer to that is written past this recorder.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(r.ResponseWriter).Hijack()
	if err == nil && r.status == 0 {
		r.status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// Unwrap returns the writer behind this one.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
