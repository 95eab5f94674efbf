package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/join"
	"github.com/slipway-paas/slipway/bootstrap/k3s/etcd"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/spf13/cobra"
)

func newJoinCmd() *cobra.Command {
	o := joinOptions{flags: map[string]string{}}
	var name, ip, manager string
	cmd := &cobra.Command{
		Use:   "join [agent|server] [TOKEN]",
		Short: "Make this host a node of an existing platform",
		Long: `Joins the cluster that made the token ("slipway token create" on a server): gets
the configuration from its server, checks the host, starts Kubernetes and waits
until the cluster sees the node ready. Only the server is asked; no other network
is needed. An agent runs apps; a server runs the control plane too.

The token may also come from K3S_TOKEN (or the file K3S_TOKEN_FILE), with the
server's address in K3S_URL.

Every change to the host is written down with its inverse before it is made: run
it again after an interruption and it goes on; "slipway uninstall" takes
everything back.`,
		Args: func(c *cobra.Command, args []string) error { return o.arguments(c, args) },
		RunE: func(c *cobra.Command, _ []string) error {
			for setting, value := range map[string]string{"K3S_NODE_NAME": name, "SLIPWAY_NODE_IP": ip, "SLIPWAY_SERVICE_MANAGER": manager} {
				if value != "" {
					o.flags[setting] = value
				}
			}
			return joinCluster(c.Context(), c.OutOrStdout(), o)
		},
	}
	cmd.Flags().StringVar(&name, "node-name", "", "name of this node (default: the host's name)")
	cmd.Flags().StringVar(&ip, "node-ip", "", "address of this node (default: that of the default route)")
	cmd.Flags().StringVar(&manager, "service-manager", "", "systemd, openrc or none (default: what the host has)")
	cmd.Flags().Bool("yes", false, "ask nothing; accepted for scripts, join never asks")
	return cmd
}

// joinOptions are what was asked for on the command line.
type joinOptions struct {
	role  join.Role // "" is an agent
	token string    // "" comes from the environment, or from an earlier join
	flags map[string]string
}

func (o *joinOptions) arguments(c *cobra.Command, args []string) error {
	if len(args) > 0 && (args[0] == string(join.Agent) || args[0] == string(join.Server)) {
		o.role, args = join.Role(args[0]), args[1:]
	}
	if len(args) > 0 {
		o.token, args = args[0], args[1:]
	}
	if len(args) > 0 {
		return usageError{command: subcommand(c), err: errors.New("too many arguments: give one token, with agent or server before it")}
	}
	return nil
}

// joinCluster makes this host a node.
func joinCluster(ctx context.Context, out io.Writer, o joinOptions) error {
	if !embedded.Available() {
		return embedded.ErrNoPayload
	}
	given, err := o.settings(os.Environ())
	if err != nil {
		return err
	}
	m, err := openMachine(given, os.Environ())
	if err != nil {
		return err
	}
	if err := o.fits(m.settings); err != nil {
		return err
	}
	client, err := dialCluster(ctx, m.settings)
	if err != nil {
		return err
	}
	offer, err := m.askCluster(ctx, client)
	if err != nil {
		return err
	}
	if m, err = m.adopt(offer, given); err != nil {
		return err
	}
	if err := m.join(ctx, client); err != nil {
		return fmt.Errorf("%w\nRun \"slipway join\" again to go on, \"slipway doctor\" to look for the cause, \"slipway uninstall\" to take everything back. Log: %s", err, m.service.Logs())
	}
	_, err = fmt.Fprintf(out, "\nThis host is %s of the platform %s now. \"slipway status\" says how it is doing; on a server, \"slipway node list\" shows all nodes.\n",
		article(join.Role(m.settings.Role)), m.settings.Domain)
	return err
}

// settings are the flags that stand for the arguments. What is not given comes
// from the environment or from an earlier, unfinished join.
func (o joinOptions) settings(environ []string) (map[string]string, error) {
	given := maps.Clone(o.flags)
	if given == nil {
		given = map[string]string{}
	}
	if o.role != "" {
		given["INSTALL_ROLE"] = string(o.role)
	}
	env := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	text := o.token
	if text == "" {
		text = env["K3S_TOKEN"]
	}
	if file := env["K3S_TOKEN_FILE"]; text == "" && file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("K3S_TOKEN_FILE: %w", err)
		}
		text = string(data)
	}
	if text == "" {
		return given, nil
	}
	token, err := join.ParseToken(text)
	if err != nil {
		return nil, err
	}
	given["K3S_TOKEN"] = token.K3s()
	if token.Server != "" && (o.token != "" || env["K3S_URL"] == "") {
		given["K3S_URL"] = token.Server
	}
	return given, nil
}

// fits refuses to make something else of a node than it is.
func (o joinOptions) fits(asked bootstrap.Settings) error {
	if asked.JoinURL == "" {
		return errors.New("the token holds no address: set K3S_URL=https://<address of a server>:6443 too, " +
			"or use the whole token that \"slipway token create\" printed")
	}
	before, err := openMachine(nil, nil)
	if err != nil {
		return err
	}
	if _, err := before.host.Stat(before.paths.Config); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	switch is := before.settings; {
	case is.JoinURL == "":
		return errors.New("this host is a platform of its own, with its own apps and data: \"slipway uninstall\" removes it, then join")
	case is.Role != asked.Role:
		return fmt.Errorf("this host has joined as %s: \"slipway uninstall\" it here and \"slipway node remove\" it on a server, then join as %s",
			article(join.Role(is.Role)), article(join.Role(asked.Role)))
	}
	return nil
}

