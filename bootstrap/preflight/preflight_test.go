package preflight

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/host/hosttest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run the test with -update if this is meant")
}

// run asks the checks of a scope.
func run(h host.Host, o Options) (doctor.Report, error) {
	checks, err := Checks(h, o)
	if err != nil {
		return doctor.Report{}, err
	}
	return doctor.Run(context.Background(), doctor.Select(checks, doctor.BeforeInstall))
}

func good() (*hosttest.Fake, Options) {
	h := hosttest.New()
	h.Nodes["/dev/kmsg"] = hosttest.Node{Kind: host.KindOther}
	h.Put("/etc/resolv.conf", "nameserver 10.0.0.1\nsearch example.net\n")
	h.Put("/proc/net/route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"+
		"eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n")
	h.Procs = []host.Process{{PID: 1, Name: "systemd", Exe: "/lib/systemd/systemd"}}
	return h, Options{
		Domain: "apps.example.com", DataDir: "/var/lib/rancher/k3s", Binary: "/usr/local/bin/slipway", Bin: "/var/lib/slipway/bin",
		ClusterCIDR: netip.MustParsePrefix("10.42.0.0/16"), ServiceCIDR: netip.MustParsePrefix("10.43.0.0/16"),
		Ports: ServerPorts(2222), BuildTime: time.Date(2029, 12, 1, 0, 0, 0, 0, time.UTC),
	}
}

func TestAGoodHost(t *testing.T) {
	h, o := good()
	r, err := run(h, o)
	require.NoError(t, err)
	assert.Empty(t, r.Findings)
	assert.Equal(t, 17, r.Checks)
	require.NoError(t, r.Err())
	var out bytes.Buffer
	require.NoError(t, r.Write(&out))
	assert.Empty(t, out.String())
	assert.Empty(t, h.Changes(), "nothing on the host is changed")
}

func nginx(port int) (host.Process, host.Listener) {
	return host.Process{PID: 812, Name: "nginx", Exe: "/usr/sbin/nginx"},
		host.Listener{Address: "0.0.0.0", Port: port, PID: 812, Command: "nginx", Exe: "/usr/sbin/nginx"}
}

func TestFindings(t *testing.T) {
	for _, tt := range []struct {
		name     string
		spoil    func(h *hosttest.Fake, o *Options)
		id       string
		severity doctor.Severity
		title    string
	}{
		{"no root", func(h *hosttest.Fake, _ *Options) { h.Machine.UID = 1000 }, "root", doctor.Error, "not run as root"},
		{"mips", func(h *hosttest.Fake, _ *Options) { h.Machine.Arch = "mips" }, "system", doctor.Error, "this system is not supported"},
		{"no overlay", func(h *hosttest.Fake, _ *Options) { h.Kernel[host.FeatureOverlay] = false }, "kernel", doctor.Error, "the kernel has no overlay"},
		{"no packet filter", func(h *hosttest.Fake, _ *Options) {
			h.Kernel[host.FeatureNFTables], h.Kernel[host.FeatureIPTables] = false, false
		}, "kernel", doctor.Error, "the kernel has no packet filter"},
		{"no seccomp", func(h *hosttest.Fake, _ *Options) { h.Kernel[host.FeatureSeccomp] = false }, "kernel", doctor.Warning, "the kernel has no seccomp"},
		{"no kmsg", func(h *hosttest.Fake, _ *Options) { delete(h.Nodes, "/dev/kmsg") }, "kernel", doctor.Error, "there is no /dev/kmsg"},
		{"no admin", func(h *hosttest.Fake, _ *Options) { h.Machine.MissingCaps = []string{"CAP_SYS_ADMIN", "CAP_SYSLOG"} }, "capabilities", doctor.Error, "root is too limited"},
		{"no resource", func(h *hosttest.Fake, _ *Options) { h.Machine.MissingCaps = []string{"CAP_SYS_RESOURCE"} }, "capabilities", doctor.Warning, "root may not raise limits"},
		{"no cgroups", func(h *hosttest.Fake, _ *Options) { h.Machine.Cgroup = 0 }, "cgroups", doctor.Error, "control groups are not mounted"},
		{"no memory controller", func(h *hosttest.Fake, _ *Options) { h.Machine.Controllers = []string{"cpu", "cpuset", "pids"} }, "cgroups", doctor.Error, "control group controllers are missing"},
		{"cgroup v1", func(h *hosttest.Fake, _ *Options) { h.Machine.Cgroup = 1 }, "cgroups", doctor.Warning, "control groups are of version 1"},
		{"512 MiB", func(h *hosttest.Fake, _ *Options) { h.Machine.MemoryTotal = 512 << 20 }, "memory", doctor.Error, "too little memory"},
		{"a nominal GiB", func(h *hosttest.Fake, _ *Options) { h.Machine.MemoryTotal = 980 << 20 }, "memory", doctor.Warning, "little memory"},
	} {
		t.Run(tt.name, func(t *testing.T) { finds(t, tt.spoil, tt.id, tt.severity, tt.title) })
	}
}

