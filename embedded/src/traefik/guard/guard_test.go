package guard

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestMisdirected(t *testing.T) {
	for _, tc := range []struct {
		name, sni, host string
		want            bool
	}{
		{"same", "a.example.com", "a.example.com", false},
		{"with port", "a.example.com", "a.example.com:8443", false},
		{"other case and final dot", "A.example.com", "a.EXAMPLE.com.", false},
		{"no name in TLS", "", "a.example.com", false},
		{"another host", "a.example.com", "b.example.com", true},
		{"a part of it", "a.example.com", "example.com", true},
		{"no host", "a.example.com", "", true},
		{"brackets", "a.example.com", "[a.example.com]", true},
		{"address", "a.example.com", "[::1]:443", true},
	} {
		r := &http.Request{Host: tc.host, TLS: &tls.ConnectionState{ServerName: tc.sni}}
		if got := misdirected(r); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	if misdirected(&http.Request{Host: "b.example.com"}) {
		t.Error("plain HTTP has no name to differ from")
	}
}

func TestMisdirectedRequestReachesNoRoute(t *testing.T) {
	h := New(nil).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	r := httptest.NewRequest("GET", "https://b.example.com/", nil)
	r.TLS = &tls.ConnectionState{ServerName: "a.example.com"}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusMisdirectedRequest || strings.Contains(w.Body.String(), "example") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// The limit for headers ends with them: a body that comes later than it is
// read all the same.
func TestBodyMayTakeLonger(t *testing.T) {
	const limit = 100 * time.Millisecond
	late := make(chan struct{})
	s := httptest.NewUnstartedServer(New(nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(late)
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || n != 4 {
			t.Errorf("%d bytes: %v", n, err)
		}
	})))
	s.Config.ReadTimeout = limit
	s.Start()
	defer s.Close()
	body, feed := io.Pipe()
	go func() {
		<-late
		time.Sleep(2 * limit) // what is shown is that this time does not matter
		_, _ = feed.Write([]byte("late"))
		_ = feed.Close()
	}()
	res, err := http.Post(s.URL, "text/plain", body)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		t.Error(res.Status)
	}
}

func TestAccessLog(t *testing.T) {
	var out bytes.Buffer
	g := New(&out)
	g.log.now = func() time.Time { return time.Date(2029, 1, 2, 3, 4, 5, 0, time.UTC) }
	g.Apps.Learn("Hello.example.com", "hello")
	g.Apps.Learn("*.wild.example.com", "wild")
	h := g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/rewritten"
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "12345")
	}))
	for _, host := range []string{"hello.example.com:80", "a.b.wild.example.com", "wild.example.com"} {
		r := httptest.NewRequest("POST", "http://"+host+"/a/b?token=secret", strings.NewReader("abc"))
		r.Header.Set("Authorization", "Bearer secret")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if strings.Contains(out.String(), "secret") {
		t.Error(out.String())
	}
	var apps []string
	for _, text := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		apps = append(apps, l.App)
		if l.Status != 418 || l.Out != 5 || l.In != 3 || l.Path != "/a/b" || l.Time != "2029-01-02T03:04:05Z" || l.Client != "192.0.2.1" {
			t.Errorf("%+v", l)
		}
	}
	if strings.Join(apps, " ") != "hello wild " {
		t.Error(apps)
	}
}

// A connection that is taken over, as for websockets, passes.
func TestHijackThroughAccessLog(t *testing.T) {
	var out bytes.Buffer
	done := make(chan struct{})
	g := New(&out).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = conn.Close()
	}))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.ServeHTTP(w, r); close(done) }))
	defer s.Close()
	res, err := http.Get(s.URL)
	if err != nil || res.StatusCode != 101 {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
	<-done
	if !strings.Contains(out.String(), `"status":101`) {
		t.Error(out.String())
	}
}
