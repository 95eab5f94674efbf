package host

import (
	"fmt"
	"runtime"
	"sort"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// capabilityNames are the kernel's, by number.
func capabilityNames() []string {
	return strings.Fields(`CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL
		CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST
		CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT
		CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME
		CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP
		CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ
		CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE`)
}

// missingCaps names the capabilities that this process lacks although the
// kernel knows them.
func (l *Linux) missingCaps() []string {
	status, err := l.ReadFile("/proc/self/status")
	if err != nil {
		return nil
	}
	last, err := strconv.Atoi(l.line("/proc/sys/kernel/cap_last_cap"))
	if err != nil {
		last = len(capabilityNames()) - 1
	}
	for _, line := range strings.Split(string(status), "\n") {
		if v, ok := strings.CutPrefix(line, "CapEff:"); ok {
			mask, err := strconv.ParseUint(strings.TrimSpace(v), 16, 64)
			if err != nil {
				return nil
			}
			return absentCaps(mask, last)
		}
	}
	return nil
}

func absentCaps(mask uint64, last int) []string {
	var missing []string
	names := capabilityNames()
	for n := 0; n <= last; n++ {
		if mask&(1<<n) != 0 {
			continue
		}
		if n < len(names) {
			missing = append(missing, names[n])
		} else {
			missing = append(missing, fmt.Sprintf("CAP_%d", n))
		}
	}
	sort.Strings(missing)
	return missing
}

// probeFeatures tries what /sys/module cannot answer: built-in code without
// parameters has no entry there. Interfaces are made in a network namespace
// that ends with the thread, so nothing is left and nobody sees them.
func probeFeatures(have map[string]bool) {
	if !have[FeatureNFTables] {
		have[FeatureNFTables] = probeNFTables()
	}
	wanted := []string{}
	for _, name := range []string{FeatureBridge, FeatureVeth, FeatureVXLAN} {
		if !have[name] {
			wanted = append(wanted, name)
		}
	}
	if len(wanted) == 0 {
		return
	}
	var found map[string]bool
	onSpareThread(func() { found = probeLinks(wanted) })
	for name, ok := range found {
		have[name] = ok
	}
}

// onSpareThread runs f on a thread that ends with it, and with it the namespace
// that f made. It must not be the first thread: that one never ends, and
// /proc/self shows its namespaces. So if we are on it, we hold it and try
// again, which then is elsewhere.
func onSpareThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			onSpareThread(f)
			runtime.UnlockOSThread()
			return
		}
		f() // never unlocked
	}()
	<-done
}

func probeLinks(wanted []string) map[string]bool {
	found := map[string]bool{}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return found // not root: the check for root tells the user
	}
	for _, name := range wanted {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "probe-" + name
		var link netlink.Link
		switch name {
		case FeatureBridge:
			link = &netlink.Bridge{LinkAttrs: attrs}
		case FeatureVeth:
			link = &netlink.Veth{LinkAttrs: attrs, PeerName: "probe-peer"}
		case FeatureVXLAN:
			link = &netlink.Vxlan{LinkAttrs: attrs, VxlanId: 1, Port: 8472}
		}
		found[name] = netlink.LinkAdd(link) == nil
	}
	return found
}

// probeNFTables asks for the list of nf_tables tables.
func probeNFTables() bool {
	const getTable = unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_GETTABLE
	req := nl.NewNetlinkRequest(getTable, unix.NLM_F_DUMP)
	req.AddData(&nl.Nfgenmsg{NfgenFamily: unix.AF_UNSPEC, Version: nl.NFNETLINK_V0})
	_, err := req.Execute(unix.NETLINK_NETFILTER, 0)
	return err == nil
}
