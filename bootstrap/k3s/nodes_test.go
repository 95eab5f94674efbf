package k3s

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/join"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestQuorum(t *testing.T) {
	servers := func(ready ...bool) (all []NodeInfo) {
		for i, r := range ready {
			all = append(all, NodeInfo{Name: string(rune('a' + i)), Role: "server", Ready: r})
		}
		return append(all, NodeInfo{Name: "agent", Role: "agent", Ready: true})
	}
	tests := map[string]struct {
		all  []NodeInfo
		name string
		want string // "": may leave
	}{
		"an agent":             {servers(true), "agent", ""},
		"the only server":      {servers(true), "a", "the only server"},
		"one of two":           {servers(true, true), "a", ""},
		"the good one of two":  {servers(true, false), "a", "0 of 1 servers would work"},
		"the dead one of two":  {servers(true, false), "b", ""},
		"one of three":         {servers(true, true, true), "a", ""},
		"the dead one of 3":    {servers(true, true, false), "c", ""},
		"a good one beside it": {servers(true, true, false), "a", "1 of 2 servers would work, and 2 are needed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := Quorum(tt.all, tt.name)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func machineNode(name string, ready corev1.ConditionStatus, labels map[string]string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Status: corev1.NodeStatus{
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready, Message: "Kubelet stopped posting node status."}},
		Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.0.2.1"}},
	}}
}

func volumeOn(node, claim string) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv-" + claim}, Spec: corev1.PersistentVolumeSpec{
		ClaimRef: &corev1.ObjectReference{Namespace: "shop", Name: claim},
		NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}},
		}}}},
	}}
}

func podOn(node, name, claim string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "x", Controller: new(bool)}}},
		Spec: corev1.PodSpec{NodeName: node}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	*p.OwnerReferences[0].Controller = true
	if claim != "" {
		p.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}}
	}
	return p
}

func TestNodeList(t *testing.T) {
	server := map[string]string{labelServer: "true", labelEtcd: "true"}
	drained := machineNode("c", corev1.ConditionTrue, nil)
	drained.Spec.Unschedulable = true
	n := &Fleet{client: fake.NewClientset(machineNode("b", corev1.ConditionUnknown, nil), machineNode("z", corev1.ConditionTrue, server), drained,
		podOn("z", "one", ""), podOn("b", "two", ""))}
	all, err := n.List(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 3)
	assert.Equal(t, []string{"z", "b", "c"}, []string{all[0].Name, all[1].Name, all[2].Name}, "servers first")
	assert.True(t, all[0].Controller && all[0].Etcd && all[0].Ready, "the only server has the controller")
	assert.Equal(t, 1, all[0].Pods)
	assert.Equal(t, "Kubelet stopped posting node status.", all[1].State)
	assert.Equal(t, "drained", all[2].State)
}

func TestDrainRefusesWhatHasNoPlaceToGo(t *testing.T) {
	one := machineNode("one", corev1.ConditionTrue, nil)
	two := machineNode("two", corev1.ConditionTrue, nil)
	say := func(string) {}
	tests := map[string]struct {
		cluster *fake.Clientset
		node    string
		want    string
	}{
		"no such node":  {fake.NewClientset(one), "three", "slipway node list"},
		"no other node": {fake.NewClientset(one, podOn("one", "web", "")), "one", "no other node can take the 1 pods"},
		"a volume":      {fake.NewClientset(one, two, podOn("one", "db", "data"), volumeOn("one", "data")), "one", "shop/db cannot run anywhere else"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := &Fleet{client: tt.cluster}
			err := n.Drain(t.Context(), tt.node, DrainOptions{Timeout: time.Minute, Progress: say})
			require.ErrorContains(t, err, tt.want)
			node, err := tt.cluster.CoreV1().Nodes().Get(t.Context(), "one", metav1.GetOptions{})
			require.NoError(t, err)
			assert.False(t, node.Spec.Unschedulable, "nothing was changed")
		})
	}
}

func TestTokensOfTheCluster(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	tokens := &Tokens{client: fake.NewClientset(), dataDir: dir, clock: func() time.Time { return now }}
	writeAuthority(t, dir)
	agent, whole, err := tokens.Create(t.Context(), join.Agent, time.Hour, "for tests")
	require.NoError(t, err)
	assert.Equal(t, now.Add(time.Hour), agent.Expires)
	role, err := tokens.CheckToken(t.Context(), whole.Credential)
	require.NoError(t, err)
	assert.Equal(t, join.Agent, role)
	server, forever, err := tokens.Create(t.Context(), join.Server, 0, "")
	require.NoError(t, err)
	assert.Zero(t, server.Expires)
	role, err = tokens.CheckToken(t.Context(), forever.Credential)
	require.NoError(t, err)
	assert.Equal(t, join.Server, role)
	list, err := tokens.List(t.Context())
	require.NoError(t, err)
	assert.ElementsMatch(t, []JoinToken{agent, server}, list)

	id, _, _ := strings.Cut(whole.Credential, ".")
	for name, credential := range map[string]string{"wrong": id + ".0000000000000000", "unknown": "zzzzzz.0000000000000000", "no form": "x", "password": "server:x"} {
		_, err := tokens.CheckToken(t.Context(), credential)
		var refusal *join.Refusal
		require.ErrorAs(t, err, &refusal, name)
		assert.Equal(t, 401, refusal.Status, name)
	}
	now = now.Add(2 * time.Hour)
	_, err = tokens.CheckToken(t.Context(), whole.Credential)
	require.ErrorContains(t, err, "the token ended at 2026-11-22T13:00:00Z")
	require.NoError(t, tokens.Delete(t.Context(), forever.String()))
	_, err = tokens.CheckToken(t.Context(), forever.Credential)
	require.ErrorContains(t, err, "was taken back")
	require.ErrorContains(t, tokens.Delete(t.Context(), server.ID), "there is no token")
	require.ErrorContains(t, tokens.Delete(t.Context(), "?"), "no id of a token")
}

