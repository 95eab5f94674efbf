package suite

import (
	"testing"

	"sigs.k8s.io/gateway-api/conformance"
)

// TestConformance runs what the suite's own flags say (-gateway-class,
// -conformance-profiles, -report-output, …) against the cluster of KUBECONFIG.
func TestConformance(t *testing.T) { conformance.RunConformance(t) }
