package api_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/api"
)

func newServer(t *testing.T, grace time.Duration, handler http.HandlerFunc) (*api.Server, string, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	logger := logrus.New()
	logger.SetOutput(log)
	s, err := api.NewServer(api.ServerOptions{
		Addrs: []string{"127.0.0.1:0", "127.0.0.1:0"}, Handler: handler, Logger: logger, Grace: grace,
	})
	require.NoError(t, err)
	bound, err := s.Listen(context.Background())
	require.NoError(t, err)
	require.Len(t, bound, 2)
	return s, "http://" + bound[1].String(), log
}

// running starts Run and returns a function that stops it and gives its error.
func running(s *api.Server) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() error { cancel(); return <-done }
}

func TestServerLetsRequestsFinish(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	s, url, _ := newServer(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-finish
		_, _ = io.WriteString(w, "finished")
	})
	stop := running(s)
	var wg sync.WaitGroup
	wg.Go(func() {
		resp, err := http.Get(url)
		if assert.NoError(t, err) {
			body, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			assert.NoError(t, resp.Body.Close())
			assert.Equal(t, "finished", string(body))
		}
	})
	<-started
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	// New clients are refused as soon as the stop has begun.
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", url[len("http://"):])
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, 10*time.Second, time.Millisecond)
	close(finish)
	wg.Wait()
	assert.NoError(t, <-ended)
}

func TestServerCutsOffWhatDoesNotFinish(t *testing.T) {
	started := make(chan struct{})
	s, url, log := newServer(t, time.Millisecond, func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
	})
	stop := running(s)
	var wg sync.WaitGroup
	wg.Go(func() {
		resp, err := http.Get(url)
		if err == nil {
			_ = resp.Body.Close()
		}
		assert.Error(t, err)
	})
	<-started
	assert.NoError(t, stop())
	wg.Wait()
	assert.Contains(t, log.String(), "cutting off")
}

func TestServerListensEverywhereOrNowhere(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { assert.NoError(t, taken.Close()) }()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := free.Addr().String()
	require.NoError(t, free.Close())

	s, err := api.NewServer(api.ServerOptions{
		Addrs: []string{addr, taken.Addr().String()}, Handler: http.NotFoundHandler(), Logger: logrus.New(),
	})
	require.NoError(t, err)
	_, err = s.Listen(context.Background())
	require.ErrorContains(t, err, "listen on "+taken.Addr().String())
	again, err := net.Listen("tcp", addr)
	require.NoError(t, err, "the first address is free again")
	require.NoError(t, again.Close())
	assert.ErrorContains(t, s.Run(context.Background()), "Run before Listen")
}

func TestNewServerNeedsItsParts(t *testing.T) {
	_, err := api.NewServer(api.ServerOptions{})
	assert.ErrorContains(t, err, "no address")
	_, err = api.NewServer(api.ServerOptions{Addrs: []string{":0"}})
	assert.ErrorContains(t, err, "needs a handler")
}
