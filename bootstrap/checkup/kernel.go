package checkup

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"golang.org/x/net/dns/dnsmessage"
)

// clockMost is how far a clock may be off before tokens and certificates of
// nodes begin to be refused.
const clockMost = 5 * time.Second

func checkClockSync(_ context.Context, e *env) ([]doctor.Finding, error) {
	c, err := e.host.Clock()
	if err != nil {
		return nil, err
	}
	if c.Synced && c.Error < clockMost {
		return nil, nil
	}
	f := doctor.Finding{Severity: doctor.Warning, Title: "the clock is not kept by a time service", Evidence: "the kernel says that its clock is not synchronised",
		Reason: "certificates, tokens and the order of events need clocks that agree", Cure: "apt-get install systemd-timesyncd or chrony; timedatectl set-ntp true. In a container, the host outside does it"}
	if c.Synced {
		f.Title, f.Evidence = "the clock is kept badly", fmt.Sprintf("the kernel estimates that it is off by up to %s", c.Error.Round(time.Millisecond))
	}
	if facts, err := e.host.Facts(); err == nil && facts.Container != "" {
		f.Severity = doctor.Note
	}
	return doctor.One(f)
}

// The least of each limit: every watching program takes an instance, and the
// kubelet, kubectl logs -f and log collectors a watch for each file.
func inotifyLeast() []struct {
	key   string
	least int
} {
	return []struct {
		key   string
		least int
	}{{"fs/inotify/max_user_instances", 512}, {"fs/inotify/max_user_watches", 65536}}
}

// inotifyFile comes after the file of the kernel settings of an install.
const inotifyFile = "/etc/sysctl.d/91-slipway-inotify.conf"

func checkInotify(_ context.Context, e *env) ([]doctor.Finding, error) {
	var low, lines []string
	raise := map[string]string{}
	for _, l := range inotifyLeast() {
		text, err := e.host.Sysctl(l.key)
		if isAbsent(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		now, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("sysctl %s: %w", l.key, err)
		}
		if now < l.least {
			low = append(low, fmt.Sprintf("%s is %d", strings.ReplaceAll(l.key, "/", "."), now))
			lines = append(lines, fmt.Sprintf("%s = %d", strings.ReplaceAll(l.key, "/", "."), l.least))
			raise[l.key] = strconv.Itoa(l.least)
		}
	}
	if len(low) == 0 {
		return nil, nil
	}
	file := "# Written by slipway doctor; \"slipway uninstall\" takes it back.\n" + strings.Join(lines, "\n") + "\n"
	return doctor.One(doctor.Finding{Severity: doctor.Warning, Title: "inotify limits are low", Evidence: strings.Join(low, ", "),
		Reason: "with some dozens of pods, programs that watch files end with \"too many open files\"", Cure: "put into " + inotifyFile + ": " + strings.Join(lines, "; ") + "; then sysctl --system",
		Fix: &doctor.Fix{Change: "write " + inotifyFile + " with " + strings.Join(lines, ", ") + ", and set them now",
			Do: func(_ context.Context, c doctor.Changer) error {
				for _, l := range inotifyLeast() {
					if v := raise[l.key]; v != "" {
						if err := c.Sysctl(l.key, v); err != nil {
							return err
						}
					}
				}
				return c.WriteFile(inotifyFile, []byte(file), 0o644)
			}}})
}

// resolvedConf has the name servers that systemd-resolved asks; k3s takes it
// when resolv.conf names only this host.
const resolvedConf = "/run/systemd/resolve/resolv.conf"

func checkNameServers(ctx context.Context, e *env) ([]doctor.Finding, error) {
	files := []string{"/etc/resolv.conf", resolvedConf}
	if e.opts.ResolvConf != "" {
		files = []string{e.opts.ResolvConf}
	}
	var servers []netip.Addr
	var from, only string
	for _, file := range files {
		data, err := e.host.ReadFile(file)
		if isAbsent(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		usable, loops := nameServers(string(data))
		if len(usable) == 0 && len(loops) > 0 && only == "" {
			only = fmt.Sprintf("%s names only %s", file, loops[0])
		}
		if len(usable) > 0 {
			servers, from = usable, file
			break
		}
	}
	switch {
	case len(servers) > 0:
		return e.silentServers(ctx, from, servers)
	case only != "":
		return doctor.One(doctor.Finding{Severity: doctor.Warning, Title: "pods have no name server that they can reach", Evidence: only,
			Reason: "in a pod that address is the pod itself; k3s then gives pods 8.8.8.8 and 2001:4860:4860::8888",
			Cure:   "write the real name servers into a file and set K3S_RESOLV_CONF to it"})
	}
	return doctor.One(doctor.Finding{Severity: doctor.Note, Title: "this host has no name server", Evidence: "none in " + strings.Join(files, " nor "),
		Reason: "apps reach each other by name, but nothing outside; right for a host without network"})
}

// silentServers asks each name server.
func (e *env) silentServers(ctx context.Context, file string, servers []netip.Addr) ([]doctor.Finding, error) {
	var silent []string
	for _, s := range servers {
		if err := e.opts.Resolve(ctx, s); err != nil {
			silent = append(silent, fmt.Sprintf("%s (%v)", s, err))
		}
	}
	if len(silent) == 0 {
		return nil, nil
	}
	f := doctor.Finding{Severity: doctor.Warning, Title: "a name server does not answer", Evidence: file + ": " + strings.Join(silent, ", "),
		Reason: "names outside are found slowly by apps and builds", Cure: "take it out of " + file + ", or see to it that it answers UDP port 53"}
	if len(silent) == len(servers) {
		f.Title, f.Reason = "no name server answers", "apps and builds reach nothing outside by name"
	}
	return doctor.One(f)
}

// nameServers parts those that pods can use from loopback addresses.
func nameServers(text string) (usable, loops []netip.Addr) {
	for _, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		a, err := netip.ParseAddr(f[1])
		switch {
		case err != nil:
		case a.IsLoopback() || a.IsUnspecified():
			loops = append(loops, a)
		default:
			usable = append(usable, a)
		}
	}
	return usable, loops
}

// answerTime is how long a resolver waits before it asks the next one.
const answerTime = 3 * time.Second

// askNameServer asks for the root's name servers; any answer will do.
func askNameServer(ctx context.Context, server netip.Addr) error {
	question := dnsmessage.Message{Header: dnsmessage.Header{ID: 1, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("."), Type: dnsmessage.TypeNS, Class: dnsmessage.ClassINET}}}
	packet, err := question.Pack()
	if err != nil {
		return err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", netip.AddrPortFrom(server, 53).String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return err
	}
	if _, err := conn.Write(packet); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1500))
	return err
}
