package checkup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
)

// checkFirewall finds rules that keep pods from this host, or others from the
// platform's ports. Nothing is ever taken away: rules are added through the
// manager's own tool.
func checkFirewall(ctx context.Context, e *env) ([]doctor.Finding, error) {
	managers, err := host.ActiveFirewalls(ctx, e.host)
	if err != nil {
		return nil, err
	}
	dumps, err := e.host.Rules(ctx)
	if err != nil {
		return nil, err
	}
	// Rules of a manager are in the dumps too; only where there is none are
	// they somebody's own.
	if len(managers) == 0 && dropsInput(dumps) {
		managers = []string{host.FirewallIPTables}
	}
	var found []doctor.Finding
	for _, m := range managers {
		missing, err := e.missing(ctx, m, dumps)
		if err != nil {
			return nil, err
		}
		if len(missing) > 0 {
			found = append(found, closed(m, missing))
		}
	}
	return found, nil
}

// wanted are the openings that the platform needs: everything from pods and
// services, and the ports that others reach.
func (e *env) wanted(manager string) []host.Opening {
	list := []host.Opening{{Manager: manager, Source: e.opts.ClusterCIDR.String()}, {Manager: manager, Source: e.opts.ServiceCIDR.String()}}
	ports := slices.Clone(e.opts.Ports)
	slices.Sort(ports)
	for _, p := range slices.Compact(ports) {
		list = append(list, host.Opening{Manager: manager, Port: p, Protocol: "tcp"})
	}
	return list
}

func (e *env) missing(ctx context.Context, manager string, dumps []host.RuleDump) ([]host.Opening, error) {
	var missing []host.Opening
	for _, o := range e.wanted(manager) {
		open, err := o.IsOpen(ctx, e.host)
		if err != nil {
			return nil, err
		}
		if !open && !(manager == host.FirewallIPTables && accepted(dumps, o)) {
			missing = append(missing, o)
		}
	}
	return missing, nil
}

func closed(manager string, missing []host.Opening) doctor.Finding {
	var texts []string
	for _, o := range missing {
		texts = append(texts, strings.TrimPrefix(o.String(), manager+" "))
	}
	what := strings.Join(texts, ", ")
	f := doctor.Finding{Severity: doctor.Warning, Title: "a firewall is in the way", Evidence: fmt.Sprintf("%s is active and does not let in: %s", manager, what),
		Reason: "pods do not reach this host, or others the platform's ports; a port that is closed on purpose may stay so",
		Cure:   cureFor(manager, missing)}
	f.Fix = &doctor.Fix{Change: "let in through " + manager + ", beside the rules that are there: " + what, Do: func(ctx context.Context, c doctor.Changer) error {
		for _, o := range missing {
			c.Note(o.String())
			if err := c.OpenFirewall(ctx, o); err != nil {
				return err
			}
		}
		return nil
	}}
	if manager == host.FirewallIPTables {
		f.Fix.Change += " (until the next boot: who writes these rules has to add them)"
	}
	return f
}

// cureFor are the commands by hand, of the first opening and the number of the
// others.
func cureFor(manager string, missing []host.Opening) string {
	first := missing[0]
	what := fmt.Sprintf("%d/tcp", first.Port)
	switch manager {
	case host.FirewallUFW:
		if first.Source != "" {
			what = "from " + first.Source
		}
		return "for each: ufw allow " + what
	case host.FirewallFirewalld:
		if first.Source != "" {
			return "for each: firewall-cmd --permanent --zone=trusted --add-source=" + first.Source + "; then firewall-cmd --reload"
		}
		return "for each: firewall-cmd --permanent --add-port=" + what + "; then firewall-cmd --reload"
	}
	return "for each, in the file your rules come from: iptables -I INPUT -s " + address(first) + " -j ACCEPT"
}

func address(o host.Opening) string {
	if o.Source != "" {
		return o.Source
	}
	return fmt.Sprintf("0/0 -p tcp --dport %d", o.Port)
}

// dropsInput reports whether INPUT ends in dropping what no rule let in.
func dropsInput(dumps []host.RuleDump) bool {
	for _, d := range dumps {
		if strings.HasPrefix(d.Tool, "ip6") {
			continue
		}
		for _, t := range host.ParseRules(d.Text) {
			if t.Name != "filter" {
				continue
			}
			if slices.Contains(t.Chains, host.Chain{Name: "INPUT", Policy: "DROP"}) || endsInDrop(t.Rules) {
				return true
			}
		}
	}
	return false
}

// endsInDrop finds a last word such as "-A INPUT -j REJECT --reject-with …".
func endsInDrop(rules []string) bool {
	for _, r := range rules {
		if r == "-A INPUT -j DROP" || strings.HasPrefix(r, "-A INPUT -j REJECT") {
			return true
		}
	}
	return false
}

// accepted reports whether a rule that somebody wrote by hand lets in the same.
func accepted(dumps []host.RuleDump, o host.Opening) bool {
	for _, d := range dumps {
		for _, t := range host.ParseRules(d.Text) {
			for _, r := range t.Rules {
				if !strings.HasPrefix(r, "-A INPUT ") || !strings.HasSuffix(r, "-j ACCEPT") {
					continue
				}
				if o.Source != "" && strings.Contains(r, " -s "+o.Source+" ") && !strings.Contains(r, "--dport") {
					return true
				}
				if o.Port != 0 && strings.Contains(r, fmt.Sprintf(" --dport %d ", o.Port)) && !strings.Contains(r, " -s ") {
					return true
				}
			}
		}
	}
	return false
}
