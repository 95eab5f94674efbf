package bootstrap

import (
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kernel gives a host the settings of a fresh Debian.
func kernel(w *world) {
	for key, value := range map[string]string{"vm/overcommit_memory": "0", "vm/panic_on_oom": "0", "kernel/panic": "0", "kernel/panic_on_oops": "1",
		"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
		"fs/inotify/max_user_instances": "128", "fs/inotify/max_user_watches": "1048576", "net/ipv4/tcp_migrate_req": "0"} {
		w.host.SysctlMap[key] = value
	}
}

func TestKernelSettingsComeAndGo(t *testing.T) {
	w := newWorld(t)
	kernel(w)
	before := w.machine()
	require.NoError(t, w.install())
	unmet, err := UnmetKernelSettings(w.host)
	require.NoError(t, err)
	assert.Empty(t, unmet)
	assert.Equal(t, "10", w.host.SysctlMap["kernel/panic"])
	assert.Equal(t, "1048576", w.host.SysctlMap["fs/inotify/max_user_watches"], "what is more than enough stays")
	assert.Equal(t, "1", w.host.SysctlMap["net/ipv4/tcp_migrate_req"])
	assert.Contains(t, w.host.Nodes[SysctlFile].Data, "kernel.panic = 10\n")

	res, err := w.uninstall(false)
	require.NoError(t, err)
	assert.False(t, Counts(res.Diff), "%v", res.Diff)
	assert.Equal(t, before, w.machine())
	assert.NotContains(t, w.host.Nodes, SysctlFile)
}

// TestAKernelThatCannotBeSet is a container with a read-only /proc/sys.
func TestAKernelThatCannotBeSet(t *testing.T) {
	w := newWorld(t)
	kernel(w)
	w.host.Fail = func(call string) error {
		if strings.HasPrefix(call, "sysctl kernel/panic=") {
			return syscall.EROFS
		}
		return nil
	}
	require.NoError(t, w.install())
	w.standing() // nothing is half made
	left, err := SettleKernel(w.host)
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Equal(t, "kernel/panic", left[0].Key)

	w.host.Fail = nil
	w.host.SysctlMap["vm/overcommit_memory"] = "0" // a boot without sysctl.d
	left, err = SettleKernel(w.host)
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.Equal(t, "1", w.host.SysctlMap["vm/overcommit_memory"])
}
