// Package flannel is the CNI plugin that k3s's network configuration names
// "flannel". It makes no interface itself: it reads the subnet that flannel
// gave this node and hands the work to the bridge plugin with a host-local
// range of that subnet.
//
// What it handed over at ADD is kept per container, since DEL may come after
// a reboot, when the subnet file is not there yet.
package flannel

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/containernetworking/cni/pkg/invoke"
	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/version"
)

const (
	defaultSubnetFile = "/run/flannel/subnet.env"
	defaultStateDir   = "/var/lib/cni/flannel"
)

// config is the part of the network configuration that is ours to read.
type config struct {
	types.NetConf
	SubnetFile string         `json:"subnetFile"`
	DataDir    string         `json:"dataDir"`
	Delegate   map[string]any `json:"delegate"`
}

// Main is the plugin's entry point: it reads CNI_* and standard input, prints
// the result and exits.
func Main() {
	skel.PluginMainFuncs(skel.CNIFuncs{Add: add, Del: del, Check: check},
		version.All, "slipway flannel: delegates to bridge")
}

func add(args *skel.CmdArgs) error {
	conf, err := parse(args.StdinData)
	if err != nil {
		return err
	}
	sub, err := readSubnet(conf.SubnetFile)
	if err != nil {
		return err
	}
	delegate, err := conf.delegate(sub)
	if err != nil {
		return err
	}
	if err := save(conf.statePath(args.ContainerID), delegate); err != nil {
		return err
	}
	result, err := invoke.DelegateAdd(context.Background(), "bridge", delegate, nil)
	if err != nil {
		return err
	}
	return result.Print()
}

func del(args *skel.CmdArgs) error {
	conf, err := parse(args.StdinData)
	if err != nil {
		return err
	}
	path := conf.statePath(args.ContainerID)
	delegate, err := conf.saved(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil // never added, or deleted before: DEL must be repeatable
	}
	if err != nil {
		return err
	}
	if err := invoke.DelegateDel(context.Background(), "bridge", delegate, nil); err != nil {
		return err
	}
	return os.Remove(path)
}

// saved is what the delegate was added with. A loss of power may have left the
// file empty; the container's address has to be given back all the same, so the
// configuration of now stands in.
func (c config) saved(path string) ([]byte, error) {
	delegate, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("flannel: saved configuration: %w", err)
	}
	if json.Valid(delegate) {
		return delegate, nil
	}
	sub, err := readSubnet(c.SubnetFile)
	if err != nil {
		return nil, err
	}
	return c.delegate(sub)
}

// delegate is the delegate's configuration as it reads it.
func (c config) delegate(sub subnet) ([]byte, error) {
	data, err := json.Marshal(c.bridge(sub))
	if err != nil {
		return nil, fmt.Errorf("flannel: delegate configuration: %w", err)
	}
	return data, nil
}

func check(args *skel.CmdArgs) error {
	conf, err := parse(args.StdinData)
	if err != nil {
		return err
	}
	delegate, err := os.ReadFile(conf.statePath(args.ContainerID))
	if err != nil {
		return fmt.Errorf("flannel: saved configuration: %w", err)
	}
	return invoke.DelegateCheck(context.Background(), "bridge", delegate, nil)
}

func parse(stdin []byte) (config, error) {
	c := config{SubnetFile: defaultSubnetFile, DataDir: defaultStateDir}
	if err := json.Unmarshal(stdin, &c); err != nil {
		return c, fmt.Errorf("flannel: network configuration: %w", err)
	}
	return c, nil
}

func (c config) statePath(containerID string) string {
	return filepath.Join(c.DataDir, filepath.Base(containerID))
}

// subnet is what flannel wrote for this node.
type subnet struct {
	networks []string       // whole pod networks, CIDR
	subnets  []netip.Prefix // this node's part of each
	mtu      int
	masq     bool // flannel masquerades itself
}

func readSubnet(path string) (subnet, error) {
	f, err := os.Open(path)
	if err != nil {
		return subnet{}, fmt.Errorf("flannel: subnet file (flannel has not started yet?): %w", err)
	}
	defer f.Close()
	s := subnet{masq: true}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "=")
		switch key {
		case "FLANNEL_NETWORK", "FLANNEL_IPV6_NETWORK":
			s.networks = append(s.networks, strings.Split(value, ",")...)
		case "FLANNEL_SUBNET", "FLANNEL_IPV6_SUBNET":
			// flannel writes the bridge's own address; host-local wants the network's.
			var p netip.Prefix
			p, err = netip.ParsePrefix(value)
			s.subnets = append(s.subnets, p.Masked())
		case "FLANNEL_MTU":
			s.mtu, err = strconv.Atoi(value)
		case "FLANNEL_IPMASQ":
			s.masq, err = strconv.ParseBool(value)
		}
		if err != nil {
			return subnet{}, fmt.Errorf("flannel: subnet file %s: %s: %w", path, key, err)
		}
	}
	if err := lines.Err(); err != nil {
		return subnet{}, fmt.Errorf("flannel: subnet file %s: %w", path, err)
	}
	if len(s.subnets) == 0 || len(s.networks) == 0 || s.mtu == 0 {
		return subnet{}, fmt.Errorf("flannel: subnet file %s is incomplete", path)
	}
	return s, nil
}

// bridge completes the delegate's configuration; what k3s set there stays.
func (c config) bridge(s subnet) map[string]any {
	m := map[string]any{
		"type":      "bridge",
		"isGateway": true,
		"mtu":       s.mtu,
		"ipMasq":    !s.masq,
	}
	for k, v := range c.Delegate {
		m[k] = v
	}
	m["name"] = c.Name
	m["cniVersion"] = c.CNIVersion
	var ranges [][]map[string]string
	var routes []map[string]string
	for _, sub := range s.subnets {
		ranges = append(ranges, []map[string]string{{"subnet": sub.String()}})
	}
	for _, n := range s.networks {
		routes = append(routes, map[string]string{"dst": n})
	}
	m["ipam"] = map[string]any{"type": "host-local", "ranges": ranges, "routes": routes}
	return m
}

// save writes the delegate's configuration before the delegate acts, so that
// a container half made can still be undone.
func save(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("flannel: state folder: %w", err)
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return fmt.Errorf("flannel: state: %w", err)
	}
	return os.Rename(tmp, path)
}
