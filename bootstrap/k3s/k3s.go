// Package k3s runs k3s inside this process: as server or agent, and as the
// programs k3s starts as children of its own (containerd, kubectl, crictl,
// ctr). It is the only package that imports the k3s module.
//
// k3s keeps its options in globals and takes over SIGINT and SIGTERM, so one
// process runs one k3s, once.
package k3s

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/k3s-io/k3s/pkg/cli/agent"
	"github.com/k3s-io/k3s/pkg/cli/cmds"
	"github.com/k3s-io/k3s/pkg/cli/server"
	"github.com/k3s-io/k3s/pkg/configfilearg"
	"github.com/k3s-io/k3s/pkg/containerd"
	"github.com/k3s-io/k3s/pkg/ctr"
	_ "github.com/k3s-io/k3s/pkg/executor/embed" // the executor that runs Kubernetes in this process
	"github.com/k3s-io/k3s/pkg/kubectl"
	"github.com/k3s-io/k3s/pkg/signals"
	"github.com/k3s-io/k3s/pkg/util"
	"github.com/k3s-io/k3s/pkg/version"
	"github.com/urfave/cli/v2"
	crictl "sigs.k8s.io/cri-tools/cmd/crictl"
)

// Role is what this node does in the cluster.
type Role string

// The roles. A server does an agent's work too.
const (
	Server Role = "server"
	Agent  Role = "agent"
)

// Programs returns the main functions of the programs this binary is under
// another name. They read os.Args and exit the process themselves.
func Programs() map[string]func() {
	return map[string]func(){
		"containerd": containerd.Main,
		"kubectl":    kubectl.Main,
		"crictl":     crictl.Main,
		"ctr":        ctr.Main,
	}
}

// Version is the k3s version linked in, as "v1.35.1+k3s1".
func Version() string { return version.Version }

// Run runs k3s until ctx ends or k3s gives up, and returns when every part of
// it has stopped. Options come from the k3s config file (K3S_CONFIG_FILE or
// /etc/rancher/k3s/config.yaml) and the K3S_* environment, then from args.
// It returns nil when ctx ended it, an error when k3s stopped by itself.
func Run(ctx context.Context, role Role, args ...string) error {
	// k3s refuses to start unless it was told the Go version it is built with.
	version.UpstreamGolang, _, _ = strings.Cut(runtime.Version(), " ")

	app := cmds.NewApp()
	app.DisableSliceFlagSeparator = true
	// urfave exits the process on some errors unless told what to do with them.
	app.ExitErrHandler = func(*cli.Context, error) {}
	app.Commands = []*cli.Command{
		cmds.NewServerCommand(server.Run),
		cmds.NewAgentCommand(agent.Run),
	}
	argv := configfilearg.MustParse(append([]string{"k3s", string(role)}, args...))

	running := make(chan struct{})
	defer close(running)
	go func() {
		select {
		case <-ctx.Done():
			requestShutdown(running)
		case <-running:
		}
	}()
	err := app.RunContext(context.WithoutCancel(ctx), argv)
	if ended(ctx) {
		return nil
	}
	if err == nil || errors.Is(err, context.Canceled) {
		return errors.New("k3s: stopped by itself; the log above says why")
	}
	return fmt.Errorf("k3s: %w", err)
}

// ended reports whether ctx ended, or is about to: a signal that stops k3s
// ends the caller's context too, but not at the same instant.
func ended(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	case <-time.After(time.Second):
		return false
	}
}

// requestShutdown asks k3s to stop. k3s listens only after its start-up has
// come far enough, so the request is repeated until it is heard.
func requestShutdown(running <-chan struct{}) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !signals.RequestShutdown(nil) {
		select {
		case <-tick.C:
		case <-running:
			return
		}
	}
}

// PrependPath puts dir first on this process's PATH and aux last: k3s finds
// its node binaries there, and the host's iptables wins over the carried one.
func PrependPath(dir, aux string) error {
	path := os.Getenv("PATH")
	if path == "" {
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	return os.Setenv("PATH", dir+":"+path+":"+aux)
}

// NodeIdentity is the name and address that k3s gives this node when the
// settings leave them open: the host's name, and the address of the interface
// with the default route.
func NodeIdentity(name, address string) (string, string, error) {
	var given []string
	if address != "" {
		given = []string{address}
	}
	name, ips, err := util.GetHostnameAndIPs(name, given)
	if err != nil {
		return "", "", fmt.Errorf("address of this node: %w; set NODE_IP to the one others reach it by", err)
	}
	return name, ips[0].String(), nil
}
