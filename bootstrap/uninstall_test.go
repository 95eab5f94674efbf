package bootstrap

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/host/hosttest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func installed(t *testing.T) *world {
	w := newWorld(t)
	require.NoError(t, w.install())
	w.host.Forget()
	return w
}

// position returns the index of the first change with the prefix.
func position(t *testing.T, changes []string, prefix string) int {
	t.Helper()
	for i, c := range changes {
		if c == prefix || strings.HasPrefix(c, prefix+" ") {
			return i
		}
	}
	require.Fail(t, "no change "+prefix, strings.Join(changes, "\n"))
	return -1
}

func TestUninstallOrder(t *testing.T) {
	w := installed(t)
	_, err := w.uninstall(false)
	require.NoError(t, err)
	changes := w.host.Changes()
	order := []string{"service stop", "signal", "unmount /var/lib/kubelet/pods/1/volumes/token", "unmount /run/k3s/containerd/task/1/rootfs",
		"delete namespace cni-1", "delete link vethab12cd34", "delete link cni0", "delete link flannel.1", "edit rules iptables", "delete ipset KUBE-SRC-1",
		"remove cgroup /sys/fs/cgroup/kubepods/besteffort/pod1", "remove cgroup /sys/fs/cgroup/kubepods/besteffort", "remove cgroup /sys/fs/cgroup/kubepods",
		"sysctl net/ipv4/ip_forward=0", "remove /etc/systemd/system/slipway.service", "remove tree /var/lib/rancher/k3s", "remove tree /var/lib/slipway/bin",
		"remove /usr/local/bin/slipway", "remove tree /var/lib/slipway/ledger", "remove /var/lib/slipway"}
	last := -1
	for _, o := range order {
		at := position(t, changes, o)
		assert.Greater(t, at, last, "%s comes too early", o)
		last = at
	}
}

func TestUninstallSparesOthers(t *testing.T) {
	w := installed(t)
	w.host.Procs = append(w.host.Procs, host.Process{PID: 70, PPID: 1, StartTime: 7, Name: "containerd-shim", Exe: "/usr/bin/containerd-shim-runc-v2",
		Args: []string{"/usr/bin/containerd-shim-runc-v2", "-address", "/run/containerd/containerd.sock"}})
	w.host.LinkList = append(w.host.LinkList, host.Link{Name: "docker0", Type: "bridge"})
	res, err := w.uninstall(false)
	require.NoError(t, err)
	require.Len(t, res.Diff, 1)
	assert.Equal(t, "+ interface docker0 bridge  (not ours)", res.Diff[0].String())
	assert.False(t, Counts(res.Diff))
	var names []string
	for _, p := range w.host.Procs {
		names = append(names, p.Name)
	}
	assert.Equal(t, []string{"init", "installer", "containerd", "containerd-shim"}, names)
}

func TestUninstallKilledAtEveryChange(t *testing.T) {
	before := newWorld(t)
	files, machine := before.files(), before.machine()
	total := countChanges(t, (*world).install, func(w *world) error { _, err := w.uninstall(false); return err })
	for n := range total {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := installed(t)
			w.host.DieAt = n
			_, err := w.uninstall(false)
			require.ErrorIs(t, err, hosttest.ErrDead)
			w.host.Revive()
			res, err := w.uninstall(false)
			require.NoError(t, err)
			assert.Empty(t, res.Diff)
			assert.Equal(t, files, w.files())
			assert.Equal(t, machine, w.machine())
		})
	}
}

func TestUninstallFailsAtEveryChange(t *testing.T) {
	before := newWorld(t)
	files, machine := before.files(), before.machine()
	var changes []string
	countChanges(t, (*world).install, func(w *world) error {
		_, err := w.uninstall(false)
		changes = w.host.Changes()
		return err
	})
	errBroken := errors.New("not today")
	for n, change := range changes {
		t.Run(fmt.Sprint(n, " ", change), func(t *testing.T) {
			w := installed(t)
			w.host.Fail = func(call string) error {
				if call == change {
					return errBroken
				}
				return nil
			}
			if _, err := w.uninstall(false); err != nil {
				require.ErrorIs(t, err, errBroken)
				if !strings.Contains(change, "/var/lib/slipway") { // the ledger itself is last
					assert.Contains(t, w.host.Nodes, "/usr/local/bin/slipway", "the program has to stay for another try")
					assert.Contains(t, w.host.Nodes, "/var/lib/slipway/ledger/changes.jsonl")
				}
			}
			w.host.Fail = nil
			_, err := w.uninstall(false)
			require.NoError(t, err)
			assert.Equal(t, files, w.files())
			assert.Equal(t, machine, w.machine())
		})
	}
}

func TestUninstallDeletesNothingBelowAFailedUnmount(t *testing.T) {
	w := installed(t)
	w.host.Fail = func(call string) error {
		if call == "unmount /var/lib/kubelet/pods/1/volumes/token" {
			return errors.New("busy")
		}
		return nil
	}
	_, err := w.uninstall(false)
	require.ErrorIs(t, err, host.ErrMounted)
	require.ErrorContains(t, err, "busy")
	assert.Contains(t, w.host.Nodes, "/var/lib/kubelet/config")
	assert.NotContains(t, w.host.Nodes, "/var/lib/rancher/k3s/server/db/state.db", "the other folders are removed")
}