// dialCluster finds the server and makes sure that it is the token's. A node
// that has joined before is also known by its certificate.
func dialCluster(ctx context.Context, s bootstrap.Settings) (*join.Client, error) {
	token, err := join.ParseToken(s.JoinToken.Reveal())
	if err != nil {
		return nil, err
	}
	o := join.ClientOptions{Server: s.JoinURL, Token: token}
	own := filepath.Join(s.DataDir, "agent", "client-kubelet.")
	if pair, err := tls.LoadX509KeyPair(own+"crt", own+"key"); err == nil {
		o.Cert = &pair
	}
	return join.Dial(ctx, o)
}

// askCluster gets the offer and checks that this program fits it.
func (m *machine) askCluster(ctx context.Context, client *join.Client) (join.Offer, error) {
	s := m.settings
	name, err := nodeName(m.host, s)
	if err != nil {
		return join.Offer{}, err
	}
	offer, err := client.Offer(ctx, join.Request{Role: join.Role(s.Role), Name: name, Arch: runtime.GOARCH})
	var refusal *join.Refusal
	if errors.As(err, &refusal) {
		return offer, fmt.Errorf("%s does not let this host in (nothing was changed): %w", s.JoinURL, err)
	}
	if err != nil {
		return offer, err
	}
	if offer.Version != version {
		return offer, fmt.Errorf("this program is %s, the cluster runs %s (nothing was changed): get the cluster's program with install.sh "+
			"(it asks the server in K3S_URL), or upgrade the cluster first", version, offer.Version)
	}
	return offer, nil
}

// adopt opens the machine anew with what the cluster says. What was given for
// this host alone stays.
func (m *machine) adopt(offer join.Offer, given map[string]string) (*machine, error) {
	flags := maps.Clone(offer.Settings)
	maps.Copy(flags, given)
	flags["INSTALL_ROLE"] = string(m.settings.Role)
	if offer.Token != "" {
		flags["K3S_TOKEN"] = offer.Token
	}
	adopted, err := openMachine(flags, os.Environ())
	if err != nil {
		return nil, fmt.Errorf("settings of the cluster: %w", err)
	}
	adopted.offer = &offer
	return adopted, nil
}

// join carries out the plan.
func (m *machine) join(ctx context.Context, client *join.Client) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	deps := m.joinDeps(executable, newWatcher(socketFile(m.paths), m.host, m.service))
	if m.settings.Role == bootstrap.RoleServer {
		deps.Cluster = &bootstrap.Part{
			Name: "datastore of the cluster",
			Done: func(context.Context) (bool, error) { return severalServers(*m.offer), nil },
			Do:   func(ctx context.Context, note func(string)) error { return m.convert(ctx, client, note) },
		}
	}
	return bootstrap.Install{Deps: deps, Progress: m.progress, Clock: time.Now, Preflight: m.preflight}.Run(ctx)
}

// joinDeps are those of a plan that makes this host a node.
func (m *machine) joinDeps(executable string, w *watcher) bootstrap.InstallDeps {
	return bootstrap.InstallDeps{
		Host: m.host, Service: m.service, Settings: m.settings, Executable: executable,
		Stage:       bootstrap.Part{Name: "stage", Do: m.stage},
		EngineFiles: m.engineFiles,
		NodeReady:   bootstrap.Part{Name: "node ready", Do: w.line(lineKubernetes)},
	}
}

// joinToken is what k3s joins with; empty on the first server, whose k3s makes
// one itself.
func (m *machine) joinToken() string {
	if m.settings.JoinURL == "" {
		return ""
	}
	return m.settings.JoinToken.Reveal()
}

// severalServers reports whether the datastore is one that servers share.
func severalServers(o join.Offer) bool {
	return o.Datastore == string(etcd.Etcd) || o.Datastore == string(etcd.External)
}

// convertPatience is how long a server may take to turn its datastore into etcd
// and come back.
const convertPatience = 10 * time.Minute

// convert has the server turn its datastore into etcd, for which it restarts.
// Apps go on meanwhile.
func (m *machine) convert(ctx context.Context, client *join.Client, note func(string)) error {
	ctx, cancel := context.WithTimeout(ctx, convertPatience)
	defer cancel()
	if err := client.Convert(ctx); err != nil {
		return err
	}
	request := join.Request{Role: join.Server, Arch: runtime.GOARCH}
	for {
		offer, err := client.Offer(ctx, request)
		switch {
		case err == nil && severalServers(offer):
			return nil
		case err == nil && offer.Datastore == string(etcd.SQLite) && offer.DatastoreProblem != "":
			return fmt.Errorf("the server could not turn its datastore into etcd and goes on with SQLite: %s", offer.DatastoreProblem)
		case err == nil:
			note("the server is turning its datastore into etcd")
		default:
			note("waiting for the server to come back: " + err.Error())
		}
		if wait := m.host.Wait(ctx, 2*time.Second); wait != nil {
			return fmt.Errorf("the server's datastore has not become etcd: %w; look with \"slipway status\" there", errors.Join(wait, err))
		}
	}
}
