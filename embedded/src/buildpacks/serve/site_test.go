package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestSite(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"index.html": "home", "404.html": "none", "about.html": "about", "docs/index.html": "docs", ".env": "secret",
		".well-known/x": "known", "Staticfile": "x", "a.js": "plain", "a.js.gz": "packed",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "out.txt")); err != nil {
		t.Fatal(err)
	}
	plain, err := openSite(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	routed, err := openSite(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	defer routed.Close()
	for _, tt := range []struct {
		site           *site
		method, target string
		encoding, want string
	}{
		{plain, "GET", "/", "", "200 home"}, {plain, "GET", "/about", "", "200 about"}, {plain, "GET", "/docs/", "", "200 docs"},
		{plain, "GET", "/docs?a=b", "", "301 "}, {plain, "GET", "/none", "", "404 none"}, {plain, "GET", "/.env", "", "404 none"},
		{plain, "GET", "/.well-known/x", "", "200 known"}, {plain, "GET", "/Staticfile", "", "404 none"}, {plain, "GET", "/out.txt", "", "404 none"},
		{plain, "GET", "/../../etc/passwd", "", "404 none"}, {plain, "GET", "//example.com/docs", "", "404 none"},
		{plain, "POST", "/", "", "405 405 method not allowed\n"}, {plain, "GET", "/a.js", "gzip", "200 packed"}, {plain, "GET", "/a.js", "", "200 plain"},
		{routed, "GET", "/any/route", "", "200 home"}, {routed, "GET", "/gone.js", "", "404 none"},
	} {
		r := httptest.NewRequest(tt.method, "http://site"+tt.target, nil)
		r.Header.Set("Accept-Encoding", tt.encoding)
		w := httptest.NewRecorder()
		tt.site.ServeHTTP(w, r)
		body := w.Body.String()
		if w.Code == 301 {
			body = ""
		}
		if got := fmt.Sprintf("%d %s", w.Code, body); got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.method, tt.target, got, tt.want)
		}
	}
}
