// Package preflight looks whether a host can carry the platform before anything
// on it is changed. Each check is one entry of a registry; all of them run, and
// every problem is reported at once with what was found, why it matters and
// what cures it. The same registry serves the doctor.
package preflight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Level says how much a finding weighs.
type Level string

// The levels. Only an error keeps an install from going on.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
	LevelNote    Level = "note"
)

// Finding is what a check has to say about a host.
type Finding struct {
	ID       string `json:"id"` // of the check
	Level    Level  `json:"level"`
	Title    string `json:"title"`    // what is wrong
	Evidence string `json:"evidence"` // what was found
	Reason   string `json:"reason"`   // why it matters
	Cure     string `json:"cure"`     // what to do
}

// Options are what the checks compare the host with.
type Options struct {
	Domain      string
	DataDir     string // of k3s
	Binary      string // where slipway is, or will be, installed
	Bin         string // folder of the carried programs
	ResolvConf  string // that pods will inherit, "" is the host's
	NodeName    string // "" is the host name
	ClusterCIDR netip.Prefix
	ServiceCIDR netip.Prefix
	Ports       []Port
	BuildTime   time.Time // of the binary; zero when unknown
	// Own says that slipway is installed here already, so that its own ports,
	// processes and folders are no obstacle.
	Own bool
}

// Port is a TCP port that the platform needs.
type Port struct {
	Number int
	Use    string // completes "… listens there": "the gateway (HTTP)"
}

// ServerPorts are the ports of a server; git is that of git push.
func ServerPorts(git int) []Port {
	return []Port{
		{80, "the gateway (HTTP)"}, {443, "the gateway (HTTPS)"}, {git, "git push over SSH"},
		{6443, "the Kubernetes API"}, {9580, "the controller"}, {9581, "the gateway's metrics"}, {9582, "the node's metrics"}, {10250, "the kubelet"},
	}
}

// AgentPorts are the ports of an agent.
func AgentPorts() []Port { return []Port{{10250, "the kubelet"}} }

// Check is one entry of the registry.
type Check struct {
	ID    string
	Title string // what is looked at
	run   func(ctx context.Context, e *env) ([]Finding, error)
}

// env is what checks look at, gathered once.
type env struct {
	host  host.Host
	facts host.Facts
	opts  Options
}

// Checks returns the registry, in the order of the report.
func Checks() []Check {
	return []Check{
		{"root", "user", checkRoot},
		{"system", "operating system and architecture", checkSystem},
		{"kernel", "kernel features", checkKernel},
		{"capabilities", "capabilities of root", checkCapabilities},
		{"cgroups", "control groups", checkCgroups},
		{"memory", "memory", checkMemory},
		{"disk", "disk space", checkDisk},
		{"inodes", "inodes", checkInodes},
		{"filesystem", "file system of the data folder", checkFilesystem},
		{"ports", "TCP ports", checkPorts},
		{"networks", "networks of pods and services", checkNetworks},
		{"time", "clock", checkTime},
		{"kubernetes", "other Kubernetes", checkKubernetes},
		{"domain", "platform domain and DNS search domains", checkDomain},
		{"hostname", "name of the node", checkHostname},
		{"swap", "swap", checkSwap},
		{"container", "container", checkContainer},
	}
}

// Report is what all checks found.
type Report struct {
	Checks   int       `json:"checks"` // how many ran
	Findings []Finding `json:"findings"`
}

// Run runs all checks. A check that cannot look is a finding, not an error; the
// error says that the host cannot be described at all.
func Run(ctx context.Context, h host.Host, o Options) (Report, error) {
	facts, err := h.Facts()
	if err != nil {
		return Report{}, fmt.Errorf("preflight: %w", err)
	}
	e := &env{host: h, facts: facts, opts: o}
	var r Report
	for _, c := range Checks() {
		found, err := c.run(ctx, e)
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if err != nil {
			found = append(found, Finding{Level: LevelWarning, Title: c.Title + " could not be looked at", Evidence: err.Error(),
				Reason: "a problem there would only show later", Cure: "run as root on the host itself, or go on if you know it is all right"})
		}
		for _, f := range found {
			f.ID = c.ID
			r.Findings = append(r.Findings, f)
		}
		r.Checks++
	}
	return r, nil
}

// ErrFailed says that the host cannot carry the platform.
var ErrFailed = errors.New("the host is not ready")

// Err is nil when no finding is an error; otherwise it is ErrFailed with the
// titles.
func (r Report) Err() error {
	var titles []string
	for _, f := range r.Findings {
		if f.Level == LevelError {
			titles = append(titles, f.Title)
		}
	}
	if len(titles) == 0 {
		return nil
	}
	return fmt.Errorf("%w (nothing was changed): %s", ErrFailed, strings.Join(titles, "; "))
}

// Write shows the findings, errors first; nothing when there are none.
func (r Report) Write(w io.Writer) error {
	var b strings.Builder
	for _, level := range []Level{LevelError, LevelWarning, LevelNote} {
		for _, f := range r.Findings {
			if f.Level == level {
				fmt.Fprintf(&b, "%-8s %s: %s\n", f.Level, f.ID, f.Title)
				for _, line := range []struct{ label, text string }{{"found", f.Evidence}, {"why", f.Reason}, {"cure", f.Cure}} {
					if line.text != "" {
						fmt.Fprintf(&b, "           %-6s %s\n", line.label, line.text)
					}
				}
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
