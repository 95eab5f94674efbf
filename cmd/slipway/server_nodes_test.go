package main

import (
	"testing"

	"github.com/slipway-paas/slipway/platform/kube"
	"github.com/stretchr/testify/assert"
)

// The first look at the cluster finds what the charts were told already: they
// are not applied a second time for it.
func TestChartsAreToldOfOtherNodes(t *testing.T) {
	t.Parallel()
	l := newNodeList("192.0.2.1")
	alone := l.told()
	first := kube.Node{Name: "one", Internal: []string{"192.0.2.1"}}
	l.set([]kube.Node{first})
	assert.Equal(t, alone, l.told())
	l.set([]kube.Node{{Name: "one", Internal: []string{"192.0.2.1", "2001:db8::1"}, Ready: true, PodRanges: []string{"10.42.0.0/24"}}})
	assert.Equal(t, alone, l.told(), "health is no news to charts")
	l.set([]kube.Node{first, {Name: "two", Internal: []string{"192.0.2.2"}}})
	assert.NotEqual(t, alone, l.told())
	l.set([]kube.Node{first})
	assert.Equal(t, alone, l.told())
}