func TestUninstallKeepsData(t *testing.T) {
	w := newWorld(t)
	clean := w.files()
	require.NoError(t, w.install())
	res, err := w.uninstall(true)
	require.NoError(t, err)
	assert.Empty(t, res.Diff)
	for _, path := range []string{"/etc/slipway/credentials", "/etc/slipway/config.yaml", "/var/lib/slipway/controller/slipway.db",
		"/var/lib/slipway/secret.key", "/var/lib/rancher/k3s/storage/pvc-1/data"} {
		assert.Contains(t, w.host.Nodes, path)
	}
	for _, path := range []string{"/usr/local/bin/slipway", "/var/lib/rancher/k3s/server/db/state.db", "/var/lib/kubelet/config", "/etc/systemd/system/slipway.service"} {
		assert.NotContains(t, w.host.Nodes, path)
	}

	require.NoError(t, w.install(), "installs again over the kept data")
	assert.Contains(t, w.host.Nodes, "/var/lib/rancher/k3s/storage/pvc-1/data")
	w.standing()
	res, err = w.uninstall(false)
	require.NoError(t, err)
	assert.Empty(t, res.Diff)
	assert.Equal(t, clean, w.files(), "a later uninstall removes what was kept")
}

func TestUninstallKeptDataWithoutReinstalling(t *testing.T) {
	w := newWorld(t)
	clean := w.files()
	require.NoError(t, w.install())
	_, err := w.uninstall(true)
	require.NoError(t, err)
	_, err = w.uninstall(false)
	require.NoError(t, err)
	assert.Equal(t, clean, w.files())
}

func TestUninstallOnACleanHost(t *testing.T) {
	w := newWorld(t)
	w.engineStarts() // somebody's own k3s
	before, machine := w.files(), w.machine()
	res, err := w.uninstall(false)
	require.NoError(t, err)
	assert.True(t, res.Nothing)
	assert.Equal(t, before, w.files())
	assert.Equal(t, machine, w.machine())
}

func TestUninstallLeavesAnOwnersEdit(t *testing.T) {
	w := newWorld(t)
	w.host.Put("/etc/rancher/k3s/config.yaml", "the owner's")
	require.NoError(t, w.install())
	w.host.Put("/etc/rancher/k3s/config.yaml", "the owner's second thoughts")
	_, err := w.uninstall(false)
	require.ErrorContains(t, err, "was changed after the install")
	assert.Equal(t, "the owner's second thoughts", w.host.Nodes["/etc/rancher/k3s/config.yaml"].Data)
}

func TestUninstallCarriesOnWithoutIPTables(t *testing.T) {
	w := newWorld(t)
	delete(w.host.Firewalls, "iptables") // a bare host
	start := w.svc.OnStart
	w.svc.OnStart = func() {
		start()
		w.host.Firewalls["iptables"] = strings.ReplaceAll(rulesAfter, "-A FORWARD -j MINE\n", "")
	}
	require.NoError(t, w.install())
	w.host.Firewalls["iptables"] = "*nat\n:POSTROUTING ACCEPT [0:0]\n:KUBE-POSTROUTING - [0:0]\n-A POSTROUTING -j KUBE-POSTROUTING\nCOMMIT\n"
	res, err := w.uninstall(false)
	require.NoError(t, err)
	assert.Empty(t, res.Diff)
}

func TestOursInsideAPod(t *testing.T) {
	outer := "/kubepods/burstable/pod9/c9"
	all := []host.Process{
		{PID: 10, PPID: 1, Name: "slipway", Cgroups: []string{outer}},
		{PID: 11, PPID: 1, Name: "shell", Cgroups: []string{outer}},
		{PID: 12, PPID: 1, Name: "neighbour", Cgroups: []string{"/kubepods/burstable/pod8/c8"}},
		{PID: 13, PPID: 1, Name: "app", Cgroups: []string{outer + "/kubepods/besteffort/pod1/c1"}},
	}
	o := newOurs(10, all, NewPaths(DefaultSettings()))
	var found []string
	for _, p := range all {
		if o.is(p) {
			found = append(found, p.Name)
		}
	}
	assert.Equal(t, []string{"app"}, found)
}

func TestOursSparesItselfAndItsAncestors(t *testing.T) {
	bin := "/usr/local/bin/slipway"
	all := []host.Process{
		{PID: 5, PPID: 1, Exe: bin, Args: []string{bin, "server"}}, // runs the uninstall, by some odd way
		{PID: 6, PPID: 5, Exe: bin, Args: []string{bin, "uninstall"}},
		{PID: 7, PPID: 1, Exe: bin, Args: []string{bin, "kubectl", "get", "pods"}},
		{PID: 8, PPID: 1, Exe: bin, Args: []string{bin, "supervise"}},
		{PID: 9, PPID: 8, Exe: bin, Args: []string{"containerd", "-c", "/x"}},
	}
	o := newOurs(6, all, NewPaths(DefaultSettings()))
	assert.False(t, o.is(all[0]))
	assert.False(t, o.is(all[1]))
	assert.False(t, o.is(all[2]))
	assert.True(t, o.is(all[3]))
	assert.True(t, o.is(all[4]))
}

// systemd makes the groups of slices it knows of again at a reload.
func TestUninstallHasSystemdStopThePodSlice(t *testing.T) {
	w := installed(t)
	w.host.CgroupList = append(w.host.CgroupList, "/sys/fs/cgroup/blkio/kubepods.slice/kubepods-burstable.slice", "/sys/fs/cgroup/blkio/kubepods.slice")
	_, err := w.uninstall(false)
	require.NoError(t, err)
	changes := w.host.Changes()
	stop := position(t, changes, "run systemctl stop kubepods.slice")
	assert.Less(t, stop, position(t, changes, "remove cgroup /sys/fs/cgroup/blkio/kubepods.slice"))
}
