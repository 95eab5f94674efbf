package relay

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// serve runs a relay and returns its address.
func serve(t *testing.T, r *Relay) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func client() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
}

// ask waits for an answer as long as the test may take.
func ask(t *testing.T, address string) (int, string) {
	t.Helper()
	response, err := client().Get("https://" + address + "/api")
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

func TestWaitsForAnAPIThatIsAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	door := serve(t, &Relay{API: address, Patience: time.Hour})
	answered := make(chan string, 1)
	go func() {
		_, body := ask(t, door)
		answered <- body
	}()
	select {
	case body := <-answered:
		t.Fatalf("%q from nobody", body)
	case <-time.After(3 * retry):
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "pods") }))
	api.Listener = l
	api.StartTLS()
	t.Cleanup(api.Close)
	if body := <-answered; body != "pods" {
		t.Errorf("got %q", body)
	}
}

func TestWaitsForAnAPIThatStarts(t *testing.T) {
	var asked, ready atomic.Int32
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/readyz":
			asked.Add(1)
			w.WriteHeader(http.StatusTeapot)
		case ready.Add(1) < 3:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusUnauthorized) // who asks is not known, but somebody is there
		}
	}))
	t.Cleanup(api.Close)
	door := serve(t, &Relay{API: api.Listener.Addr().String(), Patience: time.Hour})
	if status, _ := ask(t, door); status != http.StatusTeapot {
		t.Errorf("status %d", status)
	}
	if ready.Load() != 3 || asked.Load() != 1 {
		t.Errorf("asked %d times whether it is ready and %d times for something", ready.Load(), asked.Load())
	}
}

func TestAnAPIThatIsNeverReadyMaySaySo(t *testing.T) {
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(api.Close)
	door := serve(t, &Relay{API: api.Listener.Addr().String(), Patience: 2 * retry})
	if status, _ := ask(t, door); status != http.StatusServiceUnavailable {
		t.Errorf("status %d", status)
	}
}

func TestEndsWithItsContext(t *testing.T) {
	api := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			<-r.Context().Done()
		}
	}))
	t.Cleanup(api.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- (&Relay{API: api.Listener.Addr().String(), Patience: time.Hour}).Serve(ctx, l) }()
	lost := make(chan error, 1)
	go func() {
		response, err := client().Get("https://" + l.Addr().String() + "/watch")
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		lost <- err
	}()
	time.Sleep(2 * retry) // mostly within the request; the end is the same before it
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if <-lost == nil {
		t.Error("the watch did not end with an error")
	}
}
