package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/slipway-paas/slipway/platform/control"
)

// openTerminal makes a pseudo-terminal: ours is the keyboard and the screen,
// theirs what a program has for stdin and stdout.
func openTerminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	theirs, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = theirs.Close(); _ = ours.Close() })
	return ours, theirs
}

func resize(t *testing.T, f *os.File, width, height uint16) {
	t.Helper()
	require.NoError(t, unix.IoctlSetWinsize(int(f.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: width, Row: height}))
}

func mode(t *testing.T, f *os.File) unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	require.NoError(t, err)
	return *m
}

// screen keeps what is shown.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) read(from io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		s.mu.Lock()
		s.text.Write(buf[:n])
		s.mu.Unlock()
		if err != nil {
			return // nobody has the terminal open any more
		}
	}
}

func (s *screen) shows(t *testing.T, want string) {
	t.Helper()
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Contains(s.text.String(), want)
	}, 30*time.Second, 5*time.Millisecond, "the terminal never showed %q", want)
}

// shell says its terminal's sizes and which keys it gets, and ends with 7 at q.
func shell(ctx context.Context, _ string, _ []string, t control.Terminal) (int, error) {
	fmt.Fprintf(t.Stdout, "tty %v\r\n", t.TTY)
	keys := make(chan byte)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		for key := make([]byte, 1); ; {
			if _, err := io.ReadFull(t.Stdin, key); err != nil {
				return
			}
			select {
			case keys <- key[0]:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case size, ok := <-t.Resize:
			if !ok {
				t.Resize = nil
				continue
			}
			fmt.Fprintf(t.Stdout, "size %dx%d\r\n", size.Width, size.Height)
		case key := <-keys:
			if key == 'q' {
				return 7, nil
			}
			fmt.Fprintf(t.Stdout, "key %q\r\n", key)
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// seat is a user at a terminal with an app.
type seat struct {
	ours, theirs *os.File
	env          []string
}

func newSeat(t *testing.T) *seat {
	s := newStage(t)
	s.cluster.Play(shell)
	seat := &seat{env: append(os.Environ(), "HOME="+t.TempDir(), "DRYCC_APP=scenic-icehouse", "DRYCC_PROFILE=", "http_proxy=", "TERM=xterm")}
	for _, line := range []string{"login " + s.url + " -u demouser -p demo-password", "create scenic-icehouse --no-remote", "pull drycc/example-go"} {
		cmd := exec.Command("drycc", strings.Fields(line)...)
		cmd.Env = seat.env
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	seat.ours, seat.theirs = openTerminal(t)
	resize(t, seat.ours, 80, 24)
	return seat
}

// start runs drycc in the terminal, in a session of its own as a shell's
// window has it.
func (s *seat) start(t *testing.T, line string) (*exec.Cmd, *screen) {
	t.Helper()
	cmd := exec.Command("drycc", strings.Fields(line)...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = s.env, s.theirs, s.theirs, s.theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	shown := &screen{}
	go shown.read(s.ours)
	return cmd, shown
}

func TestTerminal(t *testing.T) {
	for _, line := range []string{"exec scenic-icehouse-web-0 -it -- sh", "run -it -- sh"} {
		t.Run(line, func(t *testing.T) {
			seat := newSeat(t)
			before := mode(t, seat.theirs)
			require.NotZero(t, before.Lflag&unix.ICANON)
			cmd, shown := seat.start(t, line)
			shown.shows(t, "tty true\r\n")
			shown.shows(t, "size 80x24\r\n")

			during := mode(t, seat.theirs)
			assert.Zero(t, during.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG), "keys are not handled here")
			_, err := seat.ours.WriteString("\x03\t")
			require.NoError(t, err)
			shown.shows(t, `key '\x03'`) // Ctrl-C is the command's, not ours
			shown.shows(t, `key '\t'`)
			resize(t, seat.ours, 132, 50)
			shown.shows(t, "size 132x50\r\n")

			_, err = seat.ours.WriteString("q")
			require.NoError(t, err)
			var code *exec.ExitError
			require.ErrorAs(t, cmd.Wait(), &code)
			assert.Equal(t, 7, code.ExitCode())
			assert.Equal(t, before, mode(t, seat.theirs), "the terminal is as it was")
		})
	}
}

func TestTerminalIsRestoredWhenWeAreEnded(t *testing.T) {
	seat := newSeat(t)
	before := mode(t, seat.theirs)
	cmd, shown := seat.start(t, "exec scenic-icehouse-web-0 -it -- sh")
	shown.shows(t, "size 80x24\r\n")
	require.NotEqual(t, before, mode(t, seat.theirs))
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	var code *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &code)
	assert.Equal(t, exitInterrupted, code.ExitCode())
	assert.Equal(t, before, mode(t, seat.theirs), "the terminal is as it was")
}

func TestTerminalIsRestoredWhenTheCommandCannotRun(t *testing.T) {
	seat := newSeat(t)
	before := mode(t, seat.theirs)
	cmd, shown := seat.start(t, "exec no-such-pod -it -- sh")
	shown.shows(t, "Error:")
	require.Error(t, cmd.Wait())
	assert.Equal(t, before, mode(t, seat.theirs), "the terminal is as it was")
}