func TestFindingsOfDiskAndNetwork(t *testing.T) {
	for _, tt := range []struct {
		name     string
		spoil    func(h *hosttest.Fake, o *Options)
		id       string
		severity doctor.Severity
		title    string
	}{
		{"disk nearly full", func(h *hosttest.Fake, _ *Options) { setDisk(h, func(d *host.Disk) { d.Free = 1 << 30 }) }, "disk", doctor.Error, "too little disk space"},
		{"small disk", func(h *hosttest.Fake, _ *Options) { setDisk(h, func(d *host.Disk) { d.Free = 5 << 30 }) }, "disk", doctor.Warning, "little disk space"},
		{"no inodes", func(h *hosttest.Fake, _ *Options) { setDisk(h, func(d *host.Disk) { d.InodesFree = 100 }) }, "inodes", doctor.Error, "too few inodes"},
		{"few inodes", func(h *hosttest.Fake, _ *Options) { setDisk(h, func(d *host.Disk) { d.InodesFree = 50_000 }) }, "inodes", doctor.Warning, "few inodes"},
		{"overlay", func(h *hosttest.Fake, _ *Options) { setDisk(h, func(d *host.Disk) { d.Type = "overlay" }) }, "filesystem", doctor.Error, "the data folder is on an overlay"},
		{"tmpfs", func(h *hosttest.Fake, _ *Options) { setDisk(h, func(d *host.Disk) { d.Type = "tmpfs"; d.Inodes = 0 }) }, "filesystem", doctor.Warning, "the data folder is in memory"},
		{"nfs", func(h *hosttest.Fake, _ *Options) { setDisk(h, func(d *host.Disk) { d.Type = "nfs" }) }, "filesystem", doctor.Error, "the data folder is on a network"},
		{"port 80", func(h *hosttest.Fake, _ *Options) { hold(h, 80) }, "ports", doctor.Error, "port 80 is in use"},
		{"our program, but no ledger", func(h *hosttest.Fake, _ *Options) {
			h.Ports = []host.Listener{{Address: "::", Port: 6443, PID: 9, Command: "slipway", Exe: "/usr/local/bin/slipway"}}
		}, "ports", doctor.Error, "port 6443 is in use"},
		{"another's port on an installed host", func(h *hosttest.Fake, o *Options) { hold(h, 443); o.Own = true }, "ports", doctor.Error, "port 443 is in use"},
		{"an office network", func(h *hosttest.Fake, _ *Options) {
			h.Put("/proc/net/route", "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU\ntun0 00002A0A 00000000 0001 0 0 0 00F0FFFF 0\n")
		}, "networks", doctor.Error, "CLUSTER_CIDR=10.42.0.0/16 is in use"},
		{"1970", func(h *hosttest.Fake, _ *Options) { h.Machine.Now = time.Unix(100, 0) }, "time", doctor.Error, "the clock is wrong"},
		{"a k3s", func(h *hosttest.Fake, _ *Options) { h.Put("/etc/systemd/system/k3s.service", "") }, "kubernetes", doctor.Error, "there is another Kubernetes on this host"},
		{"a kubelet", func(h *hosttest.Fake, _ *Options) { h.Procs = append(h.Procs, host.Process{PID: 7, Name: "kubelet"}) }, "kubernetes", doctor.Error, "there is another Kubernetes on this host"},
		{"search domain", func(h *hosttest.Fake, _ *Options) {
			h.Put("/etc/resolv.conf", "search other.net\nsearch lan Apps.Example.com.\n")
		}, "domain", doctor.Error, "the platform domain is a DNS search domain of this host"},
		{"search domain below", func(h *hosttest.Fake, _ *Options) {
			h.Put("/run/systemd/resolve/resolv.conf", "search eu.apps.example.com\n")
		}, "domain", doctor.Error, "the platform domain is a DNS search domain of this host"},
		{"localhost", func(h *hosttest.Fake, _ *Options) { h.Machine.Hostname = "localhost.localdomain" }, "hostname", doctor.Error, "the host has no name of its own"},
		{"odd name", func(h *hosttest.Fake, _ *Options) { h.Machine.Hostname = "my_host" }, "hostname", doctor.Error, "the host name cannot be a node's name"},
		{"odd node name", func(_ *hosttest.Fake, o *Options) { o.NodeName = "-x" }, "hostname", doctor.Error, "the host name cannot be a node's name"},
		{"swap", func(h *hosttest.Fake, _ *Options) { h.Machine.SwapTotal = 1 << 30 }, "swap", doctor.Note, "swap is on"},
		{"container", func(h *hosttest.Fake, _ *Options) { h.Machine.Container = "docker" }, "container", doctor.Note, "this host is a container"},
	} {
		t.Run(tt.name, func(t *testing.T) { finds(t, tt.spoil, tt.id, tt.severity, tt.title) })
	}
}

