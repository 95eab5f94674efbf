// Package checkup holds the checks of a host that the platform runs on, and
// those that make sense before and after an install: what grows, what expires,
// what is in the way, what was left behind. They look at the host only; what
// the platform knows of itself is looked at by cmd/slipway. All are entries of
// the registry of bootstrap/doctor.
package checkup

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Options are what the checks need to know of the installation.
type Options struct {
	DataDir     string // of k3s
	CA          string // folder of the platform's certificates
	Controller  string // folder of the controller's database
	Bin         string // folder of the carried programs
	ResolvConf  string // that pods inherit, "" is the host's
	ClusterCIDR netip.Prefix
	ServiceCIDR netip.Prefix
	Ports       []int // TCP ports that others reach this host at
	Service     host.Service
	Enable      bool     // the service is meant to start at boot
	Images      []string // references of the carried images; none: they are not looked at
	Now         func() time.Time
	// InServer says that this process has the databases open. Their files are not
	// read then: closing a file of one's own ends SQLite's locks on it, and the
	// next other program that closes the database removes its log.
	InServer bool
	// Resolve asks a name server whether it answers at all; nil asks over UDP.
	Resolve func(ctx context.Context, server netip.Addr) error
}

// env is what checks look at.
type env struct {
	host host.Host
	opts Options
}

// Checks returns the entries for the registry, in the order of the report.
func Checks(h host.Host, o Options) []doctor.Check {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Resolve == nil {
		o.Resolve = askNameServer
	}
	e := &env{host: h, opts: o}
	onHosts := doctor.Running | doctor.BeforeUpgrade
	return doctor.Checks(e, []doctor.Entry[*env]{
		{ID: "service", Title: "the service", Scope: doctor.Running, Look: checkService},
		{ID: "disk-use", Title: "room on the disks in use", Scope: onHosts, Look: checkDiskUse},
		{ID: "certificates", Title: "certificates of the cluster and the platform", Scope: onHosts, Look: checkCertificates},
		{ID: "cluster-database", Title: "size of the cluster's database", Scope: doctor.RunningServer, Look: checkClusterDatabase},
		{ID: "controller-database", Title: "size of the controller's database", Scope: doctor.RunningServer, Look: checkControllerDatabase},
		{ID: "clock-sync", Title: "clock synchronisation", Scope: doctor.Always, Look: checkClockSync},
		{ID: "name-servers", Title: "name servers that pods inherit", Scope: doctor.Always, Look: checkNameServers},
		{ID: "inotify", Title: "inotify limits", Scope: doctor.Always, Look: checkInotify},
		{ID: "firewall", Title: "firewalls of this host", Scope: doctor.Always, Look: checkFirewall},
		{ID: "leftovers", Title: "shims and mounts without a container", Scope: doctor.Running, Look: checkLeftovers},
		{ID: "images", Title: "images of other versions", Scope: doctor.Running, Costly: true, Look: checkImages},
	})
}

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// checkService looks whether the platform runs and will run after a boot.
func checkService(ctx context.Context, e *env) ([]doctor.Finding, error) {
	s := e.opts.Service
	if s == nil {
		return nil, nil
	}
	st, err := s.Status(ctx)
	if err != nil {
		return nil, err
	}
	var found []doctor.Finding
	if !st.Running {
		found = append(found, doctor.Finding{Severity: doctor.Error, Title: "the service does not run", Evidence: s.Manager() + ": " + st.Detail,
			Reason: "apps that run go on, but nothing is deployed, mended or renewed", Cure: "read its log: " + s.Logs(),
			Fix: &doctor.Fix{Change: "start the service", Do: func(ctx context.Context, _ doctor.Changer) error { return s.Start(ctx) }}})
	}
	if enabled, known := enabledAtBoot(ctx, e.host, s.Manager()); e.opts.Enable && known && !enabled {
		found = append(found, doctor.Finding{Severity: doctor.Warning, Title: "the service does not start at boot", Evidence: s.Manager() + " says that slipway is not enabled",
			Reason: "after a power cut the platform stays off", Cure: "enable it, or set INSTALL_K3S_SKIP_ENABLE if this is meant",
			Fix: &doctor.Fix{Change: "enable the service", Do: func(ctx context.Context, c doctor.Changer) error { return s.Install(ctx, c, true) }}})
	}
	return found, nil
}

// enabledAtBoot asks the service manager; hosts without one start nothing.
func enabledAtBoot(ctx context.Context, h host.Host, manager string) (enabled, known bool) {
	switch manager {
	case host.ManagerSystemd:
		_, err := h.Run(ctx, host.Command{Name: "systemctl", Args: []string{"is-enabled", "--quiet", "slipway.service"}})
		return err == nil, !errors.Is(err, host.ErrNoCommand)
	case host.ManagerOpenRC:
		_, err := h.Stat("/etc/runlevels/default/slipway")
		return err == nil, true
	}
	return false, false
}
