package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rooted returns a host below a temporary folder with an empty mount table.
func rooted(t *testing.T) (*Linux, string) {
	t.Helper()
	root := t.TempDir()
	l := NewLinux(Options{Root: root})
	put(t, root, "/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/vda rw\n")
	return l, root
}

func put(t *testing.T, root, path, data string) {
	t.Helper()
	full := filepath.Join(root, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
	require.NoError(t, os.WriteFile(full, []byte(data), 0o644))
}

func TestWriteFileIsWholeAndExact(t *testing.T) {
	l, root := rooted(t)
	require.NoError(t, l.Mkdir("/etc", 0o755))
	require.NoError(t, l.WriteFile("/etc/secret", []byte("one"), 0o600))
	require.NoError(t, l.WriteFile("/etc/secret", []byte("two"), 0o640))
	info, err := l.Stat("/etc/secret")
	require.NoError(t, err)
	assert.Equal(t, KindFile, info.Kind)
	assert.Equal(t, fs.FileMode(0o640), info.Perm)
	data, err := l.ReadFile("/etc/secret")
	require.NoError(t, err)
	assert.Equal(t, "two", string(data))
	sum, err := l.Hash("/etc/secret")
	require.NoError(t, err)
	assert.Equal(t, "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3", sum)
	names, err := os.ReadDir(filepath.Join(root, "etc"))
	require.NoError(t, err)
	assert.Len(t, names, 1, "no temporary file is left")
}

func TestWriteFileLeavesNothingOnFailure(t *testing.T) {
	l, root := rooted(t)
	require.NoError(t, os.MkdirAll(filepath.Join(root, "etc/target/full"), 0o755))
	err := l.WriteFile("/etc/target", []byte("x"), 0o600) // a directory is in the way
	require.ErrorContains(t, err, "write /etc/target")
	names, err := l.List("/etc")
	require.NoError(t, err)
	assert.Equal(t, []string{"target"}, names)
	require.ErrorIs(t, l.WriteFile("/none/file", nil, 0o600), fs.ErrNotExist)
}

// A writer that was killed leaves what it had written; neither the next writer
// nor the removal of the file may leave that behind.
func TestWhatAKilledWriterLeftGoes(t *testing.T) {
	l, dir := rooted(t)
	half := filepath.Join(dir, ".slipway.slipway-new")
	leave := func() { require.NoError(t, os.WriteFile(half, []byte("half"), 0o600)) }
	leave()
	require.NoError(t, l.WriteFile("/slipway", []byte("whole"), 0o755))
	require.NoFileExists(t, half)
	leave()
	require.NoError(t, l.Remove("/slipway"))
	require.NoFileExists(t, half)
	leave()
	require.NoError(t, l.Remove("/slipway"), "the file itself may never have come to be")
	require.NoFileExists(t, half)
	leave()
	require.NoError(t, l.Symlink("slipway", "/slipway"))
	require.NoError(t, l.Symlink("other", "/slipway"))
	require.NoFileExists(t, half)
}

func TestCopyAppendSymlinkRemove(t *testing.T) {
	l, root := rooted(t)
	put(t, root, "/tmp/program", strings.Repeat("x", 1<<20))
	require.NoError(t, l.Mkdir("/bin", 0o755))
	require.ErrorIs(t, l.Mkdir("/bin", 0o755), fs.ErrExist)
	require.NoError(t, l.CopyFile("/tmp/program", "/bin/slipway", 0o755))
	info, err := l.Stat("/bin/slipway")
	require.NoError(t, err)
	assert.Equal(t, int64(1<<20), info.Size)

	require.NoError(t, l.Append("/bin/log", []byte("a\n"), 0o600))
	require.NoError(t, l.Append("/bin/log", []byte("b\n"), 0o600))
	data, err := os.ReadFile(filepath.Join(root, "bin/log"))
	require.NoError(t, err)
	assert.Equal(t, "a\nb\n", string(data))

	require.NoError(t, l.Symlink("slipway", "/bin/kubectl"))
	require.NoError(t, l.Symlink("/bin/slipway", "/bin/kubectl"), "a link is replaced")
	info, err = l.Stat("/bin/kubectl")
	require.NoError(t, err)
	assert.Equal(t, "/bin/slipway", info.Target)
	require.ErrorIs(t, l.Symlink("x", "/bin/log"), fs.ErrExist)

	require.NoError(t, l.Remove("/bin/kubectl"))
	require.NoError(t, l.Remove("/bin/kubectl"), "twice is no error")
	require.Error(t, l.Remove("/bin"), "not empty")
	require.NoError(t, l.RemoveTree("/bin"))
	require.NoError(t, l.RemoveTree("/bin"))
}

func TestRemoveTreeRefusesBelowMounts(t *testing.T) {
	l, root := rooted(t)
	put(t, root, "/var/lib/kubelet/pods/1/volumes/data", "precious")
	put(t, root, "/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/vda rw\n30 22 0:30 / /var/lib/kubelet/pods/1/volumes rw - nfs srv:/x rw\n")
	require.ErrorIs(t, l.RemoveTree("/var/lib/kubelet"), ErrMounted)
	require.ErrorIs(t, l.RemoveTree("/var/lib/kubelet/pods/1/volumes"), ErrMounted)
	_, err := l.Stat("/var/lib/kubelet/pods/1/volumes/data")
	require.NoError(t, err)
	require.NoError(t, l.RemoveTree("/var/lib/kubelet/pods/1/volumes/data"), "a path on the mount is not the mount")
}

func TestLock(t *testing.T) {
	l, root := rooted(t)
	other := NewLinux(Options{Root: root})
	release, err := l.Lock("/install.lock")
	require.NoError(t, err)
	_, err = other.Lock("/install.lock")
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, release())
	_, err = l.Stat("/install.lock")
	require.True(t, errors.Is(err, fs.ErrNotExist), "nothing stays")
	release, err = other.Lock("/install.lock")
	require.NoError(t, err)
	require.NoError(t, release())
}