// finds spoils a good host in one respect and asserts that this is all that is
// found, with what people need to know.
func finds(t *testing.T, spoil func(*hosttest.Fake, *Options), id string, severity doctor.Severity, title string) {
	t.Helper()
	h, o := good()
	spoil(h, &o)
	r, err := run(h, o)
	require.NoError(t, err)
	require.Len(t, r.Findings, 1, "%+v", r.Findings)
	f := r.Findings[0]
	assert.Equal(t, id, f.ID)
	assert.Equal(t, severity, f.Severity)
	assert.Equal(t, title, f.Title)
	assert.NotEmpty(t, f.Evidence)
	assert.NotEmpty(t, f.Reason)
	if f.Severity != doctor.Note {
		assert.NotEmpty(t, f.Cure)
	}
	if f.Severity == doctor.Error {
		require.ErrorIs(t, r.Err(), doctor.ErrFailed)
		require.ErrorContains(t, r.Err(), title)
	} else {
		require.NoError(t, r.Err())
	}
	assert.Empty(t, h.Changes())
}

func setDisk(h *hosttest.Fake, change func(*host.Disk)) {
	d := h.Disks["/"]
	change(&d)
	h.Disks["/var/lib/rancher"] = d
}

func hold(h *hosttest.Fake, port int) {
	p, l := nginx(port)
	h.Procs = append(h.Procs, p)
	h.Ports = append(h.Ports, l)
}

func TestHarmless(t *testing.T) {
	for name, change := range map[string]func(h *hosttest.Fake, o *Options){
		"a search domain above the platform's": func(h *hosttest.Fake, _ *Options) { h.Put("/etc/resolv.conf", "search example.com\n") },
		"a name that only ends alike":          func(h *hosttest.Fake, _ *Options) { h.Put("/etc/resolv.conf", "search myapps.example.com\n") },
		"another resolv.conf for pods": func(h *hosttest.Fake, o *Options) {
			h.Put("/etc/resolv.conf", "search apps.example.com\n")
			h.Put("/etc/pods.conf", "nameserver 9.9.9.9\n")
			o.ResolvConf = "/etc/pods.conf"
		},
		"no resolv.conf":      func(h *hosttest.Fake, _ *Options) { delete(h.Nodes, "/etc/resolv.conf") },
		"a port nobody needs": func(h *hosttest.Fake, _ *Options) { hold(h, 8080) },
		"docker": func(h *hosttest.Fake, _ *Options) {
			h.Procs = append(h.Procs, host.Process{PID: 5, Name: "containerd"})
		},
		"a capability no one has":         func(h *hosttest.Fake, _ *Options) { h.Machine.MissingCaps = []string{"CAP_AUDIT_READ"} },
		"a node name for a nameless host": func(h *hosttest.Fake, o *Options) { h.Machine.Hostname, o.NodeName = "localhost", "node1" },
		"btrfs has no inodes": func(h *hosttest.Fake, _ *Options) {
			setDisk(h, func(d *host.Disk) { d.Type, d.Inodes, d.InodesFree = "btrfs", 0, 0 })
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, o := good()
			change(h, &o)
			r, err := run(h, o)
			require.NoError(t, err)
			assert.Empty(t, r.Findings)
		})
	}
}

