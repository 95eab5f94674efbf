package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestPage(t *testing.T) {
	f := facts{App: "web", Release: "v7", Pod: "web-1", PoweredBy: "<Slipway>"}
	tests := []struct{ name, path, accept, contentType, want string }{
		{"browser", "/", "text/html,*/*", "text/html; charset=utf-8", "<dd>v7</dd>"},
		{"browser, escaped", "/", "text/html", "text/html; charset=utf-8", "&lt;Slipway&gt;"},
		{"anything else", "/", "*/*", "text/plain; charset=utf-8", "app: web\nrelease: v7\npod: web-1\npowered by: <Slipway>\n"},
		{"any path", "/a/b", "", "text/plain; charset=utf-8", "release: v7"},
		{"health", "/healthz", "", "text/plain; charset=utf-8", "ok\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, test.path, nil)
			r.Header.Set("Accept", test.accept)
			w := httptest.NewRecorder()
			newPage(f).ServeHTTP(w, r)
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), test.want) {
				t.Errorf("%d %q, want %q in it", w.Code, w.Body, test.want)
			}
			if got := w.Header().Get("Content-Type"); got != test.contentType {
				t.Errorf("content type %q, want %q", got, test.contentType)
			}
		})
	}
	w := httptest.NewRecorder()
	newPage(facts{Pod: "x"}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if strings.Contains(w.Body.String(), "powered") {
		t.Errorf("%q names a platform nobody set", w.Body)
	}
}

func TestSettings(t *testing.T) {
	env := map[string]string{}
	get := func(name string) string { return env[name] }
	s, err := settingsFrom(get)
	if err != nil || s.port != "5000" || s.drain != 3*time.Second || s.facts.Pod == "" {
		t.Errorf("defaults: %+v, %v", s, err)
	}
	env = map[string]string{"PORT": "81", "HELLO_DRAIN": "0s", "DRYCC_APP": "a", "WORKFLOW_RELEASE": "v2"}
	s, err = settingsFrom(get)
	if err != nil || s.port != "81" || s.drain != 0 || s.facts.App != "a" || s.facts.Release != "v2" {
		t.Errorf("set: %+v, %v", s, err)
	}
	for _, bad := range []string{"soon", "-1s"} {
		env = map[string]string{"HELLO_DRAIN": bad}
		if _, err := settingsFrom(get); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("HELLO_DRAIN=%s: %v", bad, err)
		}
	}
}

// While it drains it serves, and asks clients to leave.
func TestServesWhileDraining(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, listener, settings{drain: 500 * time.Millisecond, facts: facts{App: "web"}})
	}()
	ask := func() *http.Response {
		t.Helper()
		response, err := http.Get("http://" + listener.Addr().String() + "/")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
		return response
	}
	if ask().Close {
		t.Error("a connection was closed before the end")
	}
	stop()
	if response := ask(); response.StatusCode != http.StatusOK || !response.Close {
		t.Errorf("while draining: %s, close %v", response.Status, response.Close)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		t.Error("it listens after its end")
	}
}
