package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log"
	"net/http"

	"golang.org/x/net/webdav"
)

// The users; which of them somebody is told depends on what they may do.
const (
	writerName = "writer"
	readerName = "reader"
)

// newHandler answers WebDAV requests of the two users.
func newHandler(s settings, files *files) http.Handler {
	dav := &webdav.Handler{Prefix: s.prefix, FileSystem: files, LockSystem: webdav.NewMemLS(), Logger: logFailure}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		writes := same(name, writerName) & same(password, s.writer)
		reads := same(name, readerName) & same(password, s.reader)
		switch {
		case writes|reads == 0:
			w.Header().Set("WWW-Authenticate", `Basic realm="volume"`)
			http.Error(w, "the user or the password is wrong; bind the volume again", http.StatusUnauthorized)
			return
		case writes == 0 && !looks(r.Method):
			http.Error(w, "these credentials are for looking only; a member of the workspace may change files", http.StatusForbidden)
			return
		}
		f := &fault{}
		dav.ServeHTTP(&answer{ResponseWriter: w, fault: f}, r.WithContext(context.WithValue(r.Context(), faultKey{}, f)))
	})
}

// same compares in a time that tells nothing of either.
func same(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// looks reports the methods that change nothing.
func looks(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "PROPFIND":
		return true
	}
	return false
}

// logFailure writes what went wrong, without names of files.
func logFailure(r *http.Request, err error) {
	if err != nil {
		log.Printf("filer: %s: %T", r.Method, err)
	}
}

// answer gives a request that the file system refused the status that says so.
type answer struct {
	http.ResponseWriter
	fault   *fault
	changed bool
}

// WriteHeader replaces the status of a failure.
func (a *answer) WriteHeader(status int) {
	if status >= 400 && a.fault.status != 0 {
		status, a.changed = a.fault.status, true
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write sends the body, which for a replaced status is its name.
func (a *answer) Write(p []byte) (int, error) {
	if !a.changed {
		return a.ResponseWriter.Write(p)
	}
	_, err := a.ResponseWriter.Write([]byte(http.StatusText(a.fault.status)))
	return len(p), err
}

// Unwrap lets the connection be reached.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
