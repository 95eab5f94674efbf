package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// childName is argument 0 of the process that becomes a host's process 1.
const childName = "slipway-test-host"

// Init has to be called first in main and TestMain: in the process that is to
// become a host it never returns.
func Init() {
	if len(os.Args) != 5 || os.Args[0] != childName {
		return
	}
	c := child{name: os.Args[1], dir: os.Args[2], rootfs: os.Args[3], dataSize: os.Args[4]}
	fmt.Fprintln(os.Stderr, "host", c.name+":", c.become())
	os.Exit(1)
}

// child runs in new namespaces as their process 1.
type child struct{ name, dir, rootfs, dataSize string }

// become turns the process into systemd; it returns only to report an error.
func (c child) become() error {
	runtime.LockOSThread() // namespaces belong to threads until exec
	wait := os.NewFile(3, "ready")
	if n, err := wait.Read(make([]byte, 1)); n != 1 {
		return fmt.Errorf("the program that made this host ended first: %w", err)
	}
	_ = wait.Close()
	trees, err := hierarchies("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	// By now this process is in its groups: they become the roots it sees.
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("new cgroup namespace: %w", err)
	}
	if err := unix.Sethostname([]byte(c.name)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	root := filepath.Join(c.dir, "root")
	steps := []func(string) error{c.mountRoot, mountKernel, mountDevices, c.mountData,
		func(root string) error { return mountCgroups(root, trees) }, pivot}
	for _, step := range steps {
		if err := step(root); err != nil {
			return err
		}
	}
	env := []string{"container=slipway-test", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	return unix.Exec("/lib/systemd/systemd", []string{"systemd", "--log-target=journal", "--show-status=no"}, env)
}

// mount mounts and, on an error, says what and where.
func mount(source, target, fstype string, flags uintptr, data string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, fstype, flags, data); err != nil {
		return fmt.Errorf("mount %s on %s (%s): %w", source, target, data, err)
	}
	return nil
}

func (c child) mountRoot(root string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	layers := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", c.rootfs, filepath.Join(c.dir, "upper"), filepath.Join(c.dir, "work"))
	return mount("overlay", root, "overlay", 0, layers)
}

func mountKernel(root string) error {
	for _, m := range []struct {
		fstype, path string
		flags        uintptr
		data         string
	}{
		{"proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"sysfs", "sys", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"tmpfs", "dev", unix.MS_NOSUID, "mode=755"},
		{"devpts", "dev/pts", unix.MS_NOSUID | unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5"},
		{"tmpfs", "dev/shm", unix.MS_NOSUID | unix.MS_NODEV, ""},
		{"mqueue", "dev/mqueue", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"tmpfs", "run", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
		{"tmpfs", "tmp", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
	} {
		if err := mount(m.fstype, filepath.Join(root, m.path), m.fstype, m.flags, m.data); err != nil {
			return err
		}
	}
	return nil
}

// mountDevices makes the few devices that every host has, and none of the
// machine's disks and terminals.
func mountDevices(root string) error {
	for _, d := range []struct {
		name         string
		major, minor uint32
	}{
		{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9},
		{"kmsg", 1, 11}, {"tty", 5, 0}, {"fuse", 10, 229},
	} {
		path := filepath.Join(root, "dev", d.name)
		if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(d.major, d.minor))); err != nil {
			return fmt.Errorf("device %s: %w", path, err)
		}
		if err := os.Chmod(path, 0o666); err != nil {
			return err
		}
	}
	for link, target := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx",
	} {
		if err := os.Symlink(target, filepath.Join(root, "dev", link)); err != nil {
			return err
		}
	}
	return nil
}

// mountData puts /var/lib on an ordinary file system: containerd refuses to
// keep images on an overlay. What Debian has there comes along.
func (c child) mountData(root string) error {
	data, target := filepath.Join(c.dir, "data"), filepath.Join(root, "var/lib")
	if c.dataSize != "" {
		if err := mount("tmpfs", data, "tmpfs", 0, "mode=755,size="+c.dataSize); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(data)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		if out, err := exec.Command("cp", "-a", target+"/.", data).CombinedOutput(); err != nil {
			return fmt.Errorf("fill /var/lib: %w: %s", err, out)
		}
	}
	return mount(data, target, "", unix.MS_BIND, "")
}

// mountCgroups shows the host its own groups, in the layout of the machine.
func mountCgroups(root string, trees []hierarchy) error {
	base := filepath.Join(root, "sys/fs/cgroup")
	if len(trees) == 1 && trees[0].version == 2 {
		return mount("cgroup2", base, "cgroup2", 0, "")
	}
	if err := mount("tmpfs", base, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return err
	}
	for _, t := range trees {
		target := filepath.Join(base, filepath.Base(t.mount))
		fstype := "cgroup"
		if t.version == 2 {
			fstype = "cgroup2"
		}
		if err := mount(fstype, target, fstype, 0, t.options); err != nil {
			return err
		}
	}
	return nil
}

// pivot makes root the root, with nothing of the machine's mounts left to see.
func pivot(root string) error {
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot to %s: %w", root, err)
	}
	// Both roots are stacked on "." now; the old one is on top.
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("let go of the machine's root: %w", err)
	}
	return unix.Chdir("/")
}
