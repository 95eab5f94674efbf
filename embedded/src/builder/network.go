package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// masquerade lets RUN steps reach what the pod may reach: they are on a bridge
// of their own in the pod, and leave it with the pod's address. So the
// cluster's network policy for the pod holds for them too.
func masquerade(cniFile string) error {
	subnet, err := buildSubnet(cniFile)
	if err != nil {
		return err
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return fmt.Errorf("letting build steps out of the pod: %w", err)
	}
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("letting build steps out of the pod: %w", err)
	}
	table := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: "slipway-builder"}
	c.AddTable(table)
	c.FlushTable(table)
	chain := c.AddChain(&nftables.Chain{
		Name: "postrouting", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	address, mask := subnet.Masked().Addr().As4(), netmask(subnet.Bits())
	c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		// Source address within the subnet …
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: mask[:], Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: address[:]},
		// … leaving by the pod's own interface.
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: interfaceName("eth0")},
		&expr.Masq{},
	}})
	if err := c.Flush(); err != nil {
		return fmt.Errorf("letting build steps out of the pod: nftables: %w", err)
	}
	return nil
}

func interfaceName(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

func netmask(bits int) [4]byte {
	var m [4]byte
	for i := range bits {
		m[i/8] |= 1 << (7 - i%8)
	}
	return m
}

// buildSubnet reads the IPv4 network of RUN steps from the CNI configuration.
func buildSubnet(name string) (netip.Prefix, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return netip.Prefix{}, err
	}
	var c struct {
		IPAM struct {
			Ranges [][]struct {
				Subnet netip.Prefix `json:"subnet"`
			} `json:"ranges"`
		} `json:"ipam"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return netip.Prefix{}, fmt.Errorf("%s: %w", name, err)
	}
	if len(c.IPAM.Ranges) == 0 || len(c.IPAM.Ranges[0]) == 0 || !c.IPAM.Ranges[0][0].Subnet.Addr().Is4() {
		return netip.Prefix{}, fmt.Errorf("%s names no IPv4 subnet", name)
	}
	return c.IPAM.Ranges[0][0].Subnet, nil
}
