//go:build e2e

package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

const (
	domain  = "slipway.localhost"
	address = "172.31.77.40"
	docs    = "../../docs"
)

func TestMain(m *testing.M) { os.Exit(house.Main(m, "make conformance")) }

func TestConformance(t *testing.T) {
	made := build(t)
	h, m := house.Bare(t, harness.Options{Name: "conform", Address: address}, domain)
	house.Install(t, h, m, nil, "--yes")
	made.load(t, m)

	run := suite{program: made.suite, host: h, only: os.Getenv("CONFORMANCE_TEST"), report: filepath.Join(t.TempDir(), "report.yaml")}
	run.claimed, run.left = features(t, m)
	run.version = version(t, m)
	err := run.start(t)
	if run.only != "" {
		require.NoError(t, err)
		return
	}
	keep(t, run) // knows which tests have failed, err does not
}

// version is what the report calls the implementation's version.
func version(t *testing.T, m *appliance.Machine) string {
	t.Helper()
	out, err := m.Slipway(t.Context(), "version", "-o", "json")
	require.NoError(t, err)
	var v struct{ Slipway string }
	require.NoError(t, json.Unmarshal([]byte(out), &v))
	require.NotEmpty(t, v.Slipway, out)
	return v.Slipway
}

// features are those the gateway claims in the status of its class, and of
// these the ones that this appliance has no use for, which are not tested.
func features(t *testing.T, m *appliance.Machine) (claimed, left []string) {
	t.Helper()
	out, err := m.Slipway(t.Context(), "kubectl", "get", "gatewayclass", "traefik", "-o", "json")
	require.NoError(t, err)
	var class struct {
		Status struct{ SupportedFeatures []struct{ Name string } }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &class))
	out, err = m.Slipway(t.Context(), "kubectl", "get", "crds", "-o", "name")
	require.NoError(t, err)
	for _, f := range class.Status.SupportedFeatures {
		claimed = append(claimed, f.Name)
		// The listeners of the appliance are on 80 and 443; and a route whose
		// kind the cluster does not know cannot be made.
		kind := strings.ToLower(f.Name) + "s.gateway.networking.k8s.io"
		if f.Name == "GatewayPort8080" || strings.HasSuffix(f.Name, "Route") && !strings.Contains(out, kind) {
			left = append(left, f.Name)
		}
	}
	require.NotEmpty(t, claimed, "the gateway has not looked at its class")
	return claimed, left
}

// outcome is what is looked at of the suite's report.
type outcome struct {
	GatewayAPIVersion string `json:"gatewayAPIVersion"`
	GatewayAPIChannel string `json:"gatewayAPIChannel"`
	Profiles          []struct {
		Core     part `json:"core"`
		Extended part `json:"extended"`
	} `json:"profiles"`
}

type part struct {
	FailedTests         []string `json:"failedTests"`
	SkippedTests        []string `json:"skippedTests"`
	UnsupportedFeatures []string `json:"unsupportedFeatures"`
}

// keep puts the report into the documentation. It fails when the page beside it
// does not explain what failed, or what was not tested.
func keep(t *testing.T, run suite) {
	t.Helper()
	b, err := os.ReadFile(run.report)
	require.NoError(t, err, "the suite wrote no report; see its output above")
	var report outcome
	require.NoError(t, yaml.Unmarshal(b, &report))
	var failed, without []string
	for _, p := range report.Profiles {
		failed = slices.Concat(failed, p.Core.FailedTests, p.Extended.FailedTests)
		without = slices.Concat(without, p.Core.SkippedTests, p.Extended.SkippedTests, p.Extended.UnsupportedFeatures)
	}
	name := report.GatewayAPIChannel + "-" + report.GatewayAPIVersion + ".yaml"
	file := filepath.Join(docs, "conformance", name)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, sorted(t, b), 0o644))
	t.Logf("docs/conformance/%s is the report; failed: %q; took %s", name, failed, run.took.Round(time.Second))
	page, err := os.ReadFile(filepath.Join(docs, "conformance.md"))
	require.NoError(t, err)
	for _, what := range slices.Concat(without, run.left) {
		assert.Contains(t, string(page), "`"+what+"`", "docs/conformance.md does not say why it is not tested")
	}
	slices.Sort(failed)
	assert.Equal(t, explained(string(page)), slices.Compact(failed), "docs/conformance.md explains other failures than there are")
}

// explained are the failing tests that the page lists, each in a row of the
// table under the heading "Failed".
func explained(page string) []string {
	_, rest, _ := strings.Cut(page, "\n## Failed\n")
	rest, _, _ = strings.Cut(rest, "\n## ")
	var all []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(rest, -1) {
		all = append(all, row[1])
	}
	slices.Sort(all)
	return all
}

// sorted is the report with its profiles by name: the suite writes them in any
// order, and the file is compared from run to run.
func sorted(t *testing.T, report []byte) []byte {
	t.Helper()
	var whole map[string]any
	require.NoError(t, yaml.Unmarshal(report, &whole))
	list, ok := whole["profiles"].([]any)
	require.True(t, ok, "%s", report)
	slices.SortFunc(list, func(a, b any) int {
		return strings.Compare(fmt.Sprint(a.(map[string]any)["name"]), fmt.Sprint(b.(map[string]any)["name"]))
	})
	out, err := yaml.Marshal(whole)
	require.NoError(t, err)
	return out
}
