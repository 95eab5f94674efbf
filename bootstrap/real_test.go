package bootstrap

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stillService is a service whose unit file is real and whose process is not.
type stillService struct {
	host host.Host
	path string
}

func (s *stillService) Manager() string { return host.ManagerSystemd }
func (s *stillService) Install(_ context.Context, w host.Writer, _ bool) error {
	return w.WriteFile(s.path, []byte("[Service]\n"), 0o644)
}
func (s *stillService) Start(context.Context) error                 { return nil }
func (s *stillService) Stop(context.Context) error                  { return nil }
func (s *stillService) Status(context.Context) (host.Status, error) { return host.Status{}, nil }
func (s *stillService) Uninstall(context.Context) error             { return s.host.Remove(s.path) }
func (s *stillService) Files() []string                             { return []string{s.path} }
func (s *stillService) Logs() string                                { return "less log" }

// tree lists a folder's paths with type, permission and contents.
func tree(t *testing.T, root string) []string {
	t.Helper()
	var list []string
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		line := strings.TrimPrefix(path, root) + " " + info.Mode().String()
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			line += " " + string(data)
		}
		list = append(list, line)
		return nil
	}))
	return list
}

// TestOnARealFileSystem installs and uninstalls below a folder: the real files,
// modes, hashes and locks.
func TestOnARealFileSystem(t *testing.T) {
	root := t.TempDir()
	for path, data := range map[string]string{
		"/proc/self/mountinfo": "22 1 8:1 / / rw - ext4 /dev/vda rw\n", "/proc/meminfo": "MemTotal: 4096000 kB\n",
		"/proc/sys/net/ipv4/ip_forward": "0\n", "/etc/hosts": "127.0.0.1 localhost\n", "/etc/rancher/k3s/config.yaml": "owner: me\n",
		"/usr/local/bin/other": "#!/bin/sh\n", "/etc/systemd/system/ssh.service": "[Unit]\n", "/var/lib/x": "", "/run/y": "", "/root/slipway": "the binary", "/var/log/z": "",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, path), []byte(data), 0o640))
	}
	before := tree(t, root)

	h := host.NewLinux(host.Options{Root: root})
	s := DefaultSettings()
	s.AdminPassword = NewSecret("correct-horse")
	p := NewPaths(s)
	svc := &stillService{host: h, path: "/etc/systemd/system/slipway.service"}
	put := func(path string) {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, path), []byte("engine"), 0o600))
	}
	deps := InstallDeps{Host: h, Service: svc, Settings: s, Executable: "/root/slipway",
		Stage: Part{Do: func(context.Context, func(string)) error { return h.WriteFile(p.Bin+"/runc", []byte("runc"), 0o755) }},
		EngineFiles: func() ([]File, error) {
			return []File{{p.K3sEtc + "/config.yaml", []byte("ours\n"), 0o600}}, nil
		},
		NodeReady: Part{Name: "node ready", Do: func(context.Context, func(string)) error {
			put("/var/lib/rancher/k3s/server/db/state.db")
			put("/var/lib/kubelet/config")
			put("/run/k3s/containerd/containerd.sock")
			return h.SetSysctl("net/ipv4/ip_forward", "1")
		}},
	}
	quiet := (&world{t: t}).quiet()
	require.NoError(t, Install{Deps: deps, Progress: quiet, Clock: fixedClock}.Run(context.Background()))
	info, err := h.Stat(p.Binary)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o755), info.Perm)
	info, err = h.Stat(p.Credentials)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Perm)
	info, err = h.Stat(p.Ledger)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o700), info.Perm)
	require.NoError(t, Install{Deps: deps, Progress: quiet, Clock: fixedClock}.Run(context.Background()), "again")

	u := &Uninstall{Host: h, Service: svc, Settings: s, Progress: quiet, Clock: fixedClock}
	res, err := u.Run(context.Background())
	require.NoError(t, err)
	assert.False(t, Counts(res.Diff), "%v", res.Diff)
	assert.Equal(t, before, tree(t, root))
}
