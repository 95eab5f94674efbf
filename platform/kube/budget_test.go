package kube

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	policyv1 "k8s.io/api/policy/v1"
)

const helloBudgets = "/apis/policy/v1/namespaces/hello/poddisruptionbudgets"

func TestABudgetGoesWithItsDeployment(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	budget, ok := s.find(helloBudgets + "/hello-web")
	require.True(t, ok)
	owner := decode[policyv1.PodDisruptionBudget](t, budget).OwnerReferences
	require.Len(t, owner, 1)
	assert.Equal(t, s.deployment(helloWeb).UID, owner[0].UID)
}
