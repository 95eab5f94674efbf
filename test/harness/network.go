package harness

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
)

// The hosts' network: our own bridge with a range that is rarely used.
const (
	bridge  = "slwtest0"
	Gateway = "172.31.77.1" // this machine, as the hosts see it
	maskLen = "/24"
)

func linkName(host string) string { return "slw-" + host }

// ip runs the ip tool; its words are part of the error.
func ip(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

func exists(link string) bool {
	_, err := net.InterfaceByName(link)
	return err == nil
}

func removeLink(link string) error {
	if !exists(link) {
		return nil
	}
	// The kernel removes one end of a pair in its own time after the namespace
	// of the other has gone: it may be faster than we are.
	if err := ip("link", "del", link); err != nil && exists(link) {
		return err
	}
	return nil
}

// makeBridge makes the bridge unless it is there.
func makeBridge() error {
	if exists(bridge) {
		return nil
	}
	if err := ip("link", "add", bridge, "type", "bridge"); err != nil {
		return err
	}
	if err := ip("addr", "add", Gateway+maskLen, "dev", bridge); err != nil {
		return err
	}
	return ip("link", "set", bridge, "up")
}

// plug connects the network of process pid to the bridge, as eth0.
func plug(host, address string, pid int) error {
	link, far := linkName(host), "slwfar-"+host
	if err := removeLink(link); err != nil {
		return err
	}
	inside := func(args ...string) []string {
		return append([]string{"--target", strconv.Itoa(pid), "--net", "ip"}, args...)
	}
	if err := ip("link", "add", link, "type", "veth", "peer", "name", far); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"link", "set", link, "master", bridge, "up"},
		{"link", "set", far, "netns", strconv.Itoa(pid)},
	} {
		if err := ip(args...); err != nil {
			return err
		}
	}
	// A card keeps its number over a reboot.
	card := net.HardwareAddr(append([]byte{2, 0}, net.ParseIP(address).To4()...)).String()
	for _, args := range [][]string{
		{"link", "set", far, "name", "eth0", "address", card},
		{"link", "set", "lo", "up"},
		{"addr", "add", address + maskLen, "dev", "eth0"},
		{"link", "set", "eth0", "up"},
		{"route", "add", "default", "via", Gateway},
	} {
		if out, err := exec.Command("nsenter", inside(args...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("network of host %s: ip %s: %w: %s", host, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}

// Cut pulls the host's network cable: nothing goes in or out until Mend. What
// runs there runs on.
func (h *Host) Cut() error { return ip("link", "set", h.record.Link, "down") }

// Mend puts the cable back.
func (h *Host) Mend() error { return ip("link", "set", h.record.Link, "up") }
