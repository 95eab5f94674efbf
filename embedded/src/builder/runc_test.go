package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

const bundle = `{"ociVersion":"1.2.0","process":{"rlimits":[{"type":"RLIMIT_NPROC","hard":9,"soft":9},{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":1}]},"linux":{"cgroupsPath":"/buildkit/x","resources":{"devices":[{"allow":false}]}}}`

func limited(t *testing.T, cgroups bool) string {
	name := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(name, []byte(bundle), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := limitBundle(name, limits{pids: 100, memory: 1 << 20}, cgroups); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestStepsAreLimitedByCgroup(t *testing.T) {
	const want = `{"linux":{"cgroupsPath":"/buildkit/x","resources":{"devices":[{"allow":false}],"memory":{"limit":1048576},"pids":{"limit":100}}},"ociVersion":"1.2.0","process":{"rlimits":[{"hard":9,"soft":9,"type":"RLIMIT_NPROC"},{"hard":18446744073709551615,"soft":1,"type":"RLIMIT_NOFILE"}]}}`
	if got := limited(t, true); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestStepsAreLimitedByUser(t *testing.T) {
	const want = `{"linux":{},"ociVersion":"1.2.0","process":{"rlimits":[{"hard":18446744073709551615,"soft":1,"type":"RLIMIT_NOFILE"},{"hard":100,"soft":100,"type":"RLIMIT_NPROC"}]}}`
	if got := limited(t, false); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestBuildSubnet(t *testing.T) {
	name := filepath.Join(t.TempDir(), "cni.json")
	write := func(v any) {
		raw, err := json.Marshal(v)
		if err == nil {
			err = os.WriteFile(name, raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(map[string]any{"ipam": map[string]any{"ranges": []any{[]any{map[string]string{"subnet": "198.18.0.0/24"}}}}})
	if subnet, err := buildSubnet(name); err != nil || subnet.String() != "198.18.0.0/24" {
		t.Errorf("got %v, %v", subnet, err)
	}
	write(map[string]any{})
	if _, err := buildSubnet(name); err == nil {
		t.Error("a file without a subnet was taken")
	}
	if netmask(20) != [4]byte{255, 255, 240, 0} {
		t.Error("netmask")
	}
}
