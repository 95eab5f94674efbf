//go:build e2e

package builder

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/build"
)

// attack is a step that must not get through. The command is true when it does.
type attack struct{ name, command string }

// TestRealHostileSteps runs steps that try to get out of a build. Each says
// BREACH when it gets through.
func TestRealHostileSteps(t *testing.T) {
	k := newKit(t)
	attacks := append(k.networkAttacks(), []attack{
		{"mount a file system", "mkdir -p /m && mount -t tmpfs none /m"},
		{"mount the disk", "mkdir -p /m && mknod /disk b 254 0 && mount /disk /m"},
		{"read the disk as a device", "mknod /disk2 b 254 0 && head -c 1 /disk2"},
		{"read the memory of the machine", "head -c 1 /dev/mem"},
		{"have the kernel start a program", "echo /evil > /proc/sys/kernel/core_pattern"},
		{"have a cgroup start a program", "echo /evil > /sys/fs/cgroup/memory/release_agent || echo /evil > $(find /sys/fs/cgroup -name release_agent | head -1)"},
		{"lift its own limit of processes", "echo max > /sys/fs/cgroup/pids/pids.max"},
		{"change the machine's clock", "date -s 2001-01-01; [ $(date +%Y) = 2001 ]"},
		{"trigger the machine's restart", "echo b > /proc/sysrq-trigger"},
		{"see processes outside", "[ $(ls -d /proc/[0-9]* | wc -l) -gt 20 ]"},
		{"find the builder's socket", "[ -n \"$(find / -name buildkitd.sock -o -name hold.sock 2>/dev/null)\" ]"},
		{"find the registry's password", "grep -rqsF " + k.registry.Password[:16] + " /proc/self/environ /proc/1/environ /etc /run /root /tmp /var"},
		{"find a token of the cluster", "[ -e /var/run/secrets/kubernetes.io ]"},
		{"load a kernel module", "chroot /proc/1/root /sbin/modprobe dummy"},
	}...)
	lines := []string{"FROM busybox"}
	for i, a := range attacks {
		lines = append(lines, fmt.Sprintf("RUN if (%s) >/dev/null 2>&1; then echo BREA''CH %d; else echo held %d; fi", a.command, i, i))
	}
	// What a step may reach, it does: the attacks are not held by a dead network.
	host, port, _ := strings.Cut(k.registry.Address, ":")
	lines = append(lines, "RUN nslookup registry.drycc.svc.cluster.local >/dev/null && nc -w 3 "+host+" "+port+" < /dev/null && echo rea''ched")
	_, log, err := k.build(t.Context(), k.app(), map[string]string{"Dockerfile": strings.Join(lines, "\n")}, nil)
	require.NoError(t, err)
	require.Contains(t, log, "\nreached\n")
	for i, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			assert.NotContains(t, log, fmt.Sprintf("\nBREACH %d\n", i))
			assert.Contains(t, log, fmt.Sprintf("\nheld %d\n", i))
		})
	}
}

// networkAttacks are connections that must not come about.
func (k *kit) networkAttacks() []attack {
	nodes, err := k.client.CoreV1().Nodes().List(k.Context(), metav1.ListOptions{})
	require.NoError(k, err)
	pods, err := k.client.CoreV1().Pods("").List(k.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=victoria-metrics"})
	require.NoError(k, err)
	require.NotEmpty(k, pods.Items)
	node := nodes.Items[0].Status.Addresses[0].Address
	connect := func(host string, port int) string { return fmt.Sprintf("nc -w 3 %s %d < /dev/null", host, port) }
	return []attack{
		{"the Kubernetes API's Service", connect("10.43.0.1", 443)},
		{"the Kubernetes API on the node", connect(node, 6443)},
		{"the kubelet", connect(node, 10250)},
		{"the controller behind the gateway", connect(node, 9580)},
		{"the node through the bridge of pods", connect("10.42.0.1", 10250)},
		{"another pod", connect(pods.Items[0].Status.PodIP, 8428)},
		{"the credentials of a cloud's machine", connect("169.254.169.254", 80)},
		{"the pod's own network", connect("198.18.0.1", 2375)},
		{"the registry without a password", "wget -q -O- http://" + k.registry.Address + "/v2/_catalog"},
	}
}

// TestRealHostileDockerfiles are refused as a whole.
func TestRealHostileDockerfiles(t *testing.T) {
	k := newKit(t)
	victim := k.app()
	n, _, err := k.build(t.Context(), victim, map[string]string{"Dockerfile": "FROM busybox\nRUN echo secret > /secret\n"}, nil)
	require.NoError(t, err)
	direct := k.registry.Address + strings.TrimPrefix(n.Image, "registry.slipway.localhost")
	for _, tt := range []struct{ name, dockerfile, want string }{
		{"another app's image as base", "FROM " + n.Image + "\n", "not this app's"},
		{"the same by the registry's address", "FROM " + direct + "\n", "not this app's"},
		{"a file of another app's image", "FROM busybox\nCOPY --from=" + n.Image + " /secret /\n", "not this app's"},
		{"another app's image in a mount", "FROM busybox\nRUN --mount=from=" + direct + ",target=/m cat /m/secret\n", "not this app's"},
		{"a step without a sandbox", "FROM busybox\nRUN --security=insecure true\n", "security.insecure"},
		{"a step on the builder's network", "FROM busybox\nRUN --network=host true\n", "network.host"},
		{"the builder's own folder", "FROM busybox\nCOPY ../../../etc/passwd /\n", "not found"},
		{"a frontend of its own", "# syntax=registry.slipway.localhost/evil/frontend\nFROM busybox\nRUN exit 7\n", "exit code: 7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newKit(t)
			_, _, err := k.build(t.Context(), k.app(), map[string]string{"Dockerfile": tt.dockerfile}, nil)
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, platform.Invalid, platform.CodeOf(err))
		})
	}
}