func TestDiskOfAPathThatIsNotThere(t *testing.T) {
	l, _ := rooted(t)
	d, err := l.Disk("/var/lib/rancher/k3s")
	require.NoError(t, err)
	assert.NotZero(t, d.Total)
	assert.NotEmpty(t, d.Type)
}

func TestBelow(t *testing.T) {
	for _, tt := range []struct {
		path, dir string
		want      bool
	}{
		{"/a/b", "/a", true}, {"/a", "/a", true}, {"/ab", "/a", false}, {"/a", "/a/b", false},
		{"/a/../b", "/a", false}, {"/x", "/", true}, {"/a/b/", "/a/b", true},
	} {
		assert.Equal(t, tt.want, Below(tt.path, tt.dir), "%s below %s", tt.path, tt.dir)
	}
}

func TestParseMounts(t *testing.T) {
	data, err := os.ReadFile("testdata/mountinfo")
	require.NoError(t, err)
	mounts, err := ParseMounts(data)
	require.NoError(t, err)
	require.Len(t, mounts, 8)
	assert.Equal(t, Mount{ID: 36, Parent: 35, Root: "/mnt1", Point: "/mnt/with space", Type: "ext3", Source: "/dev/root"}, mounts[1])
	assert.Equal(t, []string{"/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/b/rootfs", "/var/lib/kubelet/pods/1/volumes/x",
		"/var/lib/kubelet/pods/1/volumes/x", "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/a/rootfs"},
		MountsBelow(mounts, "/run/k3s", "/var/lib/kubelet"), "the last made first, twice what is mounted twice")
	assert.Empty(t, MountsBelow(mounts, "/run/k3"), "whole names only")
	_, err = ParseMounts([]byte("garbage\n"))
	require.Error(t, err)
}