// writeAuthority puts a certificate where k3s keeps that of the servers.
func writeAuthority(t *testing.T, dataDir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	dir := filepath.Join(dataDir, "server", "tls")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "server-ca.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
}

// TestRemoveMemberAsksAgain: etcd refuses while a member that came back has not
// been there for long.
func TestRemoveMemberAsksAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		refusals int
		want     string
	}{
		"at once":              {0, ""},
		"after a while":        {2, ""},
		"never, it is the end": {removeTries, "bring the other servers back first"},
	} {
		t.Run(name, func(t *testing.T) {
			node := machineNode("jof", corev1.ConditionTrue, map[string]string{labelEtcd: "true"})
			node.Annotations = map[string]string{annotateMember: "jof-f0ae979d"}
			cluster := fake.NewClientset(node)
			asked := 0
			ctx, cancel := context.WithCancel(t.Context())
			var k3s sync.WaitGroup
			k3s.Go(func() { answerAsK3s(ctx, t, cluster, tt.refusals, &asked) })
			n := &Fleet{client: cluster, pause: time.Millisecond}
			err := n.removeMember(t.Context(), "jof", func(string) {})
			cancel()
			k3s.Wait()
			if tt.want != "" {
				require.ErrorContains(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.refusals+1, asked)
		})
	}
}

// answerAsK3s takes the question back some times, and then says that it is done.
func answerAsK3s(ctx context.Context, t *testing.T, cluster *fake.Clientset, refusals int, asked *int) {
	nodes := cluster.CoreV1().Nodes()
	for ctx.Err() == nil {
		node, err := nodes.Get(ctx, "jof", metav1.GetOptions{})
		if !assert.NoError(t, err) {
			return
		}
		if _, pending := node.Annotations[annotateRemove]; pending {
			delete(node.Annotations, annotateRemove)
			if *asked++; *asked > refusals {
				node.Annotations[annotateGone] = node.Annotations[annotateMember]
				delete(node.Annotations, annotateMember)
			}
			_, err := nodes.Update(ctx, node, metav1.UpdateOptions{})
			if !assert.NoError(t, err) || *asked > refusals {
				return
			}
		}
		time.Sleep(time.Millisecond)
	}
}

func TestNodesSayWhatTheyRun(t *testing.T) {
	node := machineNode("a", corev1.ConditionTrue, nil)
	assert.Empty(t, describeNode(node).Slipway)
	node.Annotations = map[string]string{annotateVersion: "v1.0.0", annotateBehind: "runs v1.0.0, the cluster v2.0.0"}
	info := describeNode(node)
	assert.Equal(t, "v1.0.0", info.Slipway)
	assert.Equal(t, "runs v1.0.0, the cluster v2.0.0", info.Behind)
}

// The cluster shows a node as ready for a while whose kubelet has gone.
func TestWhatTheKubeletSaidBeforeDoesNotCount(t *testing.T) {
	node := machineNode("a", corev1.ConditionTrue, nil)
	started := time.Date(2026, 3, 4, 5, 6, 7, 800, time.UTC)
	assert.False(t, reported(node, started))
	node.Status.Conditions[0].LastHeartbeatTime = metav1.NewTime(started.Add(-time.Second))
	assert.False(t, reported(node, started))
	node.Status.Conditions[0].LastHeartbeatTime = metav1.NewTime(started.Truncate(time.Second))
	assert.True(t, reported(node, started), "the kubelet writes whole seconds")
}

// TestNodeHealth: of what is said of a node only some is trouble.
func TestNodeHealth(t *testing.T) {
	node := corev1.Node{Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue},
		{Type: "EtcdIsVoter", Status: corev1.ConditionTrue, Message: "Node is a voting member of the etcd cluster"},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue, Message: "full"},
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Message: "plenty"},
	}}}
	is := nodeHealth(node, 0)
	assert.True(t, is.Ready)
	assert.Equal(t, []string{"DiskPressure: full"}, is.Trouble)
}
