package kube

import (
	"context"
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func nodeAt(name, address, pods string, ready corev1.ConditionStatus) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.NodeSpec{PodCIDRs: []string{pods}},
		Status: corev1.NodeStatus{
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}, {Type: corev1.NodeHostName, Address: name}},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}},
		},
	}
}

// leading is a cluster as the controller at 192.0.2.1 sees it.
func leading(objects ...runtime.Object) *Cluster {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return &Cluster{
		core: fake.NewClientset(objects...), now: time.Now, log: log, patience: defaultPatience(),
		opts: withDefaults(Options{
			Controller: netip.MustParseAddrPort("192.0.2.1:9580"), Git: GitDoor{Port: 2222, ServiceIP: "10.43.0.22"},
			HostAddresses: func() []string { return nil },
		}),
	}
}

func TestNodesAreFollowed(t *testing.T) {
	t.Parallel()
	c := leading(nodeAt("one", "192.0.2.1", "10.42.0.0/24", corev1.ConditionTrue))
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan []Node, 10)
	done := make(chan error, 1)
	go func() { done <- c.FollowNodes(ctx, func(n []Node) { seen <- n }) }()
	one := Node{Name: "one", Internal: []string{"192.0.2.1"}, Ready: true, PodRanges: []string{"10.42.0.0/24"}}
	require.Equal(t, []Node{one}, <-seen)
	// The fake, unlike an API server, does not tell a watch what came before it.
	require.Eventually(t, func() bool {
		return slices.ContainsFunc(c.core.(*fake.Clientset).Actions(), func(a clienttesting.Action) bool { return a.GetVerb() == "watch" })
	}, time.Minute, time.Millisecond)

	nodes := c.core.CoreV1().Nodes()
	_, err := nodes.Create(ctx, nodeAt("two", "192.0.2.2", "10.42.1.0/24", corev1.ConditionTrue), metav1.CreateOptions{})
	require.NoError(t, err)
	two := Node{Name: "two", Internal: []string{"192.0.2.2"}, Ready: true, PodRanges: []string{"10.42.1.0/24"}}
	require.Equal(t, []Node{one, two}, <-seen)
	_, err = nodes.Update(ctx, nodeAt("two", "192.0.2.2", "10.42.1.0/24", corev1.ConditionUnknown), metav1.UpdateOptions{})
	require.NoError(t, err)
	two.Ready = false
	require.Equal(t, []Node{one, two}, <-seen)
	require.NoError(t, nodes.Delete(ctx, "two", metav1.DeleteOptions{}))
	require.Equal(t, []Node{one}, <-seen)
	cancel()
	require.NoError(t, <-done)
}

// What apps may reach, and who may reach them, follows the nodes.
func TestPoliciesFollowTheNodes(t *testing.T) {
	t.Parallel()
	app := platform.App{ID: "hello", Workspace: "team"}
	c := leading(nodeAt("one", "192.0.2.1", "10.42.0.0/24", corev1.ConditionTrue),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "other", Labels: map[string]string{labelHeritage: heritage}}})
	require.NoError(t, c.EnsureApp(t.Context(), app))
	_, err := c.core.CoreV1().Nodes().Create(t.Context(), nodeAt("two", "192.0.2.2", "10.42.1.0/24", corev1.ConditionTrue), metav1.CreateOptions{})
	require.NoError(t, err)
	require.NoError(t, c.RefreshPolicies(t.Context()))

	policy, err := c.core.NetworkingV1().NetworkPolicies("hello").Get(t.Context(), "hello", metav1.GetOptions{})
	require.NoError(t, err)
	s, err := c.surroundings(t.Context())
	require.NoError(t, err)
	require.Equal(t, renderPolicy(app, s).Spec, policy.Spec)
	require.Contains(t, policy.Spec.Ingress[0].From, block("10.42.1.0/32", nil), "the gateway of the new node")
	all, err := c.core.NetworkingV1().NetworkPolicies("other").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Empty(t, all.Items, "a namespace that is not an app's")
}

func TestTheControllerIsWhereItWorks(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	old := Surroundings{Controller: netip.MustParseAddrPort("192.0.2.2:9580")}
	_, challenge, _ := renderChallenges(control.Exposure{App: platform.App{ID: "hello"}, Challenges: []string{"www.example.com"}}, old)
	api := challenge.DeepCopy()
	api.ObjectMeta = metav1.ObjectMeta{Name: controllerName, Namespace: "drycc"}
	foreign := api.DeepCopy()
	foreign.ObjectMeta = metav1.ObjectMeta{Name: "theirs", Namespace: "hello", Labels: map[string]string{discoveryv1.LabelManagedBy: "slipway"}}
	c := leading(challenge, api, foreign)
	nodes := []Node{
		{Name: "one", Internal: []string{"192.0.2.1"}, External: []string{"198.51.100.1"}},
		{Name: "two", Internal: []string{"192.0.2.2", "fd00::2"}, External: []string{"198.51.100.2"}},
	}
	for range 2 { // the second time there is nothing to do
		require.NoError(t, c.Announce(ctx, nodes))
	}
	for _, s := range []*discoveryv1.EndpointSlice{challenge, api} {
		got, err := c.core.DiscoveryV1().EndpointSlices(s.Namespace).Get(ctx, s.Name, metav1.GetOptions{})
		require.NoError(t, err)
		assert.Equal(t, []string{"192.0.2.1"}, got.Endpoints[0].Addresses, s.Name)
		assert.Equal(t, s.Ports, got.Ports, s.Name)
	}
	got, err := c.core.DiscoveryV1().EndpointSlices("hello").Get(ctx, "theirs", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.2"}, got.Endpoints[0].Addresses, "not ours")

	git, err := c.core.CoreV1().Services("drycc").Get(ctx, gitName, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "10.43.0.22", git.Spec.ClusterIP)
	var outside []string
	for _, i := range git.Status.LoadBalancer.Ingress {
		outside = append(outside, i.IP)
	}
	assert.Equal(t, []string{"192.0.2.2", "198.51.100.2"}, outside, "other nodes', in the controller's family")
	slice, err := c.core.DiscoveryV1().EndpointSlices("drycc").Get(ctx, gitName, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1"}, slice.Endpoints[0].Addresses)
}
