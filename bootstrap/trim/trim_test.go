package trim

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnchanging(t *testing.T) {
	list, err := unchanging(strings.NewReader(`00400000-00ab8000 r-xp 00000000 fe:00 1234   /usr/bin/traefik
00ab8000-00ac0000 rw-p 006b8000 fe:00 1234   /usr/bin/traefik
c000000000-c000400000 rw-p 00000000 00:00 0
7ffc0000-7ffc2000 r-xp 00000000 00:00 0      [vdso]
`))
	require.NoError(t, err)
	require.Equal(t, []span{{0x400000, 0x6b8000}}, list)
	_, err = unchanging(strings.NewReader("x-y r-xp 0 0 0 /bin/x\n"))
	require.ErrorContains(t, err, "not understood")
}

// This very process goes on as if nothing was.
func TestTrimSelf(t *testing.T) {
	done, err := Processes([]int{os.Getpid()})
	require.NoError(t, err)
	require.Equal(t, 1, done.Processes)
	require.Less(t, done.After, done.Before)
}

func TestTrimPassesOverWhatHasEnded(t *testing.T) {
	const beyond = 1 << 22 // one more than the kernel's greatest process number
	done, err := Processes([]int{beyond})
	require.NoError(t, err)
	require.Zero(t, done)
}
