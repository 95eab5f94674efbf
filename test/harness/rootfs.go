package harness

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// recipe is what a bare host consists of. iptables, Go and compilers are left
// out on purpose: Slipway has to bring what it needs.
type recipe struct {
	suite    string
	packages []string
	revision int // raise it when the steps in build change
}

func bare() recipe {
	return recipe{"bookworm", []string{"systemd", "systemd-sysv", "dbus", "iproute2", "curl", "ca-certificates", "kmod", "procps"}, 2}
}

// hash names the recipe's result.
func (r recipe) hash() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", r.suite, strings.Join(r.packages, ","), r.revision))
	return hex.EncodeToString(sum[:8])
}

// RootFS returns a folder with the root of a bare Debian 12, which nobody may
// write to. It is made once (a minute or two, and network) and kept in the
// user's cache under a name that follows from its recipe. Concurrent callers
// wait for each other.
func RootFS(ctx context.Context) (string, error) { return RootFSWith(ctx) }

// RootFSWith is RootFS with more packages of Debian on it.
func RootFSWith(ctx context.Context, packages ...string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "slipway")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	r := bare()
	r.packages = append(r.packages, packages...)
	root := filepath.Join(dir, "rootfs-"+r.hash())
	unlock, err := lock(root + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()

	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	partial := root + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return "", err
	}
	if err := r.build(ctx, partial); err != nil {
		return "", fmt.Errorf("bare Debian root: %w", err)
	}
	return root, os.Rename(partial, root)
}

// build runs debootstrap in a mount namespace of its own, so that nothing
// stays mounted when it is killed, and drops what a fresh host has not got.
func (r recipe) build(ctx context.Context, dir string) error {
	// A root that is not finished is thrown away, so dpkg need not sync each file.
	hurry := filepath.Join(dir, "etc/dpkg/dpkg.cfg.d/unsafe-io")
	if err := os.MkdirAll(filepath.Dir(hurry), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(hurry, []byte("force-unsafe-io\n"), 0o644); err != nil {
		return err
	}
	args := []string{"--mount", "--propagation", "private", "--",
		"debootstrap", "--variant=minbase", "--include=" + strings.Join(r.packages, ","), r.suite, dir}
	cmd := exec.CommandContext(ctx, "unshare", append(args, mirror("/etc/apt")...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("debootstrap: %w\n%s", err, tail(string(out), 20))
	}
	for _, pattern := range []string{"var/cache/apt/archives/*.deb", "var/lib/apt/lists/*", "var/cache/debconf/*", "etc/machine-id", "etc/hostname", "etc/dpkg/dpkg.cfg.d/unsafe-io"} {
		matches, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, m := range matches {
			if err := os.RemoveAll(m); err != nil {
				return err
			}
		}
	}
	// An empty machine-id is filled at boot; a missing one starts the first-boot dialogue.
	if err := os.WriteFile(filepath.Join(dir, "etc/machine-id"), nil, 0o444); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "etc/resolv.conf"), nil, 0o644)
}

// mirror is the first Debian mirror of this machine's apt, as an argument of
// debootstrap, so that a host which may only use a given one does. Nil leaves
// the choice to debootstrap.
func mirror(apt string) []string {
	files, _ := filepath.Glob(filepath.Join(apt, "sources.list.d", "*"))
	for _, name := range append([]string{filepath.Join(apt, "sources.list")}, files...) {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			if u := sourceURL(s.Text()); u != "" {
				_ = f.Close()
				return []string{u}
			}
		}
		_ = f.Close()
	}
	return nil
}

// sourceURL reads the address from a line of either apt format: "URIs: URL" or
// "deb [options] URL suite…".
func sourceURL(line string) string {
	words := strings.Fields(line)
	if len(words) == 0 || words[0] != "URIs:" && words[0] != "deb" {
		return ""
	}
	for _, w := range words[1:] {
		if strings.HasPrefix(w, "http") {
			if strings.Contains(w, "security") {
				return ""
			}
			return w
		}
	}
	return ""
}

// lock takes an exclusive lock that ends with the process or the returned call.
func lock(path string) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}

// tail is the last n lines of s.
func tail(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
