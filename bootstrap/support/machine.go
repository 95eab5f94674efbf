package support

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/host"
)

func (s Sources) disks(p bootstrap.Paths) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		var b bytes.Buffer
		for _, path := range []string{"/", s.Settings.DataDir, p.Lib, p.Volumes, "/var/log", "/tmp"} {
			d, err := s.Host.Disk(path)
			if err != nil {
				return b.Bytes(), err
			}
			fmt.Fprintf(&b, "%s\t%s\t%d MiB free of %d\t%d inodes free of %d\n", path, d.Type, d.Free>>20, d.Total>>20, d.InodesFree, d.Inodes)
		}
		return b.Bytes(), nil
	}
}

func (s Sources) mounts(context.Context) ([]byte, error) {
	list, err := s.Host.Mounts()
	var b bytes.Buffer
	for _, m := range list {
		fmt.Fprintf(&b, "%s\t%s\t%s\n", m.Point, m.Type, m.Source)
	}
	return b.Bytes(), err
}

// processes lists names: arguments belong to other people's programs, too.
func (s Sources) processes(context.Context) ([]byte, error) {
	list, err := s.Host.Processes()
	var b bytes.Buffer
	for _, p := range list {
		if p.Exe != "" { // kernel threads tell nothing
			fmt.Fprintf(&b, "%d\t%d\t%s\t%s\n", p.PID, p.PPID, p.Name, p.Exe)
		}
	}
	return b.Bytes(), err
}

func (s Sources) network(context.Context) ([]byte, error) {
	var b bytes.Buffer
	links, err := s.Host.Links()
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		fmt.Fprintf(&b, "link\t%s\t%s\t%s\n", l.Name, l.Type, l.Master)
	}
	ports, err := s.Host.Listeners()
	for _, l := range ports {
		fmt.Fprintf(&b, "listens\t%s\t%d\t%d\t%s\n", l.Address, l.Port, l.PID, l.Command)
	}
	return b.Bytes(), err
}

func (s Sources) firewall(ctx context.Context) ([]byte, error) {
	dumps, err := s.Host.Rules(ctx)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	managers, err := host.ActiveFirewalls(ctx, s.Host)
	fmt.Fprintf(&b, "# managers: %v\n", managers)
	for _, d := range dumps {
		fmt.Fprintf(&b, "# %s\n%s\n", d.Tool, d.Text)
	}
	return b.Bytes(), err
}

// log is the server's: from the journal under systemd, else its file.
func (s Sources) log(p bootstrap.Paths) func(context.Context) ([]byte, error) {
	if s.Service == nil || s.Service.Manager() != host.ManagerSystemd {
		return s.end(filepath.Clean(p.LogFile))
	}
	return func(ctx context.Context) ([]byte, error) {
		// A command's output is kept from its beginning, so no more is asked for
		// than is kept.
		out, err := s.Host.Run(ctx, host.Command{Name: "journalctl", Args: []string{"--unit=slipway.service", "--no-pager", "--output=short-iso", "--lines=4000"}})
		return out.Stdout, err
	}
}
