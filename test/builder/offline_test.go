//go:build e2e

package builder

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// clusterNetworks are pods and Services of an installation with defaults.
const clusterNetworks = "10.42.0.0/15"

// TestRealNoPacketLeaves: a build on a carried base image asks nobody outside,
// not even for a name. The node's packet filter counts what the builder sends.
func TestRealNoPacketLeaves(t *testing.T) {
	k := newKit(t)
	list, err := k.client.CoreV1().Pods("drycc").List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=builder"})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	address := list.Items[0].Status.PodIP
	outside := count(t, "-s", address, "!", "-d", clusterNetworks)
	names := count(t, "-s", address, "-p", "udp")
	all := count(t, "-s", address)

	word := uuid.NewString()
	n, _, err := k.build(t.Context(), k.app(), map[string]string{
		"Dockerfile": "# syntax=docker/dockerfile:1\nFROM busybox\nRUN echo " + word + " > /word\nCMD [\"cat\", \"/word\"]\n",
	}, map[string]string{"DRYCC_DISABLE_CACHE": "1"})
	require.NoError(t, err)
	require.NotEqual(t, "0", all(), "the rules count nothing at all")
	require.Equal(t, "0", outside(), "packets to other networks")
	require.Equal(t, "0", names(), "name lookups")
	require.Equal(t, word+"\n", k.run(n.Image))

	_, _, err = k.build(t.Context(), k.app(), map[string]string{"Dockerfile": "FROM busybox\nRUN nc -w 1 192.0.2.99 80; true\n"}, nil)
	require.NoError(t, err)
	require.NotEqual(t, "0", outside(), "a packet that tried to leave was not counted")
}

// count has the node count packets and returns how to read their number.
func count(t *testing.T, match ...string) func() string {
	iptables := "/var/lib/slipway/bin/aux/iptables"
	if _, err := os.Stat(iptables); err != nil {
		iptables = "iptables"
	}
	id := "slipway-build-test-" + uuid.NewString()
	rule := append(append([]string{"PREROUTING"}, match...), "-m", "comment", "--comment", id)
	run := func(args ...string) string {
		out, err := exec.Command(iptables, append([]string{"-w", "-t", "mangle"}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	run(append([]string{"-I"}, rule...)...)
	t.Cleanup(func() { run(append([]string{"-D"}, rule...)...) })
	return func() string {
		for line := range strings.Lines(run("-nvxL", "PREROUTING")) {
			if strings.Contains(line, id) {
				return strings.Fields(line)[0]
			}
		}
		t.Fatal("the rule is gone")
		return ""
	}
}
