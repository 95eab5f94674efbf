package checkup

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/host/hosttest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unit is a service manager with one unit.
type unit struct {
	running bool
	calls   []string
}

func (u *unit) Manager() string { return host.ManagerSystemd }
func (u *unit) Install(_ context.Context, _ host.Writer, enable bool) error {
	if enable {
		u.calls = append(u.calls, "enable")
	}
	return nil
}
func (u *unit) Start(context.Context) error { u.calls = append(u.calls, "start"); return nil }
func (u *unit) Stop(context.Context) error  { return nil }
func (u *unit) Status(context.Context) (host.Status, error) {
	return host.Status{Installed: true, Running: u.running, Detail: "inactive (dead)"}, nil
}
func (u *unit) Uninstall(context.Context) error { return nil }
func (u *unit) Files() []string                 { return nil }
func (u *unit) Logs() string                    { return "journalctl -u slipway" }

// recorder is a journal that only remembers.
type recorder struct{ calls []string }

func (r *recorder) WriteFile(path string, data []byte, _ fsMode) error {
	r.calls = append(r.calls, "write "+path+"\n"+string(data))
	return nil
}
func (r *recorder) Sysctl(key, value string) error {
	r.calls = append(r.calls, "sysctl "+key+"="+value)
	return nil
}
func (r *recorder) OpenFirewall(_ context.Context, o host.Opening) error {
	r.calls = append(r.calls, "open "+o.String())
	return nil
}
func (r *recorder) Note(string) {}

var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// good is a host on which all is well.
func good() (*hosttest.Fake, *Options, *unit) {
	h := hosttest.New()
	h.Put("/etc/resolv.conf", "nameserver 10.0.0.1\n")
	h.SysctlMap["fs/inotify/max_user_instances"], h.SysctlMap["fs/inotify/max_user_watches"] = "8192", "524288"
	h.Commands = map[string]bool{"systemctl": true}
	h.MakeDirs(tasks)
	u := &unit{running: true}
	return h, &Options{
		DataDir: "/var/lib/rancher/k3s", CA: "/var/lib/slipway/ca", Controller: "/var/lib/slipway/controller", Bin: "/var/lib/slipway/bin",
		ClusterCIDR: netip.MustParsePrefix("10.42.0.0/16"), ServiceCIDR: netip.MustParsePrefix("10.43.0.0/16"), Ports: []int{443, 80},
		Service: u, Enable: true, Now: func() time.Time { return now },
		Resolve: func(context.Context, netip.Addr) error { return nil },
	}, u
}

func run(t *testing.T, h host.Host, o *Options) []doctor.Finding {
	t.Helper()
	r, err := doctor.Run(t.Context(), Checks(h, *o))
	require.NoError(t, err)
	return r.Findings
}

func TestAHostThatIsWell(t *testing.T) {
	h, o, _ := good()
	assert.Empty(t, run(t, h, o))
}

func TestEveryCheckHasItsOwnName(t *testing.T) {
	h, o, _ := good()
	seen := map[string]bool{}
	for _, c := range Checks(h, *o) {
		assert.False(t, seen[c.ID], c.ID)
		seen[c.ID] = true
		assert.NotEmpty(t, c.Title)
		assert.NotZero(t, c.Scope)
	}
}

