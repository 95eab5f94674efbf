package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/k3s/node"
	"github.com/slipway-paas/slipway/bootstrap/secrets"
	"github.com/slipway-paas/slipway/charts"
	"github.com/slipway-paas/slipway/embedded"
)

// stage unpacks the payload and makes the links under which this binary is
// other programs. All of it lies in folders that the ledger owns whole.
func (m *machine) stage(ctx context.Context, note func(string)) error {
	images := filepath.Join(m.settings.DataDir, "agent", "images")
	err := embedded.Stage(ctx, embedded.Dest{Bin: m.paths.Bin, Images: images}, func(p embedded.Progress) {
		note(fmt.Sprintf("%s (%d of %d MB)", p.File, p.Done>>20, p.Total>>20))
	})
	if err != nil {
		return err
	}
	// With this file k3s remembers which archives it has imported.
	if err := touch(filepath.Join(images, ".cache.json")); err != nil {
		return err
	}
	return m.nodePrograms()
}

// nodePrograms makes the names under which k3s finds what it starts: links to
// this binary, and scripts for the carried tools.
func (m *machine) nodePrograms() error {
	aux := auxDir(m.paths.Bin)
	if err := os.MkdirAll(aux, 0o755); err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	for name := range programs() {
		if err := m.host.Symlink(m.paths.Binary, filepath.Join(m.paths.Bin, name)); err != nil {
			return fmt.Errorf("stage: link %s: %w", name, err)
		}
	}
	for _, name := range embedded.IPTablesNames() {
		if err := m.host.WriteFile(filepath.Join(aux, name), carriedScript(m.paths.Bin, name), 0o755); err != nil {
			return fmt.Errorf("stage: script %s: %w", name, err)
		}
	}
	return nil
}

func touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	return f.Close()
}

// engineFiles are the files that k3s, the kubelet and containerd read.
func (m *machine) engineFiles() ([]bootstrap.File, error) {
	config, err := m.nodeConfig()
	if err != nil {
		return nil, err
	}
	files, err := config.Files()
	if err != nil {
		return nil, err
	}
	var list []bootstrap.File
	for _, f := range files {
		perm := os.FileMode(0o644)
		if f.Secret {
			perm = 0o600
		}
		list = append(list, bootstrap.File{Path: f.Path, Data: f.Data, Perm: perm})
	}
	if m.settings.Role == bootstrap.RoleAgent {
		return append(list, m.offerFiles()...), nil
	}
	return append(list, append(m.offerFiles(), bootstrap.File{
		Path: filepath.Join(m.settings.DataDir, "server", "manifests", "slipway-early.yaml"),
		Data: charts.EarlyManifest(), Perm: 0o600,
	})...), nil
}

// offerFiles are what the cluster hands to a server that joins it.
func (m *machine) offerFiles() (files []bootstrap.File) {
	if m.offer == nil {
		return nil
	}
	for _, f := range m.offer.Files {
		files = append(files, bootstrap.File{Path: f.Path, Data: f.Data, Perm: f.Perm})
	}
	return files
}

// registryPassword is the nodes' password for the registry: of the cluster that
// this host joins, else its own.
func (m *machine) registryPassword() (string, error) {
	if m.offer != nil {
		return m.offer.RegistryPassword, nil
	}
	own, err := secrets.Open(secretsFile(m.paths))
	return own.RegistryNode, err
}

func (m *machine) nodeConfig() (node.Config, error) {
	facts, err := m.host.Facts()
	if err != nil {
		return node.Config{}, err
	}
	password, err := m.registryPassword()
	if err != nil {
		return node.Config{}, err
	}
	name, err := nodeName(m.host, m.settings)
	if err != nil {
		return node.Config{}, err
	}
	pause, err := imageRef("pause")
	if err != nil {
		return node.Config{}, err
	}
	return node.Config{
		DataDir: m.settings.DataDir, NodeName: name, NodeIP: m.settings.NodeIP,
		ClusterCIDR: m.settings.ClusterCIDR.String(), ServiceCIDR: m.settings.ServiceCIDR.String(),
		FlannelBackend: "vxlan", PauseImage: pause, TLSSANs: m.settings.APIHosts,
		KubeMode: m.settings.KubeMode, ResolvConf: m.settings.ResolvConf,
		Agent: m.settings.Role == bootstrap.RoleAgent, ServerURL: m.settings.JoinURL, Token: m.joinToken(),
		Registry: node.Registry{
			Host: registryHost(m.settings.Domain), Former: registryHosts(m.settings.FormerDomains),
			Endpoint: fmt.Sprintf("http://%s:5000", m.settings.RegistryIP()),
			Username: secrets.NodeUser, Password: password,
		},
		Hardening:           node.Hardening(m.settings.Hardening),
		CgroupV1:            facts.Cgroup == 1,
		RestrictOOMScoreAdj: slices.Contains(facts.MissingCaps, "CAP_SYS_RESOURCE"),
	}, nil
}

// registryHost is the registry's name in image references.
func registryHost(domain string) string { return "registry." + domain }

func registryHosts(domains []string) []string {
	var hosts []string
	for _, d := range domains {
		hosts = append(hosts, registryHost(d))
	}
	return hosts
}

// imageRef is the reference of a carried image.
func imageRef(name string) (string, error) {
	manifest, err := embedded.Load()
	if err != nil {
		return "", err
	}
	for _, i := range manifest.Images {
		if i.Name == name {
			return i.Ref, nil
		}
	}
	return "", fmt.Errorf("this file carries no image %q; build it again with \"make\"", name)
}
