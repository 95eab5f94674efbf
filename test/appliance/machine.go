package appliance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Binary is where an installed program is.
const Binary = "/usr/local/bin/slipway"

// Machine is a place to install on.
type Machine struct {
	// Address is where its ports 80 and 443 are reached from here.
	Address string
	// Domain of the platform on it.
	Domain string
	// command prepares a program to be run there.
	command func(ctx context.Context, name string, args ...string) *exec.Cmd
}

// Here is the machine that runs the tests.
func Here(domain string) *Machine {
	return &Machine{Address: "127.0.0.1", Domain: domain, command: exec.CommandContext}
}

// At is another machine; command prepares a program to be run on it.
func At(address, domain string, command func(ctx context.Context, name string, args ...string) *exec.Cmd) *Machine {
	return &Machine{Address: address, Domain: domain, command: command}
}

// Result is how a program ended.
type Result struct {
	Code           int
	Stdout, Stderr string
	Took           time.Duration
}

// Run runs a program there to its end; a non-zero exit is a Result, an error is
// that it could not be run at all.
func (m *Machine) Run(ctx context.Context, name string, args ...string) (Result, error) {
	return m.RunEnv(ctx, nil, name, args...)
}

// RunEnv is Run with more environment, as NAME=value.
func (m *Machine) RunEnv(ctx context.Context, env []string, name string, args ...string) (Result, error) {
	return Capture(m.Command(ctx, env, name, args...))
}

// Capture runs a prepared program to its end, as Run does.
func Capture(cmd *exec.Cmd) (Result, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	r := Result{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String(), Took: time.Since(start)}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return r, fmt.Errorf("run %s: %w", cmd.Path, err)
	}
	return r, nil
}

// Command prepares a program to be run there.
func (m *Machine) Command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	cmd := m.command(ctx, name, args...)
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, env...)
	// A program that starts a server in the background must not keep us waiting
	// for its inherited streams.
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// Output runs a program that has to end well and returns its standard output.
func (m *Machine) Output(ctx context.Context, name string, args ...string) (string, error) {
	r, err := m.Run(ctx, name, args...)
	if err != nil {
		return "", err
	}
	if r.Code != 0 {
		return r.Stdout, fmt.Errorf("%s %.100s: exit %d: %s", name, strings.Join(args, " "), r.Code, lastLines(r.Stderr+r.Stdout, 15))
	}
	return r.Stdout, nil
}

// Slipway runs the installed program, which has to end well.
func (m *Machine) Slipway(ctx context.Context, args ...string) (string, error) {
	return m.Output(ctx, Binary, args...)
}

// Transport connects every host name to this machine.
func (m *Machine) Transport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			return (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, network, net.JoinHostPort(m.Address, port))
		},
		ResponseHeaderTimeout: 60 * time.Second,
		MaxIdleConnsPerHost:   64,
	}
}

// URL is an address below a name of the platform domain: URL("hello", "/").
func (m *Machine) URL(name, path string) string {
	return "http://" + name + "." + m.Domain + path
}

// Get fetches a page through the gateway.
func (m *Machine) Get(ctx context.Context, client *http.Client, url string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, string(b), err
}

// Credentials reads /etc/slipway/credentials: lines NAME="value".
func (m *Machine) Credentials(ctx context.Context) (username, password string, err error) {
	mode, err := m.Output(ctx, "stat", "-c", "%a", "/etc/slipway/credentials")
	if err != nil {
		return "", "", err
	}
	if strings.TrimSpace(mode) != "600" {
		return "", "", fmt.Errorf("/etc/slipway/credentials has mode %s, not 600", strings.TrimSpace(mode))
	}
	text, err := m.Output(ctx, "cat", "/etc/slipway/credentials")
	if err != nil {
		return "", "", err
	}
	for _, line := range strings.Split(text, "\n") {
		name, quoted, _ := strings.Cut(line, "=")
		value, err := strconv.Unquote(quoted)
		if err != nil {
			value = quoted
		}
		switch name {
		case "DRYCC_ADMIN_USERNAME":
			username = value
		case "DRYCC_ADMIN_PASSWORD":
			password = value
		}
	}
	if username == "" || password == "" {
		return "", "", errors.New("/etc/slipway/credentials names no username and password")
	}
	return username, password, nil
}

// Eventually tries until try has no error or the time is over; the last error
// is the reason then. It looks often: the tests measure with it.
func Eventually(ctx context.Context, limit time.Duration, try func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var last error // of a try that the end of the time did not cut short
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", limit, last)
		case <-tick.C:
		}
	}
}

// lastLines is the end of a text.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// architecture is the name images carry for this machine.
func architecture() string { return runtime.GOARCH }
