//go:build e2e

package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
)

// profiles are the ones Traefik's own project tests. The one for TLS routes is
// added where the cluster knows that kind.
const profiles = "GATEWAY-HTTP,GATEWAY-GRPC"

// products are what is compiled of the module suite: the suite as a program,
// and images of its backends by the names its manifests use.
type products struct {
	suite  string
	images map[string]v1.Image
}

// build compiles them.
func build(t *testing.T) products {
	t.Helper()
	dir := t.TempDir()
	p := products{suite: filepath.Join(dir, "suite"), images: map[string]v1.Image{}}
	goes(t, "test", "-c", "-o", p.suite, ".")
	backends := map[string]v1.Image{}
	for name, path := range map[string]string{
		"echo-basic": "sigs.k8s.io/gateway-api/conformance/echo-basic",
		"coredns":    "./whoami",
	} {
		program := filepath.Join(dir, name)
		goes(t, "build", "-ldflags", "-s -w", "-o", program, path)
		image, err := appliance.ProgramImage(program)
		require.NoError(t, err)
		backends[name] = image
	}
	upstream := strings.TrimSpace(goes(t, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api"))
	manifests, err := os.ReadFile(filepath.Join(upstream, "conformance/base/manifests.yaml"))
	require.NoError(t, err)
	for _, found := range regexp.MustCompile(`(?m)^\s*image: (\S+/([a-z-]+):\S+)$`).FindAllSubmatch(manifests, -1) {
		require.Contains(t, backends, string(found[2]), "%s: the suite has a backend that is not built here", found[1])
		p.images[string(found[1])] = backends[string(found[2])]
	}
	require.NotEmpty(t, p.images)
	return p
}

// goes runs the go command in the module suite.
func goes(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = "suite"
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go %s: %s", strings.Join(args, " "), stderr.String())
	return string(out)
}

// load gives the images to the host.
func (p products) load(t *testing.T, m *appliance.Machine) {
	t.Helper()
	for ref, image := range p.images {
		require.NoError(t, m.Load(t.Context(), image, ref))
		t.Logf("loaded %s", ref)
	}
}

// suite is one run.
type suite struct {
	program       string
	host          *harness.Host
	only          string // name of the one test to run; empty: all
	claimed, left []string
	version       string // of the appliance
	report        string // path of the file it writes
	took          time.Duration
}

// start runs the suite to its end. The error is that something failed; which
// tests did is in the report.
func (s *suite) start(t *testing.T) error {
	t.Helper()
	names := profiles
	tested := slices.DeleteFunc(slices.Clone(s.claimed), func(f string) bool { return slices.Contains(s.left, f) })
	if slices.Contains(tested, "TLSRoute") {
		names += ",GATEWAY-TLS"
	}
	args := []string{"-test.v", "-test.timeout=40m", "-test.run=^TestConformance$",
		"-gateway-class=traefik", "-cleanup-base-resources=false",
		"-supported-features=" + strings.Join(tested, ",")}
	if s.only != "" {
		args = append(args, "-run-test="+s.only, "-debug")
	} else {
		args = append(args, "-conformance-profiles="+names, "-report-output="+s.report,
			"-organization=slipway-paas", "-project=slipway", "-url=https://github.com/slipway-paas/slipway",
			"-contact=https://github.com/slipway-paas/slipway/issues", "-version="+s.version)
	}
	t.Logf("profiles %s; claimed but left out: %s", names, strings.Join(s.left, ", "))
	// In the host's network its own kubeconfig and the address of its gateway are
	// right as they are.
	cmd := s.host.Network(t.Context(), s.program, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(s.host.Root(), "etc/rancher/k3s/k3s.yaml"))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	start := time.Now()
	err := cmd.Run()
	s.took = time.Since(start)
	return err
}
