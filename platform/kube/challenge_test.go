package kube

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	discoveryv1 "k8s.io/api/discovery/v1"
)

const helloSlices = "/apis/discovery.k8s.io/v1/namespaces/hello/endpointslices"

// The controller answers for a domain while it is being asked back, and its
// address goes with the Service when nobody asks any more.
func TestExposeChallenges(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	x := webExposure()
	x.Challenges = []string{"www.example.com"}
	require.NoError(t, c.Expose(t.Context(), x))
	assert.Equal(t, []string{"hello"}, s.names(helloServices), "the controller's address is not known")

	c.opts.Controller = netip.MustParseAddrPort("192.0.2.10:9580")
	require.NoError(t, c.Expose(t.Context(), x))
	name := challengeName("hello")
	assert.Equal(t, []string{name, "hello"}, s.names(helloServices))
	assert.Equal(t, []string{name, "hello"}, s.names(helloRoutes))
	found, there := s.find(helloSlices + "/" + name)
	require.True(t, there)
	slice := decode[discoveryv1.EndpointSlice](t, found)
	assert.Equal(t, []string{"192.0.2.10"}, slice.Endpoints[0].Addresses)
	require.Len(t, slice.OwnerReferences, 1)
	assert.Equal(t, name, slice.OwnerReferences[0].Name)

	require.NoError(t, c.Expose(t.Context(), webExposure()))
	assert.Equal(t, []string{"hello"}, s.names(helloServices))
	assert.Equal(t, []string{"hello"}, s.names(helloRoutes))
}
