package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/checkpoint"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/rehome"
	"github.com/spf13/cobra"
)

func newRehomeCmd() *cobra.Command {
	var ip, domain string
	var check bool
	cmd := &cobra.Command{
		Use:   "rehome",
		Short: "Follow a new address, or give the platform another domain",
		Long: `Makes Kubernetes, certificates, gateway, registry and the names of apps follow
this host to a new address, or the platform to a new domain. Without options it
follows what has changed by itself since the server last ran; a server that
starts does the same, so this is needed only when it cannot know which address
to take.

The host's name needs nothing: the node keeps the name it was installed with,
since volumes are bound to it.

Interrupted, it goes on when it is run again. With --check nothing is changed.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			flags := map[string]string{}
			for name, value := range map[string]string{"SLIPWAY_NODE_IP": ip, "PLATFORM_DOMAIN": domain} {
				if value != "" {
					flags[name] = value
				}
			}
			return rehomeHost(c.Context(), c.OutOrStdout(), flags, check)
		},
	}
	cmd.Flags().StringVar(&ip, "ip", "", "address of this node from now on; it has to be on one of the host's interfaces")
	cmd.Flags().StringVar(&domain, "domain", "", "domain of the platform from now on; the present one stays as a former one")
	cmd.Flags().BoolVar(&check, "check", false, "print what would change, and change nothing")
	return cmd
}

func rehomeHost(ctx context.Context, out io.Writer, flags map[string]string, check bool) error {
	m, err := openMachine(flags, nil)
	if err != nil {
		return err
	}
	before, _, err := bootstrap.LoadHost(m.host, nil, nil)
	if err != nil {
		return err
	}
	if before.AdminPassword.Empty() || before.Role == bootstrap.RoleAgent {
		return errors.New("this host has no platform; run it on the server. An agent of a server that moved: set server in /etc/slipway/config.yaml to the new address and run \"slipway install\" there")
	}
	domain := m.settings.Domain
	m.settings.Domain = before.Domain
	m.settings.MoveTo(domain)
	if err := m.present(flags["SLIPWAY_NODE_IP"]); err != nil {
		return err
	}
	_, place, err := locate(m.host, m.settings)
	if err != nil {
		return err
	}
	changes := rehomeChanges(before, m.settings, place)
	running := m.running(ctx)
	same := running != nil && running.Address == place.now.Address && running.Domain == m.settings.Domain
	if len(changes) == 0 && same {
		_, err := fmt.Fprintf(out, "Nothing to do: node %s has the address %s, and the platform the domain %s.\n",
			running.Node, place.now.Address, m.settings.Domain)
		return err
	}
	if len(changes) == 0 {
		changes = []string{"the server starts again: it does not yet run with these settings"}
	}
	if err := tellChanges(out, changes, check); err != nil || check {
		return err
	}
	m.settings.ForceRestart = !same
	return m.moveHouse(ctx, out, before.Domain, place)
}

// keepPlace makes an install over an earlier one a move where it is one: the
// domain of before becomes a former one, and an address that went away gives way
// to the one that is there now.
func (m *machine) keepPlace() error {
	before, _, err := bootstrap.LoadHost(m.host, nil, nil)
	if err != nil || before.AdminPassword.Empty() {
		return err
	}
	domain := m.settings.Domain
	m.settings.Domain = before.Domain
	m.settings.MoveTo(domain)
	if m.settings.NodeIP == "" {
		return nil
	}
	_, place, err := locate(m.host, m.settings)
	if err == nil {
		m.settings.NodeIP = place.now.Address
	}
	return err
}

// present refuses an address that is not on this host.
func (m *machine) present(address string) error {
	if address == "" {
		return nil
	}
	have, err := rehome.Interfaces()
	if err != nil || rehome.Has(have, address) {
		return err
	}
	all := rehome.Usable(have, []netip.Prefix{m.settings.ClusterCIDR, m.settings.ServiceCIDR})
	return fmt.Errorf("no interface of this host has the address %s; it has %s. Nothing was changed", address, strings.Join(all, ", "))
}

// rehomeChanges are sentences about what will change.
func rehomeChanges(before, after bootstrap.Settings, place home) (list []string) {
	if was := place.was.Address; was != "" && was != place.now.Address {
		list = append(list,
			fmt.Sprintf("address: %s → %s (%s): Kubernetes' certificates, the node, the name server and the builder's network follow", was, place.now.Address, place.now.Interface),
			fmt.Sprintf("agents: on each, set server in /etc/slipway/config.yaml to https://%s:6443 and run \"slipway install\"", place.now.Address))
	}
	if before.NodeIP != after.NodeIP && place.was.Address == place.now.Address {
		list = append(list, "address: "+after.NodeIP+" is kept as that of the node, whatever the default route says")
	}
	if before.Domain == after.Domain {
		return list
	}
	was, now := before.Domain, after.Domain
	list = append(list,
		fmt.Sprintf("domain: %s → %s: apps are at <app>.%[2]s, the API at drycc.%[2]s", was, now),
		fmt.Sprintf("old names: <app>.%s leads on to the new name; drycc.%[1]s and registry.%[1]s go on answering while DNS leads here", was),
		"other nodes: run \"slipway install\" on each, so that they find images by the new name",
		fmt.Sprintf("certificate: a new one for *.%s", now),
		fmt.Sprintf("users: git remote set-url drycc ssh://git@drycc-builder.%s:%d/<app>.git, drycc login http://drycc.%[1]s, docker login registry.%[1]s", now, after.GitPort()))
	if slices.Contains(before.FormerDomains, now) {
		list = append(list, "domain: "+now+" was the platform's before and is its own again")
	}
	return list
}

func tellChanges(out io.Writer, changes []string, check bool) error {
	for _, c := range changes {
		if _, err := fmt.Fprintln(out, "-", c); err != nil {
			return err
		}
	}
	text := "Apps keep running. The API, git push and deploys are away while the server starts again, half a minute mostly; names change when it is back."
	if check {
		text += "\nNothing was changed; run it without --check."
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// running is what the server that runs says of itself; nil when none does.
func (m *machine) running(ctx context.Context) (found *lifecycle.Report) {
	_ = lifecycle.ReadReports(ctx, socketFile(m.paths), false, func(r lifecycle.Report) bool {
		found = &r
		return true
	})
	return found
}

// moveHouse writes the settings, has the server start with them, and waits
// until it runs at its new place.
func (m *machine) moveHouse(ctx context.Context, out io.Writer, old string, place home) error {
	dir, err := m.keepBefore(ctx, "settings before the platform moved from "+old,
		checkpoint.Item{Name: "settings", Path: m.paths.Etc}, checkpoint.Item{Name: "engine-settings", Path: m.paths.K3sEtc})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, "The settings of before are in", dir); err != nil {
		return err
	}
	w := newWatcher(socketFile(m.paths), m.host, m.service)
	deps := m.installDeps()
	deps.NodeReady = bootstrap.Part{Name: "at the new place", Do: w.place(m.settings.Domain, place.now.Address)}
	deps.Controller = &bootstrap.Part{Name: "controller healthy", Do: m.waitController(w)}
	in := bootstrap.Install{Deps: deps, Progress: m.progress, Clock: time.Now}
	if err := in.Reconfigure(ctx); err != nil {
		return fmt.Errorf("%w\nRun \"slipway rehome\" again to go on; to stay at %s run \"slipway rehome --domain %s\". Log: %s", err, old, old, m.service.Logs())
	}
	_, err = fmt.Fprintf(out, "The platform is at http://drycc.%s, address %s.\n", m.settings.Domain, place.now.Address)
	return err
}

// place waits for a server that runs with a domain and an address and has all
// its parts ready.
func (w *watcher) place(domain, address string) func(ctx context.Context, note func(string)) error {
	return func(ctx context.Context, note func(string)) error {
		ctx, cancel := context.WithTimeout(ctx, linePatience)
		defer cancel()
		for {
			arrived := false
			err := lifecycle.ReadReports(ctx, w.socket, true, func(r lifecycle.Report) bool {
				if r.Domain != domain || r.Address != address {
					note("the server still runs with the old settings")
					return false
				}
				arrived = true
				for _, p := range r.Parts {
					if p.State != lifecycle.Ready {
						arrived = false
						note(p.Name + ": " + p.Message)
					}
				}
				return arrived
			})
			if arrived {
				return nil
			}
			if wait := w.host.Wait(ctx, askEvery); wait != nil {
				return fmt.Errorf("the server with domain %s and address %s: %w", domain, address, errors.Join(wait, err))
			}
		}
	}
}
