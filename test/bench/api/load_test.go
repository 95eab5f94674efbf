//go:build e2e

package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// process is a server under load.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr string
}

func start(t *testing.T, role, file string) *process {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, fileVariable+"="+file)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &process{t: t, cmd: cmd}
	t.Cleanup(p.stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	p.addr = strings.TrimSpace(line)
	return p
}

// stop ends the server; a second time does nothing.
func (p *process) stop() {
	if p.cmd.ProcessState != nil {
		return
	}
	assert.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	assert.NoError(p.t, p.cmd.Wait())
}

// cpu is the processor time that the server has used.
func (p *process) cpu() time.Duration {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "stat"))
	require.NoError(p.t, err)
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	require.NoError(p.t, err)
	system, err := strconv.Atoi(fields[12])
	require.NoError(p.t, err)
	return time.Duration(user+system) * (time.Second / 100)
}

// peak is the most memory that the server ever held.
func (p *process) peak() int64 {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "status"))
	require.NoError(p.t, err)
	_, rest, ok := strings.Cut(string(text), "VmHWM:")
	require.True(p.t, ok)
	kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	require.NoError(p.t, err)
	return kilobytes * 1024
}

// request is what one client sends for the n-th time.
type request struct {
	method string
	path   func(n int) string
	body   func(n int) string
}

// sample is what a server did in one turn.
type sample struct {
	requests int
	took     time.Duration
	cpu      time.Duration
	times    []time.Duration
}

func (s *sample) add(o sample) {
	s.requests += o.requests
	s.took += o.took
	s.cpu += o.cpu
	s.times = append(s.times, o.times...)
}

func (s *sample) rate() float64 { return float64(s.requests) / s.took.Seconds() }

func (s *sample) cost() time.Duration { return s.cpu / time.Duration(max(s.requests, 1)) }

func (s *sample) quantile(q float64) time.Duration {
	slices.Sort(s.times)
	if len(s.times) == 0 {
		return 0
	}
	return s.times[min(int(q*float64(len(s.times))), len(s.times)-1)]
}

const clients = 8

// load lets clients ask for a while, each as fast as it is answered.
func (p *process) load(r request, key string, turn time.Duration) sample {
	var mu sync.Mutex
	var all sample
	before, began := p.cpu(), time.Now()
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			times := p.client(r, key, i, began.Add(turn))
			mu.Lock()
			defer mu.Unlock()
			all.times = append(all.times, times...)
		})
	}
	group.Wait()
	all.requests, all.took, all.cpu = len(all.times), time.Since(began), p.cpu()-before
	return all
}

// client is one connection. It is leaner than net/http's client, so that less
// of the machine is spent on asking.
func (p *process) client(r request, key string, i int, until time.Time) []time.Duration {
	conn, err := net.Dial("tcp", p.addr)
	if !assert.NoError(p.t, err) {
		return nil
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 64<<10)
	var times []time.Duration
	for n := i; time.Now().Before(until); n += clients {
		body := ""
		if r.body != nil {
			body = r.body(n)
		}
		began := time.Now()
		_, err := fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: drycc.slipway.localhost\r\nAuthorization: token %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			r.method, r.path(n), key, len(body), body)
		if !assert.NoError(p.t, err) {
			return times
		}
		if text, err := read(in); !assert.NoError(p.t, err, "%s %s: %s", r.method, r.path(n), text) {
			return times
		}
		times = append(times, time.Since(began))
	}
	return times
}

// read reads an answer, which has to be a good one.
func read(in *bufio.Reader) ([]byte, error) {
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = errors.New(answer.Status)
	}
	return text, err
}

// get asks once.
func (p *process) get(path, key string) string {
	ask, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.addr+path, nil)
	require.NoError(p.t, err)
	ask.Host = "drycc.slipway.localhost"
	ask.Header.Set("Authorization", "token "+key)
	answer, err := http.DefaultClient.Do(ask)
	require.NoError(p.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, answer.StatusCode, "%s: %s", path, text)
	return string(text)
}
