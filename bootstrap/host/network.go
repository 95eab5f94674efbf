package host

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// netnsDir is where named network namespaces are kept.
const netnsDir = "/run/netns"

// Links implements Network.
func (l *Linux) Links() ([]Link, error) { return l.sys.links() }

// DeleteLink implements Network.
func (l *Linux) DeleteLink(name string) error { return l.sys.deleteLink(name) }

// IPSets implements Network.
func (l *Linux) IPSets() ([]string, error) { return l.sys.ipsets() }

// DeleteIPSet implements Network.
func (l *Linux) DeleteIPSet(name string) error { return l.sys.deleteIPSet(name) }

func netlinkLinks() ([]Link, error) {
	found, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("network interfaces: %w", err)
	}
	names := map[int]string{}
	for _, f := range found {
		names[f.Attrs().Index] = f.Attrs().Name
	}
	links := make([]Link, 0, len(found))
	for _, f := range found {
		a := f.Attrs()
		links = append(links, Link{Name: a.Name, Type: f.Type(), Master: names[a.MasterIndex]})
	}
	sort.Slice(links, func(i, j int) bool { return links[i].Name < links[j].Name })
	return links, nil
}

func netlinkDelete(name string) error {
	link, err := netlink.LinkByName(name)
	var absent netlink.LinkNotFoundError
	if errors.As(err, &absent) {
		return nil
	}
	if err == nil {
		err = netlink.LinkDel(link)
	}
	if err != nil && !errors.Is(err, unix.ENODEV) { // its peer may have taken it along
		return fmt.Errorf("delete interface %s: %w", name, err)
	}
	return nil
}

func netlinkIPSets() ([]string, error) {
	sets, err := netlink.IpsetListAll()
	if err != nil {
		// A kernel without ipset, or one that does not let us ask, has none of
		// ours.
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EPERM) ||
			errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.ENOENT) {
			return nil, nil
		}
		return nil, fmt.Errorf("ipsets: %w", err)
	}
	var names []string
	for _, s := range sets {
		if s.SetName != "" {
			names = append(names, s.SetName)
		}
	}
	sort.Strings(names)
	return names, nil
}

func netlinkDeleteIPSet(name string) error {
	if err := netlink.IpsetDestroy(name); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("delete ipset %s: %w", name, err)
	}
	return nil
}

// Namespaces implements Network.
func (l *Linux) Namespaces() ([]string, error) {
	names, err := l.List(netnsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}

// DeleteNamespace implements Network.
func (l *Linux) DeleteNamespace(name string) error {
	path := filepath.Join(netnsDir, name)
	err := l.sys.unmount(l.path(path), unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmount %s: %w", path, err)
	}
	return l.Remove(path)
}

// Listeners implements Network.
func (l *Linux) Listeners() ([]Listener, error) {
	inodes := map[string]Listener{}
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := l.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) { // no IPv6
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("listening ports: %w", err)
		}
		if err := parseListeners(string(data), inodes); err != nil {
			return nil, fmt.Errorf("listening ports: %s: %w", file, err)
		}
	}
	if err := l.findOwners(inodes); err != nil {
		return nil, err
	}
	list := make([]Listener, 0, len(inodes))
	for _, v := range inodes {
		list = append(list, v)
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].Port != list[j].Port {
			return list[i].Port < list[j].Port
		}
		return list[i].Address < list[j].Address
	})
	return list, nil
}

// parseListeners adds the listening sockets of a /proc/net/tcp file by inode.
func parseListeners(text string, into map[string]Listener) error {
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if i == 0 || len(f) < 10 || f[3] != "0A" { // header; 0A is LISTEN
			continue
		}
		host, port, ok := strings.Cut(f[1], ":")
		n, err := strconv.ParseUint(port, 16, 16)
		if !ok || err != nil {
			return fmt.Errorf("line %q: no port", line)
		}
		addr, err := parseProcAddress(host)
		if err != nil {
			return fmt.Errorf("line %q: %w", line, err)
		}
		into[f[9]] = Listener{Address: addr, Port: int(n)}
	}
	return nil
}

// parseProcAddress reads an address written as 32-bit words in the byte order
// of the machine, which is little-endian on all we build for.
func parseProcAddress(s string) (string, error) {
	b, err := hex.DecodeString(s)
	if err != nil || (len(b) != net.IPv4len && len(b) != net.IPv6len) {
		return "", fmt.Errorf("address %q is malformed", s)
	}
	for i := 0; i < len(b); i += 4 {
		b[i], b[i+1], b[i+2], b[i+3] = b[i+3], b[i+2], b[i+1], b[i]
	}
	addr, _ := netip.AddrFromSlice(b)
	return addr.Unmap().String(), nil
}

// findOwners fills in who holds each socket, as far as we may see.
func (l *Linux) findOwners(inodes map[string]Listener) error {
	if len(inodes) == 0 {
		return nil
	}
	processes, err := l.Processes()
	if err != nil {
		return err
	}
	for _, p := range processes {
		dir := l.path(filepath.Join("/proc", strconv.Itoa(p.PID), "fd"))
		fds, err := os.ReadDir(dir)
		if err != nil {
			continue // another user's, or gone
		}
		for _, fd := range fds {
			target, err := os.Readlink(filepath.Join(dir, fd.Name()))
			if err != nil {
				continue
			}
			inode, ok := strings.CutPrefix(target, "socket:[")
			if !ok {
				continue
			}
			inode = strings.TrimSuffix(inode, "]")
			if v, ok := inodes[inode]; ok && v.PID == 0 {
				v.PID, v.Command, v.Exe = p.PID, p.Name, p.Exe
				inodes[inode] = v
			}
		}
	}
	return nil
}
