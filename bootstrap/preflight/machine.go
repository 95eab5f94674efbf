package preflight

import (
	"context"
	"fmt"
	"strings"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
)

// The least a host needs, and what it should have.
const (
	memoryLeast  = 1 << 30
	memoryGood   = 2 << 30
	diskLeast    = 4 << 30
	diskGood     = 10 << 30
	inodesLeast  = 20_000
	inodesGood   = 100_000
	slackPercent = 6 // a machine sold with 1 GiB shows a little less
)

func checkRoot(_ context.Context, e *env) ([]doctor.Finding, error) {
	if e.facts.UID == 0 {
		return nil, nil
	}
	return doctor.One(doctor.Finding{Severity: doctor.Error, Title: "not run as root", Evidence: fmt.Sprintf("user id %d", e.facts.UID),
		Reason: "services, mounts and networks of containers belong to root", Cure: "run it with sudo"})
}

func checkSystem(_ context.Context, e *env) ([]doctor.Finding, error) {
	if e.facts.OS == "linux" && (e.facts.Arch == "amd64" || e.facts.Arch == "arm64") {
		return nil, nil
	}
	return doctor.One(doctor.Finding{Severity: doctor.Error, Title: "this system is not supported", Evidence: e.facts.OS + "/" + e.facts.Arch,
		Reason: "the carried programs are built for linux/amd64 and linux/arm64", Cure: "use such a host"})
}

func checkKernel(_ context.Context, e *env) ([]doctor.Finding, error) {
	needs := []struct{ feature, use, cure string }{
		{host.FeatureOverlay, "container images are stacked with it", "modprobe overlay"},
		{host.FeatureBridge, "pods are connected by it", "modprobe bridge"},
		{host.FeatureVeth, "pods are connected by it", "modprobe veth"},
	}
	var found []doctor.Finding
	features := e.host.Features()
	missing := func(severity doctor.Severity, name, use, cure string) {
		found = append(found, doctor.Finding{Severity: severity, Title: "the kernel has no " + name, Evidence: "kernel " + e.facts.Release, Reason: use,
			Cure: cure + ", or boot a kernel of the distribution that has it"})
	}
	for _, n := range needs {
		if !features[n.feature] {
			missing(doctor.Error, n.feature, n.use, n.cure)
		}
	}
	if !features[host.FeatureNFTables] && !features[host.FeatureIPTables] {
		missing(doctor.Error, "packet filter", "services are reached through its rules", "modprobe nf_tables")
	}
	if !features[host.FeatureSeccomp] {
		missing(doctor.Warning, "seccomp", "it limits what a broken app can do to the host", "enable CONFIG_SECCOMP_FILTER")
	}
	if _, err := e.host.Stat("/dev/kmsg"); err != nil {
		found = append(found, doctor.Finding{Severity: doctor.Error, Title: "there is no /dev/kmsg", Evidence: err.Error(),
			Reason: "the kubelet reads it and does not start without it", Cure: "in a container, pass the device through: --device /dev/kmsg"})
	}
	return found, nil
}

// checkCapabilities knows the one capability the platform can do without.
func checkCapabilities(_ context.Context, e *env) ([]doctor.Finding, error) {
	if e.facts.UID != 0 {
		return nil, nil // told by the check for root
	}
	needed := map[string]bool{"CAP_SYS_ADMIN": true, "CAP_NET_ADMIN": true, "CAP_NET_RAW": true, "CAP_NET_BIND_SERVICE": true,
		"CAP_CHOWN": true, "CAP_DAC_OVERRIDE": true, "CAP_FOWNER": true, "CAP_FSETID": true, "CAP_KILL": true, "CAP_MKNOD": true,
		"CAP_SETGID": true, "CAP_SETUID": true, "CAP_SETPCAP": true, "CAP_SETFCAP": true, "CAP_SYS_CHROOT": true, "CAP_SYS_PTRACE": true}
	var missing []string
	var found []doctor.Finding
	for _, c := range e.facts.MissingCaps {
		switch {
		case needed[c]:
			missing = append(missing, c)
		case c == "CAP_SYS_RESOURCE":
			found = append(found, doctor.Finding{Severity: doctor.Warning, Title: "root may not raise limits", Evidence: "CAP_SYS_RESOURCE is missing",
				Reason: "containers cannot be protected from being killed first when memory runs out; they are started without that protection",
				Cure:   "nothing has to be done; a host that grants it is better protected"})
		}
	}
	if len(missing) > 0 {
		found = append(found, doctor.Finding{Severity: doctor.Error, Title: "root is too limited", Evidence: strings.Join(missing, ", ") + " missing",
			Reason: "containers cannot be made without", Cure: "in a container, start it with --privileged; otherwise install on the host itself"})
	}
	return found, nil
}

func checkCgroups(_ context.Context, e *env) ([]doctor.Finding, error) {
	if e.facts.Cgroup == 0 {
		return doctor.One(doctor.Finding{Severity: doctor.Error, Title: "control groups are not mounted", Evidence: "nothing at /sys/fs/cgroup",
			Reason: "memory and processor limits of apps are kept by them", Cure: "mount -t cgroup2 none /sys/fs/cgroup"})
	}
	have := map[string]bool{}
	for _, c := range e.facts.Controllers {
		have[c] = true
	}
	var missing []string
	for _, c := range []string{"cpu", "cpuset", "memory", "pids"} {
		if !have[c] {
			missing = append(missing, c)
		}
	}
	var found []doctor.Finding
	if len(missing) > 0 {
		found = append(found, doctor.Finding{Severity: doctor.Error, Title: "control group controllers are missing",
			Evidence: strings.Join(missing, ", ") + " not among: " + strings.Join(e.facts.Controllers, " "),
			Reason:   "limits of apps are kept by them",
			Cure:     "enable them on the kernel's command line: cgroup_enable=memory cgroup_enable=cpuset, then reboot"})
	}
	if e.facts.Cgroup == 1 {
		found = append(found, doctor.Finding{Severity: doctor.Warning, Title: "control groups are of version 1", Evidence: "no /sys/fs/cgroup/cgroup.controllers",
			Reason: "Kubernetes is giving version 1 up; it is allowed here, and works with this version",
			Cure:   "boot with systemd.unified_cgroup_hierarchy=1, or use a newer distribution"})
	}
	return found, nil
}