// TestOurOwnPlatformIsNoObstacle runs the checks of a second install while the
// first one's platform serves.
func TestOurOwnPlatformIsNoObstacle(t *testing.T) {
	h, o := good()
	o.Own = true
	h.Procs = append(h.Procs,
		host.Process{PID: 10, Name: "slipway", Exe: "/usr/local/bin/slipway", Deleted: true, Args: []string{"/usr/local/bin/slipway server"}},
		host.Process{PID: 11, Name: "traefik", Exe: "/traefik", Cgroups: []string{"/kubepods/burstable/pod1/c1"}})
	h.Ports = []host.Listener{
		{Address: "::", Port: 80, PID: 11, Command: "traefik", Exe: "/traefik"}, {Address: "::", Port: 443, PID: 11, Command: "traefik", Exe: "/traefik"},
		{Address: "::", Port: 6443, PID: 10, Command: "slipway", Exe: "/usr/local/bin/slipway"},
		{Address: "192.168.0.2", Port: 9580, PID: 10, Command: "slipway", Exe: "/usr/local/bin/slipway"},
		{Address: "::", Port: 10250, PID: 10, Command: "slipway", Exe: "/usr/local/bin/slipway"},
	}
	h.Put("/etc/rancher/k3s/k3s.yaml", "")
	h.MakeDirs("/var/lib/rancher/k3s/server")
	h.Put("/proc/net/route", "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU\ncni0 00002A0A 00000000 0001 0 0 0 00FFFFFF 0\n")
	setDisk(h, func(d *host.Disk) { d.Free = 3 << 30 })
	r, err := run(h, o)
	require.NoError(t, err)
	assert.Empty(t, r.Findings)
}

// TestAllProblemsAtOnce is what an unlucky newcomer sees.
func TestAllProblemsAtOnce(t *testing.T) {
	h, o := good()
	h.Machine.UID = 1000
	h.Machine.MemoryTotal = 512 << 20
	h.Machine.MemoryFree = 100 << 20
	h.Machine.Cgroup = 1
	h.Machine.SwapTotal = 2 << 30
	hold(h, 80)
	h.Ports = append(h.Ports, host.Listener{Address: "::", Port: 80, PID: 812, Command: "nginx"}, host.Listener{Address: "127.0.0.1", Port: 6443})
	h.Put("/etc/resolv.conf", "search apps.example.com\n")
	h.Put("/var/lib/rancher/k3s/server/token", "")
	setDisk(h, func(d *host.Disk) { d.Free = 1 << 30 })
	r, err := run(h, o)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, r.Write(&out))
	golden(t, "report.txt", out.String()+"\n"+r.Err().Error()+"\n")
	doc, err := json.MarshalIndent(r, "", " ")
	require.NoError(t, err)
	golden(t, "report.json", string(doc)+"\n")
}

// TestACheckThatCannotLook is a warning that names what was not seen.
func TestACheckThatCannotLook(t *testing.T) {
	h, o := good()
	h.Fail = func(call string) error {
		if call == "listeners" {
			return &fs.PathError{Op: "open", Path: "/proc/net/tcp", Err: fs.ErrPermission}
		}
		return nil
	}
	r, err := run(h, o)
	require.NoError(t, err)
	require.Len(t, r.Findings, 1)
	assert.Equal(t, "TCP ports could not be looked at", r.Findings[0].Title)
	require.NoError(t, r.Err())

	h.Fail = func(call string) error {
		if call == "facts" {
			return errors.New("no /proc")
		}
		return nil
	}
	_, err = run(h, o)
	require.EqualError(t, err, "preflight: no /proc")
}

func TestEveryCheckHasItsOwnName(t *testing.T) {
	seen := map[string]bool{}
	h, o := good()
	checks, err := Checks(h, o)
	require.NoError(t, err)
	for _, c := range checks {
		assert.False(t, seen[c.ID], c.ID)
		seen[c.ID] = true
		assert.NotEmpty(t, c.Title)
	}
}

// endingHost has a killed process whose ports go at the first wait.
type endingHost struct{ *hosttest.Fake }

func (h endingHost) Wait(context.Context, time.Duration) error {
	h.Ports = nil
	return nil
}

func TestPortsOfAProcessThatIsEndingAreWaitedFor(t *testing.T) {
	h, o := good()
	h.Ports = []host.Listener{{Address: "::", Port: 6443}}
	r, err := run(endingHost{h}, o)
	require.NoError(t, err)
	assert.Empty(t, r.Findings)

	h.Ports = []host.Listener{{Address: "::", Port: 6443}}
	r, err = run(h, o)
	require.NoError(t, err)
	require.Len(t, r.Findings, 1, "a holder that stays unseen is reported")
	assert.Contains(t, r.Findings[0].Evidence, "cannot be seen")
}
