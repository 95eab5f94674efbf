package host

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestSysctl(t *testing.T) {
	l, root := rooted(t)
	put(t, root, "/proc/sys/net/ipv4/ip_forward", "0\n")
	put(t, root, "/proc/sys/net/ipv4/conf/all/forwarding", "0\n")
	put(t, root, "/proc/sys/net/ipv4/conf/eth0/forwarding", "1\n")
	v, err := l.Sysctl("net/ipv4/ip_forward")
	require.NoError(t, err)
	assert.Equal(t, "0", v)
	require.NoError(t, l.SetSysctl("net/ipv4/ip_forward", "1"))
	v, err = l.Sysctl("net/ipv4/ip_forward")
	require.NoError(t, err)
	assert.Equal(t, "1", v)
	_, err = l.Sysctl("net/bridge/none")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, l.SetSysctl("net/bridge/none", "1"), fs.ErrNotExist)
	keys, err := l.Sysctls("net/ipv4/conf/*/forwarding")
	require.NoError(t, err)
	assert.Equal(t, []string{"net/ipv4/conf/all/forwarding", "net/ipv4/conf/eth0/forwarding"}, keys)
}

func TestFactsOfThisMachine(t *testing.T) {
	f, err := NewLinux(Options{}).Facts()
	require.NoError(t, err)
	assert.Equal(t, "linux", f.OS)
	assert.Equal(t, os.Geteuid(), f.UID)
	assert.NotZero(t, f.MemoryTotal)
	assert.NotEmpty(t, f.Hostname)
	assert.NotEmpty(t, f.Release)
	assert.Contains(t, []string{ManagerSystemd, ManagerOpenRC, ManagerNone}, f.Init)
}

func TestFactsOfOtherMachines(t *testing.T) {
	l, root := rooted(t)
	put(t, root, "/proc/meminfo", "MemTotal:        2048000 kB\nMemFree: 1 kB\nMemAvailable:    1024000 kB\nSwapTotal:       512 kB\nHugePages_Total:       0\n")
	put(t, root, "/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")
	put(t, root, "/proc/sys/kernel/hostname", "bare\n")
	put(t, root, "/proc/sys/kernel/cap_last_cap", "40\n")
	put(t, root, "/proc/self/status", "Name:\tx\nCapEff:\t000001fffeffffff\n")
	put(t, root, "/proc/filesystems", "nodev\tproc\n\text4\nnodev\toverlay\n")
	put(t, root, "/proc/1/environ", "PATH=/bin\x00container=lxc\x00")
	put(t, root, "/etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")
	put(t, root, "/lib/modules/6.1.0-18-amd64/modules.dep", "kernel/net/bridge/bridge.ko.xz: kernel/net/802/stp.ko\nkernel/net/netfilter/nf_tables.ko:\n")
	put(t, root, "/lib/modules/6.1.0-18-amd64/modules.builtin", "kernel/drivers/net/veth.ko\n")
	put(t, root, "/sys/fs/cgroup/cgroup.controllers", "memory cpu pids cpuset\n")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "run/systemd/system"), 0o755))
	f, err := l.Facts()
	require.NoError(t, err)
	assert.Equal(t, "Debian GNU/Linux 12 (bookworm)", f.Distro)
	assert.Equal(t, "bare", f.Hostname)
	assert.Equal(t, uint64(2048000<<10), f.MemoryTotal)
	assert.Equal(t, uint64(1024000<<10), f.MemoryFree)
	assert.Equal(t, uint64(512<<10), f.SwapTotal)
	assert.Equal(t, ManagerSystemd, f.Init)
	assert.Equal(t, "lxc", f.Container)
	assert.Equal(t, 2, f.Cgroup)
	assert.Equal(t, []string{"cpu", "cpuset", "memory", "pids"}, f.Controllers)
	assert.Equal(t, []string{"CAP_SYS_RESOURCE"}, f.MissingCaps)
	features := l.Features()
	for feature, want := range map[string]bool{FeatureOverlay: true, FeatureBridge: true, FeatureVeth: true, FeatureNFTables: true, FeatureVXLAN: false, FeatureIPTables: false} {
		assert.Equal(t, want, features[feature], feature)
	}
}

func TestProbingLeavesTheMainThreadAlone(t *testing.T) {
	before, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	for range 50 {
		onSpareThread(func() {
			// The thread is in a namespace of its own only where root made one.
			_ = unix.Unshare(unix.CLONE_NEWNET)
		})
	}
	after, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestCgroupVersion1(t *testing.T) {
	l, root := rooted(t)
	put(t, root, "/proc/self/mountinfo", `22 1 8:1 / / rw - ext4 /dev/vda rw
30 22 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
31 22 0:31 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
`)
	version, list := l.controllers()
	assert.Equal(t, 1, version)
	assert.Equal(t, []string{"cpu", "cpuacct", "memory"}, list)

	for _, dir := range []string{"memory/kubepods/besteffort/pod1", "memory/user.slice", "cpu,cpuacct/kubepods/burstable", "memory/k3s"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, "sys/fs/cgroup", dir), 0o755))
	}
	require.NoError(t, os.Symlink("cpu,cpuacct", filepath.Join(root, "sys/fs/cgroup/cpu")))
	groups, err := l.Cgroups([]string{"kubepods", "k3s"})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"/sys/fs/cgroup/memory/kubepods/besteffort/pod1",
		"/sys/fs/cgroup/cpu,cpuacct/kubepods/burstable", "/sys/fs/cgroup/memory/kubepods/besteffort",
		"/sys/fs/cgroup/cpu,cpuacct/kubepods", "/sys/fs/cgroup/memory/kubepods", "/sys/fs/cgroup/memory/k3s",
	}, groups, "the deepest first, the symlink once")
	for _, g := range groups {
		require.NoError(t, l.RemoveCgroup(g))
	}
	_, err = os.Stat(filepath.Join(root, "sys/fs/cgroup/memory/user.slice"))
	require.NoError(t, err)
	require.NoError(t, l.RemoveCgroup(groups[0]), "twice is no error")
	require.Error(t, l.RemoveCgroup("/etc"))
	require.Error(t, l.RemoveCgroup("/sys/fs/cgroup"))
}
