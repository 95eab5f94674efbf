package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// baseFiles are what apps run in: the C and C++ libraries, bash and busybox,
// time zones and certificates, and a user without rights.
func baseFiles(debian string) ([]file, error) {
	bundle, err := certificates(debian)
	if err != nil {
		return nil, err
	}
	home := "home/cnb/"
	files := []file{
		{name: "etc/passwd", mode: 0o644, data: fmt.Appendf(nil, "root:x:0:0:root:/root:/bin/bash\ncnb:x:%d:%d:cnb:/home/cnb:/bin/bash\n", packsUser, packsUser)},
		{name: "etc/group", mode: 0o644, data: fmt.Appendf(nil, "root:x:0:\ncnb:x:%d:\n", packsUser)},
		{name: "etc/nsswitch.conf", mode: 0o644, data: []byte("hosts: files dns\n")},
		{name: "etc/os-release", mode: 0o644, data: []byte("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n")},
		{name: strings.TrimPrefix(certBundle, "/"), mode: 0o644, data: bundle},
		{name: "tmp/", mode: 0o1777}, {name: "var/tmp/", mode: 0o1777}, {name: "root/", mode: 0o700},
		{name: home, mode: 0o755, owner: packsUser},
		// Scripts begin with "#!/usr/bin/env node".
		{name: "usr/bin/env", mode: 0o777, link: "../../bin/busybox"},
	}
	for _, applet := range applets() {
		files = append(files, file{name: "bin/" + applet, mode: 0o777, link: "busybox"})
	}
	err = filepath.WalkDir(debian, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(debian, path)
		if err != nil || !inBase(name) {
			return err
		}
		f, err := fileAt(path)
		f.name = name
		files = append(files, f)
		return err
	})
	return files, err
}

// inBase chooses from the Debian packages: no documents, no character sets but
// the usual ones, no second copies of the time zones.
func inBase(name string) bool {
	if name == "bin/bash" || name == "bin/busybox" || strings.HasPrefix(name, "lib64/") {
		return true
	}
	for _, folder := range []string{"lib/", "usr/lib/"} {
		rest, ok := strings.CutPrefix(name, folder)
		if !ok {
			continue
		}
		library, base, _ := strings.Cut(rest, "/")
		return strings.HasSuffix(library, "-linux-gnu") && !strings.Contains(base, "/") && strings.Contains(base, ".so")
	}
	zone, ok := strings.CutPrefix(name, "usr/share/zoneinfo/")
	return ok && !strings.HasPrefix(zone, "right/") && !strings.HasPrefix(zone, "posix/") && !strings.HasSuffix(zone, ".list")
}

// fileAt is a file or link as it is at path; its name is the caller's to set.
func fileAt(path string) (file, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return file{}, err
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		mode := int64(0o644)
		if info.Mode()&0o111 != 0 {
			mode = 0o755
		}
		return file{mode: mode, path: path}, nil
	}
	target, err := os.Readlink(path)
	return file{mode: 0o777, link: target}, err
}
