// Package doctor is the registry of checks: what is looked at, what was found,
// why it matters, what cures it and, where that can be done safely, a fix. The
// checks themselves are lists made by others: bootstrap/preflight looks at a
// host before anything on it is changed, bootstrap/checkup at one that the
// platform runs on, cmd/slipway at the platform itself. Installing, joining,
// upgrading, the running server, "slipway doctor" and the support bundle run
// what is meant for them.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Scope says when a check is asked; scopes add up with |.
type Scope uint8

// The scopes.
const (
	BeforeInstall    Scope = 1 << iota // of a first server
	BeforeJoinServer                   // of a further server
	BeforeJoinAgent                    // of an agent
	BeforeUpgrade                      // the gate: an error keeps the upgrade from starting
	RunningServer
	RunningAgent

	BeforeJoin = BeforeJoinServer | BeforeJoinAgent
	Before     = BeforeInstall | BeforeJoin // nothing of ours is on the host yet
	Running    = RunningServer | RunningAgent
	Always     = Before | BeforeUpgrade | Running
)

// String names the scopes, with commas between.
func (s Scope) String() string {
	var names []string
	for _, n := range []struct {
		scope Scope
		name  string
	}{{BeforeInstall, "install"}, {BeforeJoinServer, "join-server"}, {BeforeJoinAgent, "join-agent"}, {BeforeUpgrade, "upgrade"},
		{RunningServer, "server"}, {RunningAgent, "agent"}} {
		if s&n.scope != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ",")
}

// Severity says how much a finding weighs.
type Severity string

// The severities. Only an error keeps an install, a join or an upgrade from
// going on, and only an error makes "slipway doctor" exit with 1.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Finding is what a check has to say.
type Finding struct {
	ID       string   `json:"id"` // of the check; Run fills it in
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`    // what is wrong
	Evidence string   `json:"evidence"` // what was found; never a secret
	Reason   string   `json:"reason"`   // why it matters
	Cure     string   `json:"cure"`     // what to do by hand; "" when nothing has to be done
	Fix      *Fix     `json:"fix,omitempty"`
}

// Fix is a cure that can be carried out without thinking: it loses nothing,
// and what it changes on the host is taken back by an uninstall.
type Fix struct {
	// Change completes "this will …": "write /etc/sysctl.d/… with …".
	Change string `json:"change"`
	// Server says that the running server has to do it, since what is changed
	// is in its hands.
	Server bool `json:"server,omitempty"`
	// Do makes the change. It is nil in a finding that came over a socket.
	Do func(ctx context.Context, c Changer) error `json:"-"`
}

// Changer changes the host and records each change with its inverse first; the
// journal of a bootstrap step is one.
type Changer interface {
	WriteFile(path string, data []byte, perm fs.FileMode) error
	Sysctl(key, value string) error
	OpenFirewall(ctx context.Context, o host.Opening) error
	Note(text string)
}

// Check is one entry of the registry.
type Check struct {
	ID    string // stable: people write it in scripts and runbooks
	Title string // what is looked at: "disk space"
	Scope Scope  // when it is asked
	// Costly keeps it out of the running server's own rounds: it takes
	// seconds, or looks at every image.
	Costly bool
	Look   func(ctx context.Context) ([]Finding, error)
}

// Entry is a check that looks at an E: what is known of a host, or how to ask it.
type Entry[E any] struct {
	ID, Title string
	Scope     Scope
	Costly    bool
	Look      func(ctx context.Context, e E) ([]Finding, error)
}

// Checks makes checks of entries, which all look at e.
func Checks[E any](e E, list []Entry[E]) []Check {
	var all []Check
	for _, c := range list {
		all = append(all, Check{ID: c.ID, Title: c.Title, Scope: c.Scope, Costly: c.Costly, Look: func(ctx context.Context) ([]Finding, error) {
			return c.Look(ctx, e)
		}})
	}
	return all
}

// One is what a check says that has found one thing.
func One(f Finding) ([]Finding, error) { return []Finding{f}, nil }

// Size writes bytes for people.
func Size(n uint64) string {
	if n < 1<<30 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// Select returns the checks of a scope.
func Select(checks []Check, s Scope) []Check {
	var chosen []Check
	for _, c := range checks {
		if c.Scope&s != 0 {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// Report is what the checks found.
type Report struct {
	Checks   int       `json:"checks"` // how many ran
	Findings []Finding `json:"findings"`
}

// lookTime bounds one check, so that a disk or a name server that does not
// answer is a finding rather than a hang.
const lookTime = 30 * time.Second

// Run runs the checks one after the other. A check that cannot look is a
// finding, not an error; the error says that ctx ended.
func Run(ctx context.Context, checks []Check) (Report, error) {
	r := Report{Findings: []Finding{}}
	for _, c := range checks {
		found, err := look(ctx, c)
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if err != nil {
			found = append(found, Finding{Severity: Warning, Title: c.Title + " could not be looked at", Evidence: err.Error(),
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

func look(ctx context.Context, c Check) ([]Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	return c.Look(ctx)
}

// Add joins another report to this one.
func (r *Report) Add(other Report) {
	r.Checks += other.Checks
	r.Findings = append(r.Findings, other.Findings...)
}

// Only returns what concerns the given checks, and what concerns none.
func (r Report) Only(checks []Check) Report {
	kept := Report{Checks: r.Checks}
	if r.Checks > 0 {
		kept.Checks = len(checks)
	}
	for _, f := range r.Findings {
		if f.ID == "server" || slices.ContainsFunc(checks, func(c Check) bool { return c.ID == f.ID }) {
			kept.Findings = append(kept.Findings, f)
		}
	}
	return kept
}

// Fixable returns the findings that have a fix.
func (r Report) Fixable() []Finding {
	var list []Finding
	for _, f := range r.Findings {
		if f.Fix != nil {
			list = append(list, f)
		}
	}
	return list
}

// ErrFailed says that at least one finding is an error.
var ErrFailed = errors.New("the host is not ready")

// Err is nil when no finding is an error; otherwise it is ErrFailed with the
// titles. Checks change nothing, which it says.
func (r Report) Err() error {
	var titles []string
	for _, f := range r.Findings {
		if f.Severity == Error {
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
	for _, s := range []Severity{Error, Warning, Note} {
		for _, f := range r.Findings {
			if f.Severity == s {
				f.write(&b)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f Finding) write(b *strings.Builder) {
	fix := ""
	if f.Fix != nil {
		fix = "slipway doctor --fix will " + f.Fix.Change
	}
	fmt.Fprintf(b, "%-8s %s: %s\n", f.Severity, f.ID, f.Title)
	for _, line := range []struct{ label, text string }{{"found", f.Evidence}, {"why", f.Reason}, {"cure", f.Cure}, {"fix", fix}} {
		if line.text != "" {
			fmt.Fprintf(b, "           %-6s %s\n", line.label, line.text)
		}
	}
}
