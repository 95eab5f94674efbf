package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The firewall managers whose rules can be added to.
const (
	FirewallUFW       = "ufw"
	FirewallFirewalld = "firewalld"
	FirewallIPTables  = "iptables" // rules that somebody keeps by hand
)

// Opening is one thing a firewall lets in: a port for everybody, or everything
// from a network. It is added to the manager's own rules, through its own tool,
// and never replaces one.
type Opening struct {
	Manager  string `json:"manager"`
	Port     int    `json:"port,omitempty"`
	Protocol string `json:"protocol,omitempty"` // of the port: tcp or udp
	Source   string `json:"source,omitempty"`   // a network, "10.42.0.0/16"
	Zone     string `json:"zone,omitempty"`     // of firewalld
}

// String names it for people and for the ledger: "ufw 80/tcp".
func (o Opening) String() string {
	if o.Source != "" {
		return o.Manager + " from " + o.Source
	}
	return fmt.Sprintf("%s %d/%s", o.Manager, o.Port, o.Protocol)
}

// ActiveFirewalls returns the managers that filter on this host now.
func ActiveFirewalls(ctx context.Context, h Host) ([]string, error) {
	var active []string
	for _, m := range []struct {
		name, tool string
		args       []string
		says       string
	}{{FirewallUFW, "ufw", []string{"status"}, "Status: active"}, {FirewallFirewalld, "firewall-cmd", []string{"--state"}, "running"}} {
		if _, err := h.LookPath(m.tool); errors.Is(err, ErrNoCommand) {
			continue
		}
		// firewall-cmd --state fails when the daemon does not run; ufw fails
		// without root, which is the only error that hides something.
		out, err := h.Run(ctx, Command{Name: m.tool, Args: m.args, Env: []string{"LC_ALL=C"}})
		if err != nil && m.name == FirewallUFW {
			return nil, fmt.Errorf("look at ufw: %w", err)
		}
		if err == nil && slices.Contains(strings.Split(strings.TrimSpace(string(out.Stdout)), "\n"), m.says) {
			active = append(active, m.name)
		}
	}
	return active, nil
}

// Resolve fills in the zone of firewalld: trusted for networks, the default one
// for ports.
func (o Opening) Resolve(ctx context.Context, h Commands) (Opening, error) {
	if o.Manager != FirewallFirewalld || o.Zone != "" {
		return o, nil
	}
	if o.Source != "" {
		o.Zone = "trusted"
		return o, nil
	}
	out, err := h.Run(ctx, Command{Name: "firewall-cmd", Args: []string{"--get-default-zone"}})
	if err != nil {
		return o, fmt.Errorf("default zone of firewalld: %w", err)
	}
	o.Zone = strings.TrimSpace(string(out.Stdout))
	return o, nil
}

// IsOpen reports whether the manager has exactly this rule, now and for the
// next start.
func (o Opening) IsOpen(ctx context.Context, h Commands) (bool, error) {
	switch o.Manager {
	case FirewallUFW:
		out, err := h.Run(ctx, Command{Name: "ufw", Args: []string{"show", "added"}, Env: []string{"LC_ALL=C"}})
		if err != nil {
			return false, fmt.Errorf("look at ufw's rules: %w", err)
		}
		return slices.ContainsFunc(strings.Split(string(out.Stdout), "\n"), o.sameUFW), nil
	case FirewallFirewalld:
		o, err := o.Resolve(ctx, h)
		if err != nil {
			return false, err
		}
		for _, args := range o.firewalld("query") {
			if _, err := h.Run(ctx, Command{Name: "firewall-cmd", Args: args}); err != nil {
				return false, nil // it answers "no" by its exit code
			}
		}
		return true, nil
	case FirewallIPTables:
		_, err := h.Run(ctx, Command{Name: "iptables", Args: o.iptables("-C")})
		return err == nil, nil
	}
	return false, fmt.Errorf("unknown firewall %q", o.Manager)
}

// sameUFW compares with a line of "ufw show added".
func (o Opening) sameUFW(line string) bool {
	line, _, _ = strings.Cut(line, " comment ")
	if o.Source != "" {
		return line == "ufw allow from "+o.Source
	}
	return line == fmt.Sprintf("ufw allow %d/%s", o.Port, o.Protocol) || line == fmt.Sprintf("ufw allow %d", o.Port)
}

// Open adds the rule; one that is there already stays as it is.
func (o Opening) Open(ctx context.Context, h Commands) error { return o.change(ctx, h, true) }

// Close takes the rule away again. A rule or a tool that is gone is no error,
// nor is a daemon that does not run.
func (o Opening) Close(ctx context.Context, h Commands) error {
	var err error
	if o.Manager == FirewallFirewalld && !firewalldRuns(ctx, h) {
		_, err = h.Run(ctx, Command{Name: "firewall-offline-cmd", Args: o.firewalld("remove")[0][1:]})
	} else {
		err = o.change(ctx, h, false)
	}
	if errors.Is(err, ErrNoCommand) {
		return nil
	}
	return err
}

func firewalldRuns(ctx context.Context, h Commands) bool {
	_, err := h.Run(ctx, Command{Name: "firewall-cmd", Args: []string{"--state"}})
	return err == nil
}

func (o Opening) change(ctx context.Context, h Commands, open bool) error {
	o, err := o.Resolve(ctx, h)
	if err != nil {
		return err
	}
	var commands []Command
	switch o.Manager {
	case FirewallUFW:
		commands = []Command{{Name: "ufw", Args: o.ufw(open), Env: []string{"LC_ALL=C"}}}
	case FirewallFirewalld:
		verb := "remove"
		if open {
			verb = "add"
		}
		for _, args := range o.firewalld(verb) {
			commands = append(commands, Command{Name: "firewall-cmd", Args: args})
		}
	case FirewallIPTables:
		there, err := o.IsOpen(ctx, h)
		if err != nil || there == open {
			return err
		}
		verb := "-D"
		if open {
			verb = "-I"
		}
		commands = []Command{{Name: "iptables", Args: o.iptables(verb)}}
	default:
		return fmt.Errorf("unknown firewall %q", o.Manager)
	}
	for _, c := range commands {
		if _, err := h.Run(ctx, c); err != nil {
			return fmt.Errorf("%s: %w", o, err)
		}
	}
	return nil
}

func (o Opening) ufw(open bool) []string {
	var args []string
	if !open {
		args = []string{"--force", "delete"}
	}
	if o.Source != "" {
		args = append(args, "allow", "from", o.Source)
	} else {
		args = append(args, "allow", fmt.Sprintf("%d/%s", o.Port, o.Protocol))
	}
	if open {
		args = append(args, "comment", "slipway")
	}
	return args
}

// firewalld returns the arguments for the running rules and for those of the
// next start. Adding twice, and removing what is not there, is no error there.
func (o Opening) firewalld(verb string) [][]string {
	what := fmt.Sprintf("--%s-port=%d/%s", verb, o.Port, o.Protocol)
	if o.Source != "" {
		what = fmt.Sprintf("--%s-source=%s", verb, o.Source)
	}
	return [][]string{{"--permanent", "--zone=" + o.Zone, what}, {"--zone=" + o.Zone, what}}
}

func (o Opening) iptables(verb string) []string {
	args := []string{"--wait", "10", verb, "INPUT"}
	if o.Source != "" {
		args = append(args, "-s", o.Source)
	} else {
		args = append(args, "-p", o.Protocol, "-m", o.Protocol, "--dport", fmt.Sprint(o.Port))
	}
	return append(args, "-m", "comment", "--comment", "slipway", "-j", "ACCEPT")
}
