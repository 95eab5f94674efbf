package conformance

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The suite refuses definitions of another version than its own, after minutes.
func TestSuiteIsOfTheCarriedVersion(t *testing.T) {
	find := func(file, pattern string) string {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		found := regexp.MustCompile(pattern).FindSubmatch(b)
		require.NotNil(t, found, "%s has no %s", file, pattern)
		return string(found[1])
	}
	assert.Equal(t,
		find("../../charts/gateway/crds/gateways.yaml", `gateway\.networking\.k8s\.io/bundle-version: (\S+)`),
		find("suite/go.mod", `sigs\.k8s\.io/gateway-api (v\S+)`),
		"take new definitions and the suite that tests them at once; then run make conformance")
}