// TestFindings spoils a good host in one respect and asserts that this is all
// that is found, with what people need to know.
func TestFindings(t *testing.T) {
	for _, tt := range []struct {
		name     string
		spoil    func(h *hosttest.Fake, o *Options, u *unit)
		id       string
		severity doctor.Severity
		title    string
		fix      bool
	}{
		{"stopped", func(_ *hosttest.Fake, _ *Options, u *unit) { u.running = false }, "service", doctor.Error, "the service does not run", true},
		{"not enabled", func(h *hosttest.Fake, _ *Options, _ *unit) {
			h.OnRun = func(c host.Command) (host.Output, error) { return host.Output{}, errors.New("exit status 1") }
		}, "service", doctor.Warning, "the service does not start at boot", true},
		{"disk fills", func(h *hosttest.Fake, _ *Options, _ *unit) { disk(h, func(d *host.Disk) { d.Free = 12 << 30 }) }, "disk-use", doctor.Warning, "little disk space is left", false},
		{"disk full", func(h *hosttest.Fake, _ *Options, _ *unit) { disk(h, func(d *host.Disk) { d.Free = 3 << 30 }) }, "disk-use", doctor.Error, "hardly any disk space is left", false},
		{"inodes", func(h *hosttest.Fake, _ *Options, _ *unit) { disk(h, func(d *host.Disk) { d.InodesFree = 9 }) }, "disk-use", doctor.Error, "hardly any inodes is left", false},
		{"no time service", func(h *hosttest.Fake, _ *Options, _ *unit) { h.ClockState.Synced = false }, "clock-sync", doctor.Warning, "the clock is not kept by a time service", false},
		{"in a container", func(h *hosttest.Fake, _ *Options, _ *unit) { h.ClockState.Synced, h.Machine.Container = false, "lxc" }, "clock-sync", doctor.Note, "the clock is not kept by a time service", false},
		{"far off", func(h *hosttest.Fake, _ *Options, _ *unit) { h.ClockState.Error = 16 * time.Second }, "clock-sync", doctor.Warning, "the clock is kept badly", false},
		{"loop", func(h *hosttest.Fake, _ *Options, _ *unit) { h.Put("/etc/resolv.conf", "nameserver 127.0.0.53\n") }, "name-servers", doctor.Warning, "pods have no name server that they can reach", false},
		{"no name server", func(h *hosttest.Fake, _ *Options, _ *unit) { h.Put("/etc/resolv.conf", "") }, "name-servers", doctor.Note, "this host has no name server", false},
		{"silent", func(_ *hosttest.Fake, o *Options, _ *unit) {
			o.Resolve = func(context.Context, netip.Addr) error { return errors.New("i/o timeout") }
		}, "name-servers", doctor.Warning, "no name server answers", false},
		{"inotify", func(h *hosttest.Fake, _ *Options, _ *unit) { h.SysctlMap["fs/inotify/max_user_instances"] = "128" }, "inotify", doctor.Warning, "inotify limits are low", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, o, u := good()
			tt.spoil(h, o, u)
			found := run(t, h, o)
			require.Len(t, found, 1, "%+v", found)
			f := found[0]
			assert.Equal(t, tt.id, f.ID)
			assert.Equal(t, tt.severity, f.Severity)
			assert.Equal(t, tt.title, f.Title)
			assert.NotEmpty(t, f.Evidence)
			assert.NotEmpty(t, f.Reason)
			if tt.severity != doctor.Note {
				assert.NotEmpty(t, f.Cure)
			}
			assert.Equal(t, tt.fix, f.Fix != nil)
		})
	}
}

func disk(h *hosttest.Fake, change func(*host.Disk)) {
	d := h.Disks["/"]
	change(&d)
	h.Disks["/var/lib/rancher"] = d
}

func TestHarmless(t *testing.T) {
	for name, change := range map[string]func(h *hosttest.Fake, o *Options){
		"systemd-resolved": func(h *hosttest.Fake, _ *Options) {
			h.Put("/etc/resolv.conf", "nameserver 127.0.0.53\n")
			h.Put(resolvedConf, "nameserver 192.0.2.1\n")
		},
		"a kernel without inotify limits": func(h *hosttest.Fake, _ *Options) { h.SysctlMap = map[string]string{} },
		"a file system without inodes":    func(h *hosttest.Fake, _ *Options) { disk(h, func(d *host.Disk) { d.Inodes, d.InodesFree = 0, 0 }) },
		"not meant to be enabled": func(h *hosttest.Fake, o *Options) {
			o.Enable = false
			h.OnRun = func(host.Command) (host.Output, error) { return host.Output{}, errors.New("exit status 1") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, o, _ := good()
			change(h, o)
			assert.Empty(t, run(t, h, o))
		})
	}
}

func TestFixesOfTheServiceAndInotify(t *testing.T) {
	h, o, u := good()
	u.running = false
	h.SysctlMap["fs/inotify/max_user_instances"] = "128"
	r := &recorder{}
	for _, f := range run(t, h, o) {
		require.NoError(t, f.Fix.Do(t.Context(), r))
	}
	assert.Equal(t, []string{"start"}, u.calls)
	assert.Equal(t, []string{"sysctl fs/inotify/max_user_instances=512",
		"write /etc/sysctl.d/91-slipway-inotify.conf\n# Written by slipway doctor; \"slipway uninstall\" takes it back.\nfs.inotify.max_user_instances = 512\n"}, r.calls)
}
