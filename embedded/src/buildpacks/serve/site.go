package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

// site answers with the files of a folder. Names that begin with a dot, and the
// files that only say how the site is built, are not shown.
type site struct {
	root      *os.Root
	pushstate bool
	tags      sync.Map // name → ETag of its content, which never changes
}

func openSite(dir string, pushstate bool) (*site, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &site{root: root, pushstate: pushstate}, nil
}

func (s *site) Close() error { return s.root.Close() }

// ServeHTTP answers /about with about, about.html or about/index.html, and what
// is not there with 404.html.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "405 method not allowed", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	clean := path.Clean("/" + r.URL.Path)
	if hidden(clean) {
		s.missing(w, r)
		return
	}
	name := strings.TrimPrefix(clean, "/")
	if name == "" {
		name = "."
	}
	info, err := s.root.Stat(name)
	switch {
	case err == nil && info.IsDir():
		if _, err := s.root.Stat(path.Join(name, "index.html")); err == nil && !strings.HasSuffix(r.URL.Path, "/") {
			// Relative links of the page would lead astray. A second slash
			// would make it another host's address.
			to := clean + "/"
			if r.URL.RawQuery != "" {
				to += "?" + r.URL.RawQuery
			}
			http.Redirect(w, r, to, http.StatusMovedPermanently)
			return
		}
		if !s.file(w, r, path.Join(name, "index.html"), http.StatusOK) {
			s.missing(w, r)
		}
	case err == nil:
		if !s.file(w, r, name, http.StatusOK) {
			s.missing(w, r)
		}
	case s.file(w, r, name+".html", http.StatusOK):
	default:
		s.missing(w, r)
	}
}

func (s *site) missing(w http.ResponseWriter, r *http.Request) {
	if s.pushstate && path.Ext(r.URL.Path) == "" && s.file(w, r, "index.html", http.StatusOK) {
		return
	}
	if !s.file(w, r, "404.html", http.StatusNotFound) {
		http.Error(w, "404 page not found", http.StatusNotFound)
	}
}

// file answers with a file, compressed if a file beside it is that already. It
// reports false, having answered nothing, when there is no such file.
func (s *site) file(w http.ResponseWriter, r *http.Request, name string, status int) bool {
	open := name
	if _, err := s.root.Stat(name + ".gz"); err == nil && status == http.StatusOK {
		w.Header().Add("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			open = name + ".gz"
		}
	}
	f, err := s.root.Open(open)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	if kind := contentType(path.Ext(name)); kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	if open != name {
		w.Header().Set("Content-Encoding", "gzip")
	}
	if status != http.StatusOK {
		w.WriteHeader(status)
		if r.Method == http.MethodGet {
			_, _ = io.Copy(w, f) // who hung up does not care
		}
		return true
	}
	// All files of an image have the same time, so only the content tells
	// whether a browser has it already.
	tag, err := s.tag(open, f)
	if err != nil {
		return false
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", tag)
	http.ServeContent(w, r, name, time.Time{}, f)
	return true
}

// tag is the ETag of a file's content.
func (s *site) tag(name string, f io.ReadSeeker) (string, error) {
	if known, ok := s.tags.Load(name); ok {
		return known.(string), nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	tag := fmt.Sprintf(`"%x"`, sum.Sum(nil)[:12])
	s.tags.Store(name, tag)
	return tag, nil
}

// contentType knows what Go does not without files of the system.
func contentType(extension string) string {
	switch extension {
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".ico":
		return "image/vnd.microsoft.icon"
	case ".woff":
		return "font/woff"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	case ".map":
		return "application/json"
	}
	return mime.TypeByExtension(extension)
}

func hidden(clean string) bool {
	for part := range strings.SplitSeq(clean, "/") {
		if strings.HasPrefix(part, ".") && part != ".well-known" {
			return true
		}
	}
	switch clean {
	case "/Staticfile", "/Procfile":
		return true
	}
	return false
}