func checkMemory(_ context.Context, e *env) ([]doctor.Finding, error) {
	total := e.facts.MemoryTotal
	f := doctor.Finding{Evidence: fmt.Sprintf("%s in all, %s free", doctor.Size(total), doctor.Size(e.facts.MemoryFree)),
		Reason: "the platform itself takes about 0.9 GiB", Cure: "give the host at least 2 GiB"}
	switch {
	case total < memoryLeast/100*(100-slackPercent):
		f.Severity, f.Title = doctor.Error, "too little memory"
	case total < memoryGood/100*(100-slackPercent):
		f.Severity, f.Title = doctor.Warning, "little memory"
	default:
		return nil, nil
	}
	return doctor.One(f)
}

func checkDisk(_ context.Context, e *env) ([]doctor.Finding, error) {
	d, err := e.host.Disk(e.opts.DataDir)
	if err != nil {
		return nil, err
	}
	f := doctor.Finding{Evidence: fmt.Sprintf("%s free of %s for %s", doctor.Size(d.Free), doctor.Size(d.Total), e.opts.DataDir),
		Reason: "programs, images, volumes and the images of apps go there", Cure: "make room (10 GiB are good), or set K3S_DATA_DIR to a folder on a larger disk"}
	switch {
	case e.opts.Own && d.Free >= diskLeast/8:
		return nil, nil // what it needed is there already
	case d.Free < diskLeast:
		f.Severity, f.Title = doctor.Error, "too little disk space"
	case d.Free < diskGood:
		f.Severity, f.Title = doctor.Warning, "little disk space"
	default:
		return nil, nil
	}
	return doctor.One(f)
}

func checkInodes(_ context.Context, e *env) ([]doctor.Finding, error) {
	d, err := e.host.Disk(e.opts.DataDir)
	if err != nil || d.Inodes == 0 {
		return nil, err
	}
	f := doctor.Finding{Evidence: fmt.Sprintf("%d free of %d for %s", d.InodesFree, d.Inodes, e.opts.DataDir),
		Reason: "every file of every image takes one", Cure: "delete files, or set K3S_DATA_DIR to a folder on another disk"}
	switch {
	case d.InodesFree < inodesLeast:
		f.Severity, f.Title = doctor.Error, "too few inodes"
	case d.InodesFree < inodesGood:
		f.Severity, f.Title = doctor.Warning, "few inodes"
	default:
		return nil, nil
	}
	return doctor.One(f)
}

func checkFilesystem(_ context.Context, e *env) ([]doctor.Finding, error) {
	d, err := e.host.Disk(e.opts.DataDir)
	if err != nil {
		return nil, err
	}
	f := doctor.Finding{Evidence: e.opts.DataDir + " is on " + d.Type, Cure: "set K3S_DATA_DIR to a folder on ext4 or xfs"}
	switch d.Type {
	case "overlay":
		f.Severity, f.Title, f.Reason = doctor.Error, "the data folder is on an overlay", "container images are overlays, and the kernel does not stack them on another one"
		f.Cure = "in a container, mount a volume there; otherwise " + f.Cure
	case "nfs":
		f.Severity, f.Title, f.Reason = doctor.Error, "the data folder is on a network", "the cluster's database needs locks that a network file system does not keep"
	case "tmpfs", "ramfs":
		f.Severity, f.Title, f.Reason = doctor.Warning, "the data folder is in memory", "all apps and their data are gone when the host restarts"
	case "zfs":
		f.Severity, f.Title, f.Reason = doctor.Warning, "the data folder is on ZFS", "overlays need ZFS 2.2 or newer"
	default:
		return nil, nil
	}
	return doctor.One(f)
}

func checkSwap(_ context.Context, e *env) ([]doctor.Finding, error) {
	if e.facts.SwapTotal == 0 {
		return nil, nil
	}
	return doctor.One(doctor.Finding{Severity: doctor.Note, Title: "swap is on", Evidence: doctor.Size(e.facts.SwapTotal),
		Reason: "it is left alone: the platform may swap, apps do not", Cure: ""})
}

func checkContainer(_ context.Context, e *env) ([]doctor.Finding, error) {
	if e.facts.Container == "" {
		return nil, nil
	}
	return doctor.One(doctor.Finding{Severity: doctor.Note, Title: "this host is a container", Evidence: "kind: " + e.facts.Container,
		Reason: "it works when the container is privileged; its kernel settings are those of its host", Cure: ""})
}

func checkTime(_ context.Context, e *env) ([]doctor.Finding, error) {
	// A day's grace: time zones of build machines, and hosts about to sync.
	if e.opts.BuildTime.IsZero() || !e.facts.Now.Before(e.opts.BuildTime.AddDate(0, 0, -1)) {
		return nil, nil
	}
	return doctor.One(doctor.Finding{Severity: doctor.Error, Title: "the clock is wrong",
		Evidence: fmt.Sprintf("it shows %s, and this program was built on %s", e.facts.Now.UTC().Format("2006-01-02 15:04 MST"), e.opts.BuildTime.UTC().Format("2006-01-02")),
		Reason:   "certificates made now would not be valid when the clock is set", Cure: "set it: timedatectl set-ntp true, or date -s"})
}
