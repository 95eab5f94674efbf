package kube

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// lateGateway answers as the canary's endpoint was some asks ago.
func lateGateway(t *testing.T, c *Cluster, late int) func(context.Context) (bool, error) {
	known, asks := false, 0
	return func(ctx context.Context) (bool, error) {
		if asks++; asks == 1 {
			return false, errors.New("not listening yet")
		}
		if asks > late {
			slice, err := c.core.DiscoveryV1().EndpointSlices("drycc").Get(ctx, canaryName, metav1.GetOptions{})
			require.NoError(t, err)
			known = *slice.Endpoints[0].Conditions.Ready
		}
		return known, nil
	}
}

func TestSyncGatewayWaitsForTheFlip(t *testing.T) {
	_, c := newSimulation(t)
	y := Canary{Host: "canary.drycc.example.com", Address: "192.0.2.1", Port: 9580}
	y.Ask = lateGateway(t, c, 3)
	require.NoError(t, c.SyncGateway(t.Context(), y), "first: on")
	y.Ask = lateGateway(t, c, 0)
	require.NoError(t, c.SyncGateway(t.Context(), y), "second: off")
	slice, err := c.core.DiscoveryV1().EndpointSlices("drycc").Get(t.Context(), canaryName, metav1.GetOptions{})
	require.NoError(t, err)
	assert.False(t, *slice.Endpoints[0].Conditions.Ready)
	assert.Equal(t, []string{"192.0.2.1"}, slice.Endpoints[0].Addresses)
}

func TestSyncGatewayGivesUpWithTheReason(t *testing.T) {
	_, c := newSimulation(t)
	ctx, cancel := context.WithCancel(t.Context())
	asks := 0
	stuck := func(context.Context) (bool, error) {
		if asks++; asks == 2 {
			cancel()
		}
		return false, nil
	}
	err := c.SyncGateway(ctx, Canary{Host: "x", Address: "192.0.2.1", Port: 1, Ask: stuck})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "as it was before")
}

func TestRestartGatewayChangesOnlyTheTemplate(t *testing.T) {
	s, c := newSimulation(t)
	s.put("/apis/apps/v1/namespaces/drycc/daemonsets/traefik", &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "traefik", Namespace: "drycc"},
	})
	require.NoError(t, c.RestartGateway(t.Context()))
	d, err := c.core.AppsV1().DaemonSets("drycc").Get(t.Context(), "traefik", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Contains(t, d.Spec.Template.Annotations, annotationRestarted)
	assert.Empty(t, d.Annotations)
}

func TestRestartOfAnAbsentGatewaySaysSo(t *testing.T) {
	_, c := newSimulation(t)
	require.ErrorContains(t, c.RestartGateway(t.Context()), "gateway restart")
}
