package embedded

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

func sampleManifest() Manifest {
	sum := strings.Repeat("0123456789abcdef", 4)
	return Manifest{
		Arch: "amd64",
		Images: []Image{{Name: "coredns", Ref: "slipway.internal/coredns:v1.15.0",
			Digest: "sha256:" + sum, Source: "github.com/coredns/coredns@v1.15.0"}},
		Binaries: []Binary{
			{Name: "cni", Links: []string{"bridge", "portmap"}, File: "bin/cni.zst", SHA256: sum, Size: 5_000_000,
				Source: "github.com/containernetworking/plugins@v1.9.1"},
			{Name: "iptables", File: "bin/iptables.tar.zst", SHA256: sum, Size: 4096,
				Source: "debian/bookworm/iptables=1.8.9-2", Tree: true},
			{Name: "runc", File: "bin/runc.zst", SHA256: sum, Size: 10_700_000, Source: "github.com/opencontainers/runc@v1.5.1"},
		},
		Members: []Member{
			{File: "bin/cni.zst", SHA256: sum, Size: 1_900_000},
			{File: "bin/iptables.tar.zst", SHA256: sum, Size: 2048},
			{File: "bin/runc.zst", SHA256: sum, Size: 3_900_000},
			{File: "images/coredns.tar", SHA256: sum, Size: 13_600_000},
		},
	}
}

// The format is read by other versions of slipway and by people's scripts.
func TestManifestFormat(t *testing.T) {
	raw, err := sampleManifest().Encode()
	require.NoError(t, err)
	golden := filepath.Join("testdata", "manifest.golden.json")
	if *update {
		require.NoError(t, os.WriteFile(golden, raw, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(raw))

	back, err := LoadFS(fstest.MapFS{ManifestFile: {Data: want}})
	require.NoError(t, err)
	require.Equal(t, sampleManifest(), back)
}

func TestManifestRefuses(t *testing.T) {
	tests := map[string]func(*Manifest){
		"image name that is a path":  func(m *Manifest) { m.Images[0].Name = "../coredns" },
		"hidden image name":          func(m *Manifest) { m.Images[0].Name = ".coredns" },
		"empty binary name":          func(m *Manifest) { m.Binaries[0].Name = "" },
		"two binaries of a name":     func(m *Manifest) { m.Binaries[0].Name = m.Binaries[1].Name },
		"binary without member":      func(m *Manifest) { m.Binaries[0].File = "bin/other.zst" },
		"image without member":       func(m *Manifest) { m.Images[0].Name = "other" },
		"member outside":             func(m *Manifest) { m.Members[0].File = "../x" },
		"the same member twice":      func(m *Manifest) { m.Members[1].File = m.Members[0].File },
		"link that is a path":        func(m *Manifest) { m.Binaries[0].Links[0] = "../sh" },
		"link with a name in use":    func(m *Manifest) { m.Binaries[0].Links[0] = "runc" },
		"absolute name for a binary": func(m *Manifest) { m.Binaries[0].Name = "/bin/sh" },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			m := sampleManifest()
			change(&m)
			raw, err := m.Encode()
			require.NoError(t, err)
			_, err = LoadFS(fstest.MapFS{ManifestFile: {Data: raw}})
			require.ErrorIs(t, err, ErrCorrupt)
		})
	}
	_, err := LoadFS(fstest.MapFS{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestGit(t *testing.T) {
	require.Equal(t, Command{
		Path: "/b/git/lib/ld.so",
		Args: []string{"/b/git/lib/ld.so", "--library-path", "/b/git/lib", "--argv0", "git", "/b/git/git", "version"},
		Env:  []string{"PATH=/b/git/core", "GIT_EXEC_PATH=/b/git/core"},
	}, Git("/b", "version"))
}

func TestIPTables(t *testing.T) {
	c := IPTables("/b", "iptables-save", "-t", "nat")
	require.Equal(t, Command{
		Path: "/b/iptables/lib/ld.so",
		Args: []string{"/b/iptables/lib/ld.so", "--library-path", "/b/iptables/lib", "--argv0", "iptables-save",
			"/b/iptables/xtables-nft-multi", "-t", "nat"},
		Env: []string{"XTABLES_LIBDIR=/b/iptables/xtables"},
	}, c)
	require.Contains(t, IPTables("/b", "ipset").Args, "/b/iptables/ipset")
	require.Contains(t, IPTablesNames(), "ip6tables-restore")
}