// TestRealForkBomb: a build that starts processes without end reaches its limit
// and ends; the builder goes on.
func TestRealForkBomb(t *testing.T) {
	k := newKit(t, func(o *build.Options) { o.Time = 20 * time.Second })
	before := k.builder()
	_, _, err := k.build(t.Context(), k.app(), map[string]string{
		"Dockerfile": "FROM busybox\nRUN b() { b | b & }; b; while true; do sleep 1; done\n",
	}, nil)
	require.ErrorContains(t, err, "took longer than 20s")
	_, log, err := newKit(t).build(t.Context(), k.app(), map[string]string{
		"Dockerfile": "FROM busybox\nRUN i=0; while [ $i -lt 6000 ]; do sleep 100 & i=$((i+1)); done; echo unlim''ited\n",
	}, nil)
	require.Error(t, err)
	require.NotContains(t, log, "\nunlimited\n")
	_, _, err = newKit(t).build(t.Context(), k.app(), map[string]string{"Dockerfile": "FROM busybox\nRUN true\n"}, nil)
	require.NoError(t, err, "the builder goes on")
	require.Equal(t, before, k.builder(), "and was not restarted")
}

// TestRealMemoryBomb: a step that takes all memory is killed, nothing else is.
func TestRealMemoryBomb(t *testing.T) {
	k := newKit(t)
	before := k.builder()
	_, _, err := k.build(t.Context(), k.app(), map[string]string{
		"Dockerfile": "FROM busybox\nRUN tail /dev/zero\n",
	}, nil)
	require.ErrorContains(t, err, "memory")
	require.Equal(t, before, k.builder(), "the builder was restarted")
}

// TestRealDiskFiller: a build that writes without end is stopped, and the next
// one works.
func TestRealDiskFiller(t *testing.T) {
	k := newKit(t, func(o *build.Options) { o.Disk = 256 << 20 })
	_, _, err := k.build(t.Context(), k.app(), map[string]string{
		"Dockerfile": "FROM busybox\nRUN dd if=/dev/zero of=/filled-by-test bs=1M count=20000\n",
	}, nil)
	require.Equal(t, platform.Invalid, platform.CodeOf(err))
	require.ErrorContains(t, err, "wrote more than 256 MiB")
	// BuildKit counts it among its cache, whose size is bounded, and lets go of
	// it when it is started again, which a build that was cut off brings about.
	found, err := filepath.Glob("/var/lib/rancher/k3s/storage/*builder-cache*/runc-overlayfs/snapshots/snapshots/*/fs/filled-by-test")
	require.NoError(t, err)
	for _, name := range found {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Less(t, info.Size(), int64(4<<30), "it went on writing")
	}
	_, _, err = newKit(t).build(t.Context(), k.app(), map[string]string{"Dockerfile": "FROM busybox\nRUN echo goes on\n"}, nil)
	require.NoError(t, err)
}

// TestRealFullDisk: nothing is built on a disk that is nearly full.
func TestRealFullDisk(t *testing.T) {
	k := newKit(t, func(o *build.Options) { o.Free = 1 << 50 })
	_, _, err := k.build(t.Context(), k.app(), map[string]string{"Dockerfile": "FROM busybox\nRUN true\n"}, nil)
	require.Equal(t, platform.Unavailable, platform.CodeOf(err))
	require.ErrorContains(t, err, "free")
}

// TestRealCachesAreApart: what one app's build keeps is not another's.
func TestRealCachesAreApart(t *testing.T) {
	k := newKit(t)
	first := map[string]string{"Dockerfile": "FROM busybox\nRUN --mount=type=cache,id=shared,target=/c echo poison > /c/file\n"}
	_, _, err := k.build(t.Context(), k.app(), first, nil)
	require.NoError(t, err)
	second := map[string]string{"Dockerfile": "FROM busybox\nRUN --mount=type=cache,id=shared,target=/c echo found: $(ls /c)\n"}
	_, log, err := k.build(t.Context(), k.app(), second, nil)
	require.NoError(t, err)
	require.Contains(t, log, "\nfound:\n")
	_, log, err = k.build(t.Context(), k.app(), second, nil)
	require.NoError(t, err)
	require.NotContains(t, log, "RUN --mount=type=cache,id=shared,target=/c echo found: $(ls /c) (cached)", "another app's step was taken from the cache")
}
