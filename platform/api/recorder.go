package api

import "net/http"

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

// Unwrap returns the writer behind this one.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
