//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

// realCluster runs the tests of the cluster half, which elsewhere meet an API
// server in memory, against this one: in a program of their own, because they
// are inside that package.
func (s *story) realCluster(t *testing.T) {
	s.real(t, "../../platform/kube", "TestRealCluster", "TestRealGateway")
	s.nothingLeft(t)
}

// realBuilder runs the tests of the builder: hostile Dockerfiles, bombs, no
// packet that leaves. The base image is in the registry since the first push.
func (s *story) realBuilder(t *testing.T) {
	s.real(t, "../builder", "TestRealDockerfile", "TestRealHostileSteps", "TestRealNoPacketLeaves", "TestRealPacksGo")
}

// real runs the tests TestReal… of a package on this appliance and expects some
// of them to have passed. Of those that fail, what they said is repeated.
func (s *story) real(t *testing.T, folder string, expected ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "test", "-tags", "e2e", "-vet=off", "-count", "1", "-timeout", "15m",
		"-parallel", "4", "-json", "-run", "^TestReal", folder)
	cmd.Env = append(os.Environ(),
		"KUBECONFIG=/etc/rancher/k3s/k3s.yaml",
		"SLIPWAY_HELLO_IMAGE="+house.Carried(t, s.m, "hello"),
		"SLIPWAY_BUSYBOX_IMAGE="+house.Carried(t, s.m, "busybox"),
		"SLIPWAY_FILER_IMAGE="+house.Carried(t, s.m, "filer"),
		"SLIPWAY_GATEWAY_TCP="+tcpPort, "SLIPWAY_GATEWAY_PASS="+passPort,
	)
	out, ended := cmd.CombinedOutput()
	said := map[string]string{}
	var passed []string
	for line := range strings.Lines(string(out)) {
		var event struct{ Action, Test, Output string }
		if json.Unmarshal([]byte(line), &event) != nil {
			event.Output = line // of the compiler, say
		}
		said[event.Test] += event.Output
		switch {
		case event.Test == "" || strings.Contains(event.Test, "/"):
		case event.Action == "pass":
			passed = append(passed, event.Test)
			t.Log("passed", event.Test)
		case event.Action == "fail":
			ended = errors.Join(ended, errors.New(event.Test))
		}
	}
	if ended != nil {
		for test, text := range said {
			if test == "" || strings.Contains(text, "--- FAIL") || strings.Contains(text, "panic:") {
				t.Errorf("%s:\n%s", test, text)
			}
		}
	}
	require.NoError(t, ended)
	assert.Subset(t, passed, expected, "they did run")
}

// nothingLeft: what those tests made is gone with their apps.
func (s *story) nothingLeft(t *testing.T) {
	for what, command := range map[string][]string{
		"namespaces": {appliance.Binary, "kubectl", "get", "namespaces", "-o", "name"},
		"volumes":    {appliance.Binary, "kubectl", "get", "persistentvolumes", "-o", "jsonpath={.items[*].spec.claimRef.namespace}"},
		"folders":    {"ls", "/var/lib/rancher/k3s/storage"},
		"mounts":     {"cat", "/proc/self/mountinfo"},
	} {
		assert.NoError(t, appliance.Eventually(t.Context(), time.Minute, func(ctx context.Context) error {
			out, err := s.m.Output(ctx, command[0], command[1:]...)
			if err == nil && strings.Contains(out, "kubetest") {
				return fmt.Errorf("%s of theirs are left: %s", what, out)
			}
			return err
		}))
	}
}
