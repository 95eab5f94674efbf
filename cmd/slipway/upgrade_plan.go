package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipway-paas/slipway/bootstrap/checkpoint"
	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
	"github.com/slipway-paas/slipway/charts"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/slipway-paas/slipway/platform/store"
)

// upgradePlan is what an upgrade would do; what "slipway upgrade --check -o
// json" prints.
type upgradePlan struct {
	From       upgrade.Version `json:"from"`
	To         upgrade.Version `json:"to"`
	Same       bool            `json:"same"` // the very same file is installed
	Charts     []string        `json:"charts"`
	Migrations []string        `json:"migrations"` // of the controller's database
	Added      []string        `json:"imagesAdded"`
	Removed    []string        `json:"imagesRemoved"`
	Need       int64           `json:"bytesNeeded"`
	Free       int64           `json:"bytesFree"`
	Refused    []string        `json:"refused"` // why it can't be done
	Unwell     []string        `json:"unwell"`  // what is not well now; --force goes on

	executable string
}

// diskMargin stays free beside what an upgrade needs.
const diskMargin = 1 << 30

// planUpgrade looks at what is installed and what this program would change. It
// changes nothing.
func (m *machine) planUpgrade(ctx context.Context) (*upgradePlan, error) {
	own, executable, err := m.ownVersion()
	if err != nil {
		return nil, err
	}
	installed, err := m.installed(ctx)
	if err != nil {
		return nil, err
	}
	p := &upgradePlan{
		From: installed, To: own, Same: installed.SHA256 == own.SHA256, executable: executable,
		Refused: upgrade.Steps(installed, own), Charts: []string{}, Migrations: []string{}, Unwell: []string{},
	}
	if p.Same {
		return p, nil
	}
	if err := m.planHealth(ctx, p); err != nil {
		return nil, err
	}
	if err := m.planImages(ctx, p); err != nil {
		return nil, err
	}
	if err := m.planDisk(p); err != nil {
		return nil, err
	}
	return p, m.planContents(ctx, p)
}

// planHealth looks how the platform and its host are doing.
func (m *machine) planHealth(ctx context.Context, p *upgradePlan) error {
	o, err := lookAround(ctx)
	if err != nil {
		p.Unwell = append(p.Unwell, err.Error())
	} else {
		p.Unwell = append(p.Unwell, o.Problems...)
	}
	checks, err := m.checks(true)
	if err != nil {
		return err
	}
	report, err := doctor.Run(ctx, doctor.Select(checks, doctor.BeforeUpgrade))
	if err != nil {
		return err
	}
	for _, f := range report.Findings {
		if f.Severity == doctor.Error {
			p.Unwell = append(p.Unwell, fmt.Sprintf("%s: %s (found: %s; cure: %s)", f.ID, f.Title, f.Evidence, f.Cure))
		}
	}
	return nil
}

// planContents looks at what runs: its database and its charts. What can't be
// looked at is told, and is no reason to stop --check.
func (m *machine) planContents(ctx context.Context, p *upgradePlan) error {
	location := m.settings.DatabaseURL.Reveal()
	if location == "" {
		location = filepath.Join(m.paths.Controller, "slipway.db")
	}
	pending, err := store.Pending(ctx, location)
	if err != nil {
		p.Refused = append(p.Refused, fmt.Sprintf("the controller's database: %v", err))
	}
	p.Migrations = append(p.Migrations, pending...)
	if len(p.Unwell) > 0 {
		return nil // the cluster may not answer
	}
	if err := m.planServers(ctx, p); err != nil {
		return err
	}
	s, err := newServer()
	if err != nil {
		return err
	}
	changed, err := s.charts.Changed(ctx, charts.List(), s.chartSettings())
	if err != nil {
		p.Unwell = append(p.Unwell, fmt.Sprintf("charts: %v", err))
	}
	p.Charts = append(p.Charts, changed...)
	return nil
}

// planServers refuses a cluster of several servers: the copy of one member's
// datastore can't be brought back into a cluster whose others went on.
func (m *machine) planServers(ctx context.Context, p *upgradePlan) error {
	member := filepath.Join(m.settings.DataDir, "server", "db", "etcd", "member")
	if _, err := m.host.Stat(member); errors.Is(err, fs.ErrNotExist) {
		return nil // SQLite has one server
	} else if err != nil {
		return err
	}
	nodes, err := k3s.OpenFleet(m.paths.Kubeconfig)
	if err != nil {
		return err
	}
	all, err := nodes.List(ctx)
	if err != nil {
		return err
	}
	servers := 0
	for _, n := range all {
		if n.Etcd {
			servers++
		}
	}
	if servers > 1 {
		p.Refused = append(p.Refused, fmt.Sprintf("this cluster has %d servers, and upgrading one of several is not supported: what one server keeps can't be brought back while the others go on", servers))
	}
	return nil
}

