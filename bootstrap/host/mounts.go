package host

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Mounts implements Mounts.
func (l *Linux) Mounts() ([]Mount, error) {
	data, err := l.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("mounts: %w", err)
	}
	return ParseMounts(data)
}

// Unmount implements Mounts.
func (l *Linux) Unmount(point string) error {
	if err := l.sys.unmount(l.path(point), unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
		return fmt.Errorf("unmount %s: %w", point, err)
	}
	return nil
}

// ParseMounts reads the text of /proc/<pid>/mountinfo.
func ParseMounts(data []byte) ([]Mount, error) {
	var mounts []Mount
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20) // overlay mounts list every layer in one line
	for lines.Scan() {
		m, err := parseMount(lines.Text())
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, m)
	}
	return mounts, lines.Err()
}

// parseMount reads one line: id, parent, device, root, point, options, optional
// fields up to a lone dash, type, source, super options.
func parseMount(line string) (Mount, error) {
	f := strings.Fields(line)
	dash := -1
	for i := 6; i < len(f); i++ {
		if f[i] == "-" {
			dash = i
			break
		}
	}
	if dash < 0 || len(f) < dash+3 {
		return Mount{}, fmt.Errorf("mountinfo line %q: too few fields", line)
	}
	id, err := strconv.Atoi(f[0])
	if err != nil {
		return Mount{}, fmt.Errorf("mountinfo line %q: %w", line, err)
	}
	parent, err := strconv.Atoi(f[1])
	if err != nil {
		return Mount{}, fmt.Errorf("mountinfo line %q: %w", line, err)
	}
	return Mount{
		ID: id, Parent: parent, Root: unescapeMount(f[3]), Point: unescapeMount(f[4]),
		Type: f[dash+1], Source: unescapeMount(f[dash+2]),
	}, nil
}

// unescapeMount undoes the octal escapes that stand for space, tab, newline and
// backslash.
func unescapeMount(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// MountsBelow returns the mount points at or below any of the folders, the last
// made first, which is the order to unmount them in. A point that is mounted
// over several times appears as often.
func MountsBelow(mounts []Mount, folders ...string) []string {
	var points []string
	for i := len(mounts) - 1; i >= 0; i-- {
		for _, dir := range folders {
			if Below(mounts[i].Point, dir) {
				points = append(points, mounts[i].Point)
				break
			}
		}
	}
	return points
}
