package drycc

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/control"
)

// hanging is a command that lasts until its context ends.
func hanging(ctx context.Context, _ string, _ []string, t control.Terminal) (int, error) {
	_, _ = io.WriteString(t.Stdout, "here\n")
	<-ctx.Done()
	return 0, ctx.Err()
}

func TestSocketEndsWithItsClient(t *testing.T) {
	o := goOnline(t, nil)
	o.cluster.Play(hanging)
	conn := o.open(web0+"/exec/", `{"stdin": true, "command": ["top"]}`)
	_, _, err := conn.ReadMessage()
	require.NoError(t, err)
	require.NoError(t, conn.NetConn().Close()) // without goodbye; the cleanup waits for the rest to go
}

func TestSocketEndsWithItsTime(t *testing.T) {
	o := goOnline(t, func(p *patience) { p.session = 50 * time.Millisecond })
	o.cluster.Play(hanging)
	frames, code := rest(t, o.open(web0+"/exec/", `{"stdin": true, "command": ["top"]}`))
	require.Len(t, frames, 2)
	assert.Contains(t, frames[1], "limit")
	assert.Equal(t, 1000, code)
}

func TestSocketSilentClientIsGivenUp(t *testing.T) {
	o := goOnline(t, func(p *patience) { p.ping, p.silence = 5*time.Millisecond, 100*time.Millisecond })
	o.cluster.Play(hanging)
	// One that reads answers pings, so it stays; the frames show it.
	alive := o.open(web0+"/exec/", `{"stdin": true, "command": ["top"]}`)
	ended := make(chan struct{})
	go func() { defer close(ended); _, _, _ = alive.ReadMessage(); _, _, _ = alive.ReadMessage() }()
	// One that does not read answers nothing.
	deaf := o.open(web0+"/exec/", `{"stdin": true, "command": ["top"]}`)
	open := func() int {
		o.dialect.sessions.mu.Lock()
		defer o.dialect.sessions.mu.Unlock()
		return o.dialect.sessions.total
	}
	require.Eventually(t, func() bool { return open() == 1 }, 10*time.Second, time.Millisecond)
	select {
	case <-ended:
		t.Error("the one that answers was given up as well")
	default:
	}
	require.NoError(t, deaf.Close())
	require.NoError(t, alive.Close())
	<-ended
}

// A client that never says what it wants holds nothing for long.
func TestSocketFirstFrame(t *testing.T) {
	o := goOnline(t, func(p *patience) { p.first = 10 * time.Millisecond })
	conn, _, _ := o.dial("adalove", web0+"/exec/")
	frames, _ := rest(t, conn)
	require.Len(t, frames, 1)
	assert.Equal(t, byte(channelStatus), frames[0][0])
}

func TestSlowReaderIsGivenUp(t *testing.T) {
	o := goOnline(t, func(p *patience) { p.write, p.close = 50*time.Millisecond, 50*time.Millisecond })
	chunk := strings.Repeat("x", 32<<10)
	ended := make(chan error, 1)
	o.cluster.Play(func(ctx context.Context, _ string, _ []string, t control.Terminal) (int, error) {
		for {
			if _, err := io.WriteString(t.Stdout, chunk); err != nil {
				ended <- err
				return 0, err
			}
		}
	})
	conn := o.open(web0+"/exec/", `{"stdin": true, "command": ["yes"]}`)
	var late net.Error
	require.ErrorAs(t, <-ended, &late)
	assert.True(t, late.Timeout())
	require.NoError(t, conn.Close())
}

func TestSessionsAreBounded(t *testing.T) {
	s := newSessions()
	var free []func()
	for range maxSessionsOfUser {
		f, err := s.take("ada")
		require.NoError(t, err)
		free = append(free, f)
	}
	_, err := s.take("ada")
	assert.Equal(t, platform.Throttled, platform.CodeOf(err))
	f, err := s.take("bob")
	require.NoError(t, err)
	f()
	free[0]()
	f, err = s.take("ada")
	require.NoError(t, err)
	f()
}

// A server that stops ends its sessions.
func TestSocketEndsWithTheServer(t *testing.T) {
	o := goOnline(t, nil)
	o.cluster.Play(hanging)
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	handler, err := api.NewHandler(api.HandlerOptions{Mounts: []api.Mount{{Dialect: o.dialect}}, Logger: logger})
	require.NoError(t, err)
	server, err := api.NewServer(api.ServerOptions{Addrs: []string{"127.0.0.1:0"}, Handler: handler, Logger: logger, Grace: time.Minute})
	require.NoError(t, err)
	bound, err := server.Listen(t.Context())
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	o.url = "http://" + bound[0].String()
	conn := o.open(web0+"/exec/", `{"stdin": true, "command": ["top"]}`)
	_, _, err = conn.ReadMessage()
	require.NoError(t, err)
	follow, err := http.NewRequest(http.MethodGet, o.url+"/v2/apps/hello/logs/?follow=true", nil)
	require.NoError(t, err)
	follow.Header = o.header("adalove")
	resp, err := http.DefaultClient.Do(follow)
	require.NoError(t, err)
	stop()
	frames, _ := rest(t, conn)
	require.Len(t, frames, 1)
	assert.Contains(t, frames[0], "the session was ended")
	_, err = io.ReadAll(resp.Body)
	assert.NoError(t, err)
	assert.NoError(t, resp.Body.Close())
	assert.NoError(t, <-done)
	o.dialect.sessions.mu.Lock()
	defer o.dialect.sessions.mu.Unlock()
	assert.Zero(t, o.dialect.sessions.total, "they are over before Run returns")
}