func (m *machine) planImages(ctx context.Context, p *upgradePlan) error {
	before, err := m.imagesOf(ctx, m.paths.Binary)
	if err != nil {
		return err
	}
	manifest, err := embedded.Load()
	if err != nil {
		return err
	}
	was, will := imageNames(before), imageNames(manifest.Images)
	p.Added, p.Removed = without(will, was), without(was, will)
	return nil
}

// imageNames tells images apart by reference and content.
func imageNames(images []embedded.Image) []string {
	names := make([]string, 0, len(images))
	for _, i := range images {
		_, digest, _ := strings.Cut(i.Digest, ":")
		names = append(names, i.Ref+" ("+digest[:min(12, len(digest))]+")")
	}
	return names
}

func without(list, other []string) []string {
	left := []string{}
	for _, s := range list {
		if !slices.Contains(other, s) {
			left = append(left, s)
		}
	}
	return left
}

// planDisk looks whether there is room.
func (m *machine) planDisk(p *upgradePlan) (err error) {
	if p.Need, p.Free, err = m.diskFor(p.executable); err == nil && p.Free < p.Need {
		p.Refused = append(p.Refused, errDisk(m.paths.Lib, p.Need, p.Free).Error())
	}
	return err
}

// diskFor adds up what is on the disk at the worst moment: the checkpoint, a
// second copy of the data on the way back, both binaries once more (the
// installed one is replaced through a copy in the ledger), and the payload as
// files and again in containerd.
func (m *machine) diskFor(executable string) (need, free int64, err error) {
	live, err := checkpoint.Need(m.paths.Checkpoints, m.liveItems()...)
	if err != nil {
		return 0, 0, err
	}
	fixed, err := checkpoint.Need(m.paths.Checkpoints, m.fixedItems()...)
	if err != nil {
		return 0, 0, err
	}
	binary, err := m.host.Stat(m.paths.Binary)
	if err != nil {
		return 0, 0, err
	}
	next, err := m.host.Stat(executable)
	if err != nil {
		return 0, 0, err
	}
	manifest, err := embedded.Load()
	if err != nil {
		return 0, 0, err
	}
	var payload int64
	for _, member := range manifest.Members {
		payload += member.Size
	}
	disk, err := m.host.Disk(m.paths.Lib)
	return 2*live + fixed + binary.Size + next.Size + 3*payload + diskMargin, int64(disk.Free), err
}

func errDisk(path string, need, free int64) error {
	return fmt.Errorf("%s has %d MB free, and %d MB are needed: free some", path, free>>20, need>>20)
}

// refusal is why the upgrade is not begun, nil when it may be.
func (p *upgradePlan) refusal(force bool) error {
	var why []string
	why = append(why, p.Refused...)
	if !force && len(p.Unwell) > 0 {
		for _, problem := range p.Unwell {
			why = append(why, "not well now: "+problem)
		}
		why = append(why, `mend that first ("slipway doctor"), or upgrade all the same with --force`)
	}
	if len(why) == 0 {
		return nil
	}
	return errors.New("nothing was changed: the upgrade from " + p.From.Slipway + " to " + p.To.Slipway + " is refused\n  - " + strings.Join(why, "\n  - "))
}

func (m *machine) checkUpgrade(ctx context.Context, out io.Writer, output string) error {
	p, err := m.planUpgrade(ctx)
	if err != nil {
		return err
	}
	if output == "json" {
		err = printJSON(out, p)
	} else {
		err = p.print(out)
	}
	if err == nil && p.refusal(false) != nil {
		err = exitCode(1)
	}
	return err
}

func (p *upgradePlan) print(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Slipway     %s -> %s\nKubernetes  %s -> %s\n", p.From.Slipway, p.To.Slipway, p.From.Kubernetes, p.To.Kubernetes)
	if p.Same {
		b.WriteString("\nThis very file is installed already; nothing to do.\n")
		_, err := io.WriteString(out, b.String())
		return err
	}
	for _, part := range []struct {
		title string
		lines []string
	}{
		{"Charts that change", p.Charts}, {"Database migrations", p.Migrations},
		{"Images added", p.Added}, {"Images removed", p.Removed},
	} {
		fmt.Fprintf(&b, "\n%s: %s\n", part.title, orNone(part.lines))
	}
	fmt.Fprintf(&b, "\nDisk: %d MB needed, %d MB free\n", p.Need>>20, p.Free>>20)
	if err := p.refusal(false); err != nil {
		fmt.Fprintf(&b, "\nRefused, %v\n", err)
	} else {
		b.WriteString("\nNothing is in the way: run it without --check.\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func orNone(lines []string) string {
	if len(lines) == 0 {
		return "none"
	}
	return "\n  " + strings.Join(lines, "\n  ")
}
