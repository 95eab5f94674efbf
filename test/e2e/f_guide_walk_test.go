//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

// prelude is what the transcripts may use besides the guide's own commands. The
// working folder outlives a command; it names the app, as the guide has it.
const prelude = `
pod() { drycc ps list | awk -v ptype="$1" '$4 == ptype && $3 == "up" { print $1; exit }'; }
cd -- "$(cat "$HOME/.folder")" || exit 99
trap 'pwd >"$HOME/.folder"' EXIT
`

// walker types the commands of transcripts, as a user of this machine with a
// home and nothing else.
type walker struct {
	m          *appliance.Machine
	home, work string
	env        []string
	commands   int
}

func newWalker(t *testing.T, m *appliance.Machine) *walker {
	t.Helper()
	username, password, err := m.Credentials(t.Context())
	require.NoError(t, err)
	w := &walker{m: m, home: t.TempDir()}
	w.work = filepath.Join(w.home, "work")
	require.NoError(t, os.Mkdir(w.work, 0o755))
	w.cd(t, w.work)
	w.env = []string{
		"HOME=" + w.home, "PATH=" + filepath.Join(w.home, "bin") + ":/usr/local/bin:/usr/bin:/bin", "TZ=UTC",
		"ADMIN=" + username, "PASSWORD=" + password,
		"HELLO=" + house.Carried(t, m, "hello"), "BUSYBOX=" + house.Carried(t, m, "busybox"),
	}
	return w
}

// cd goes to a folder that the next command begins in.
func (w *walker) cd(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(w.home, ".folder"), []byte(dir), 0o600))
}

func (w *walker) command(ctx context.Context, command string) *exec.Cmd {
	cmd := w.m.Command(ctx, nil, "bash", "-c", prelude+command)
	cmd.Env = w.env // nothing of this process: not its proxy, not its home
	return cmd
}

// walk runs a transcript from the working folder. It ends at the first command
// that does something else than it should: the next ones build on it.
func (w *walker) walk(t *testing.T, name string) {
	t.Helper()
	w.cd(t, w.work)
	text, err := os.ReadFile(filepath.Join("testdata", "guide", name))
	require.NoError(t, err)
	steps, err := appliance.ParseTranscript(string(text))
	require.NoError(t, err)
	require.NotEmpty(t, steps)
	for _, step := range steps {
		w.commands++
		err := w.try(t, step)
		if err != nil && step.Again {
			err = appliance.Eventually(t.Context(), time.Minute, func(context.Context) error { return w.try(t, step) })
		}
		require.NoError(t, err, name)
	}
}

// try runs a command once.
func (w *walker) try(t *testing.T, step appliance.Step) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deployLimit)
	defer cancel()
	r, err := appliance.Capture(w.command(ctx, step.Command))
	if err != nil {
		return err
	}
	return step.Check(r)
}
