package bootstrap

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDiff(t *testing.T) {
	before := &Snapshot{
		Mounts: []string{"/ ext4 /dev/vda", "/run/user/0 tmpfs tmpfs"}, Links: []string{"eth0 device", "tun0 tun"},
		Rules: map[string][]string{"iptables": {"filter -A INPUT -j MINE", "filter :MINE -"}}, Listeners: []string{"0.0.0.0:22", "0.0.0.0:25"},
		Sysctls: map[string]string{"net/ipv4/ip_forward": "0", "net/ipv4/conf/tun0/forwarding": "0"},
		Paths:   map[string]string{"/etc/cni": "dir 0755 0:0"}, Trees: map[string]string{"/etc/cni/net.d/mine.conf": "file 0644 0:0 aa"},
	}
	after := &Snapshot{
		Mounts: []string{"/ ext4 /dev/vda", "/mnt ext4 /dev/vdb", "/run/k3s/x overlay overlay"}, Links: []string{"docker0 bridge", "eth0 device", "vethab12cd34 veth"},
		Rules:     map[string][]string{"iptables": {"filter -A INPUT -j KUBE-FIREWALL", "filter -A INPUT -j THEIRS", "filter :MINE -"}},
		Listeners: []string{"0.0.0.0:22", "0.0.0.0:8080", ":::6443"}, Processes: []string{"containerd-shim"}, Cgroups: []string{"/sys/fs/cgroup/kubepods"},
		Sysctls: map[string]string{"net/ipv4/ip_forward": "1", "net/netfilter/nf_conntrack_max": "9"},
		Paths:   map[string]string{"/etc/cni": "dir 0755 0:0", "/var/lib/kubelet": "dir 0755 0:0", "/root/.kube": "dir 0755 0:0"},
		Trees:   map[string]string{"/etc/cni/net.d/mine.conf": "file 0644 0:0 bb"},
	}
	var lines []string
	diff := before.Diff(after, NewPaths(DefaultSettings()), nil)
	for _, d := range diff {
		lines = append(lines, d.String())
	}
	assert.Equal(t, []string{
		"+ mount /mnt ext4 /dev/vdb  (not ours)",
		"+ mount /run/k3s/x overlay overlay",
		"- mount /run/user/0 tmpfs tmpfs  (not ours)",
		"+ interface docker0 bridge  (not ours)",
		"- interface tun0 tun  (not ours)",
		"+ interface vethab12cd34 veth",
		"+ rule iptables filter -A INPUT -j KUBE-FIREWALL",
		"- rule iptables filter -A INPUT -j MINE",
		"+ rule iptables filter -A INPUT -j THEIRS  (not ours)",
		"+ listening port 0.0.0.0:8080  (not ours)",
		"+ listening port :::6443",
		"+ process containerd-shim",
		"+ control group /sys/fs/cgroup/kubepods",
		"+ sysctl net/ipv4/ip_forward: 0 is now 1",
		"+ path /root/.kube: dir 0755 0:0  (not ours)",
		"+ path /var/lib/kubelet: dir 0755 0:0",
		"+ path /etc/cni/net.d/mine.conf: file 0644 0:0 aa is now file 0644 0:0 bb",
	}, lines)
	assert.True(t, Counts(diff))
	assert.Empty(t, before.Diff(before, NewPaths(DefaultSettings()), nil))
}
