package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const prefix = "/v2/apps/hello/volumes/data/filer/webdav"

func newTest(t *testing.T) (*httptest.Server, string) {
	t.Helper()
	dir := t.TempDir()
	files, err := openFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(files.close)
	s := httptest.NewServer(newHandler(settings{prefix: prefix, writer: "w-secret", reader: "r-secret"}, files))
	t.Cleanup(s.Close)
	return s, dir
}

type request struct {
	user, password, method, path, body string
	headers                            map[string]string
}

func (q request) do(t *testing.T, s *httptest.Server) (int, string) {
	t.Helper()
	r, err := http.NewRequest(q.method, s.URL+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	if q.user != "" {
		r.SetBasicAuth(q.user, q.password)
	}
	for name, value := range q.headers {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestLife(t *testing.T) {
	s, dir := newTest(t)
	outside := filepath.Join(t.TempDir(), "outside")
	for name, target := range map[string]string{"escape": outside, "inside": "one.txt"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(outside, []byte("not yours"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		request
		status int
		body   string
	}{
		{"nobody", request{"", "", "GET", prefix + "/", "", nil}, 401, "bind the volume again"},
		{"wrong password", request{"writer", "r-secret", "GET", prefix + "/", "", nil}, 401, ""},
		{"wrong user", request{"reader", "w-secret", "GET", prefix + "/", "", nil}, 401, ""},
		{"write", request{"writer", "w-secret", "PUT", prefix + "/one.txt", "hello", nil}, 201, ""},
		{"read", request{"reader", "r-secret", "GET", prefix + "/one.txt", "", nil}, 200, "hello"},
		{"reader writes", request{"reader", "r-secret", "PUT", prefix + "/two.txt", "x", nil}, 403, "looking only"},
		{"reader deletes", request{"reader", "r-secret", "DELETE", prefix + "/one.txt", "", nil}, 403, ""},
		{"reader locks", request{"reader", "r-secret", "LOCK", prefix + "/one.txt", "", nil}, 403, ""},
		{"folder", request{"writer", "w-secret", "MKCOL", prefix + "/a", "", nil}, 201, ""},
		{"move", request{"writer", "w-secret", "MOVE", prefix + "/one.txt", "",
			map[string]string{"Destination": prefix + "/a/two%20words.txt"}}, 201, ""},
		{"list", request{"reader", "r-secret", "PROPFIND", prefix + "/", "", map[string]string{"Depth": "infinity"}}, 207,
			"<D:href>" + prefix + "/a/two%20words.txt</D:href>"},
		{"moved", request{"reader", "r-secret", "GET", prefix + "/a/two%20words.txt", "", nil}, 200, "hello"},
		{"out of the prefix", request{"reader", "r-secret", "GET", "/one.txt", "", nil}, 404, ""},
		{"link out of the volume", request{"writer", "w-secret", "GET", prefix + "/escape", "", nil}, 404, "Not Found"},
		{"write through a link", request{"writer", "w-secret", "PUT", prefix + "/escape", "x", nil}, 404, ""},
		{"dots", request{"writer", "w-secret", "GET", prefix + "/a/..%2f..%2f..%2f..%2fetc/passwd", "", nil}, 404, ""},
		{"delete all", request{"writer", "w-secret", "DELETE", prefix + "/", "", nil}, 403, "Forbidden"},
		{"delete", request{"writer", "w-secret", "DELETE", prefix + "/a", "", nil}, 204, ""},
		{"gone", request{"writer", "w-secret", "GET", prefix + "/a/two%20words.txt", "", nil}, 404, ""},
	} {
		t.Run(step.name, func(t *testing.T) {
			status, body := step.do(t, s)
			if status != step.status || !strings.Contains(body, step.body) {
				t.Errorf("%d %q, want %d with %q", status, body, step.status, step.body)
			}
		})
	}
	if raw, err := os.ReadFile(outside); err != nil || string(raw) != "not yours" {
		t.Errorf("outside: %q, %v", raw, err)
	}
}

func TestSettings(t *testing.T) {
	env := map[string]string{"FILER_WRITER": "w", "FILER_READER": "r"}
	get := func(name string) string { return env[name] }
	s, err := settingsFrom(get)
	if err != nil || s.idle != time.Hour || s.data != "/data" || s.listen != ":9100" || s.ping != ":9000" {
		t.Errorf("defaults: %+v, %v", s, err)
	}
	env["FILER_IDLE"], env["FILER_PREFIX"] = "2m", "/x/"
	if s, err = settingsFrom(get); err != nil || s.idle != 2*time.Minute || s.prefix != "/x" {
		t.Errorf("set: %+v, %v", s, err)
	}
	for name, bad := range map[string]string{"FILER_IDLE": "soon", "FILER_READER": "", "FILER_WRITER": ""} {
		was := env[name]
		env[name] = bad
		if _, err := settingsFrom(get); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%q: %v", name, bad, err)
		}
		env[name] = was
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// It ends by itself when nobody asks, and not while a request is open.
func TestEndsWhenIdle(t *testing.T) {
	files, err := openFiles(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer files.close()
	listeners := []net.Listener{listen(t), listen(t)}
	const idle = 200 * time.Millisecond
	s := settings{prefix: prefix, writer: "w", reader: "r", idle: idle}
	ended := make(chan error, 1)
	go func() { ended <- serve(context.Background(), s, files, listeners[0], listeners[1]) }()

	body, feed := io.Pipe()
	r, err := http.NewRequest("PUT", "http://"+listeners[0].Addr().String()+prefix+"/slow", body)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("writer", "w")
	status := make(chan int, 1)
	go func() {
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		_ = response.Body.Close()
		status <- response.StatusCode
	}()
	if _, err := feed.Write([]byte("first")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		t.Fatalf("ended during an upload: %v", err)
	case <-time.After(3 * idle):
	}
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-status; got != http.StatusCreated {
		t.Errorf("the upload was answered %d", got)
	}
	response, err := http.Get("http://" + listeners[1].Addr().String() + "/ping")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || string(text) != "pong" {
		t.Errorf("ping: %q, %v", text, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
