package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/checkup"
	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/preflight"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/spf13/cobra"
)

// doctorFlags are the options of "slipway doctor".
type doctorFlags struct {
	fix, yes, list bool
	output         string
	only           []string
}

func newDoctorCmd() *cobra.Command {
	var flags doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find what is wrong with this host or the platform on it, and mend it",
		Long: `Runs the checks that fit this host: before an install whether it can carry the
platform, afterwards how platform and host are doing. Each problem is shown with
its evidence, its reason and its cure. Exits with 0 when none is an error.

With --fix, what can be mended safely is mended: each change is told first and
asked about unless --yes is given. Changes to the host are written down with
their inverse, and "slipway uninstall" takes them back.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkOutput(c, flags.output); err != nil {
				return err
			}
			return runDoctor(c, flags)
		},
	}
	cmd.Flags().BoolVar(&flags.fix, "fix", false, "mend what can be mended safely")
	cmd.Flags().BoolVar(&flags.yes, "yes", false, "with --fix: do not ask before each change")
	cmd.Flags().BoolVar(&flags.list, "list", false, "list the checks and when each is asked")
	cmd.Flags().StringSliceVar(&flags.only, "check", nil, "run only this check; may be given several times")
	cmd.Flags().StringVarP(&flags.output, "output", "o", "text", "text or json")
	cmd.AddCommand(newDoctorTLSCmd())
	return cmd
}

func runDoctor(c *cobra.Command, flags doctorFlags) error {
	m, err := openMachine(nil, os.Environ())
	if err != nil {
		return err
	}
	clinic, err := m.openClinic()
	if err != nil {
		return err
	}
	if flags.list {
		return listChecks(c.OutOrStdout(), clinic.all(), flags.output == "json")
	}
	if err := clinic.choose(c, flags.only); err != nil {
		return err
	}
	report, err := clinic.examine(c.Context())
	if err != nil {
		return err
	}
	if flags.fix && len(report.Fixable()) > 0 {
		if err := clinic.mend(c, report, flags.yes); err != nil {
			return err
		}
		if report, err = clinic.examine(c.Context()); err != nil {
			return err
		}
	}
	return clinic.tell(c.OutOrStdout(), report, flags.output == "json")
}

// clinic is the doctor at work on this host.
type clinic struct {
	m      *machine
	scope  doctor.Scope
	checks []doctor.Check // asked here
	remote []doctor.Check // asked by the running server; of another scope: none
}

func (m *machine) openClinic() (*clinic, error) {
	ledger, err := bootstrap.OpenLedger(m.host, m.paths.Ledger, time.Now)
	if err != nil {
		return nil, err
	}
	k := &clinic{m: m, scope: doctor.BeforeInstall, remote: (&server{}).platformChecks()}
	if ledger.Installed() {
		k.scope = doctor.RunningServer
		if m.settings.Role == bootstrap.RoleAgent {
			k.scope = doctor.RunningAgent
		}
	}
	k.checks, err = m.checks(ledger.Installed())
	return k, err
}

// all are the checks of every scope.
func (k *clinic) all() []doctor.Check { return append(slices.Clip(k.checks), k.remote...) }

// choose keeps the checks of the scope, or those that are named.
func (k *clinic) choose(c *cobra.Command, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(k.all(), func(check doctor.Check) bool { return check.ID == name }) {
			return usageError{command: subcommand(c), err: fmt.Errorf("no check %q: \"slipway doctor --list\" names them", name)}
		}
	}
	for _, list := range []*[]doctor.Check{&k.checks, &k.remote} {
		*list = slices.DeleteFunc(doctor.Select(*list, k.scope), func(check doctor.Check) bool {
			return len(names) > 0 && !slices.Contains(names, check.ID)
		})
	}
	return nil
}

// checks are all entries of the registry that this process can ask.
func (m *machine) checks(own bool) ([]doctor.Check, error) {
	all, err := preflight.Checks(m.host, m.preflightOptions(own))
	if err != nil {
		return nil, err
	}
	all = append(all, checkup.Checks(m.host, m.checkupOptions())...)
	all = append(all, m.backupChecks()...)
	return append(all, m.homeChecks()...), nil
}

func (m *machine) checkupOptions() checkup.Options {
	ports := []int{80, 443, m.settings.GitPort(), apiPort}
	for _, p := range m.settings.GatewayPorts {
		ports = append(ports, p.Port)
	}
	if m.settings.Role == bootstrap.RoleAgent {
		ports = []int{80, 443}
	}
	return checkup.Options{
		DataDir: m.settings.DataDir, CA: m.paths.CA, Controller: m.paths.Controller, Bin: m.paths.Bin, ResolvConf: m.settings.ResolvConf,
		ClusterCIDR: m.settings.ClusterCIDR, ServiceCIDR: m.settings.ServiceCIDR, Ports: ports,
		Service: m.service, Enable: !m.settings.SkipEnable, Images: carriedImages(),
		InServer: m.inServer,
	}
}

// carriedImages are the references of the images in this file; a program
// without payload has none.
func carriedImages() []string {
	manifest, err := embedded.Load()
	if err != nil {
		return nil
	}
	var refs []string
	for _, i := range manifest.Images {
		refs = append(refs, i.Ref)
	}
	return refs
}

// apiPort is that of the Kubernetes API.
const apiPort = 6443

// examine runs the chosen checks, here and in the running server.
func (k *clinic) examine(ctx context.Context) (doctor.Report, error) {
	report, err := doctor.Run(ctx, k.checks)
	if err != nil {
		return report, err
	}
	if len(k.remote) > 0 {
		theirs, err := askServer(ctx, k.m.paths)
		if err != nil {
			theirs = doctor.Report{Findings: []doctor.Finding{{ID: "server", Severity: doctor.Warning, Title: "the running server could not be asked",
				Evidence: err.Error(), Reason: "nodes, gateway, registry and certificates of apps were not looked at", Cure: "look at its log: " + k.m.service.Logs()}}}
		}
		report.Add(theirs.Only(k.remote))
	}
	for i, f := range report.Findings {
		if f.Fix != nil && f.Fix.Server {
			report.Findings[i].Fix.Do = func(ctx context.Context, _ doctor.Changer) error {
				return lifecycle.Tell(ctx, socketFile(k.m.paths), "/doctor/fix?"+url.Values{"check": {f.ID}}.Encode())
			}
		}
	}
	return report, nil
}

func (k *clinic) tell(out io.Writer, report doctor.Report, asJSON bool) error {
	if asJSON {
		if err := printJSON(out, report); err != nil {
			return err
		}
	} else if err := report.Write(out); err != nil {
		return err
	}
	if report.Err() != nil {
		return exitCode(1)
	}
	if asJSON {
		return nil
	}
	well := "This host can run the platform."
	if k.scope&doctor.Running != 0 {
		well = "No check found an error."
	}
	_, err := fmt.Fprintf(out, "%d checks. %s\n", report.Checks, well)
	return err
}

// mend carries out the fixes that the operator agrees to.
func (k *clinic) mend(c *cobra.Command, report doctor.Report, yes bool) error {
	var steps []bootstrap.Step
	for i, f := range report.Fixable() {
		fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n  this will %s\n", f.ID, f.Title, f.Fix.Change)
		agreed, err := agree(c.ErrOrStderr(), c.InOrStdin(), yes)
		if err != nil {
			return err
		}
		if agreed {
			steps = append(steps, k.step(f, i+1))
		}
	}
	if len(steps) == 0 {
		return nil
	}
	r := bootstrap.Repair{Host: k.m.host, Service: k.m.service, Settings: k.m.settings, Progress: k.m.progress, Clock: time.Now}
	if err := r.Run(c.Context(), steps); err != nil {
		return fmt.Errorf("%w\nWhat failed was taken back; what is listed as done stays. Log: %s", err, k.m.service.Logs())
	}
	return nil
}

// step makes a fix a step of a plan; several findings of one check are several
// steps.
func (k *clinic) step(f doctor.Finding, n int) bootstrap.Step {
	return bootstrap.Step{Name: fmt.Sprintf("doctor %s %d", f.ID, n), Do: func(ctx context.Context, j *bootstrap.Journal) error {
		if f.Fix.Do == nil {
			return errors.New("this fix cannot be carried out from here")
		}
		return f.Fix.Do(ctx, j)
	}}
}

// agree asks for one change. Nobody to ask is a no, told as an error.
func agree(out io.Writer, in io.Reader, yes bool) (bool, error) {
	if yes {
		return true, nil
	}
	fmt.Fprint(out, "  do it? [y/N] ")
	var answer string
	if _, err := fmt.Fscanln(in, &answer); err != nil && answer == "" {
		if errors.Is(err, io.EOF) {
			return false, errors.New("nobody answers; nothing was changed: give --yes to mend without questions")
		}
		return false, nil // an empty line
	}
	answer = strings.ToLower(answer)
	return answer == "y" || answer == "yes", nil
}

func listChecks(out io.Writer, checks []doctor.Check, asJSON bool) error {
	type row struct {
		ID     string `json:"id"`
		Title  string `json:"title"`
		Scopes string `json:"scopes"`
	}
	var rows []row
	for _, c := range checks {
		rows = append(rows, row{c.ID, c.Title, c.Scope.String()})
	}
	if asJSON {
		return printJSON(out, rows)
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "CHECK\tLOOKS AT\tASKED")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.ID, r.Title, r.Scopes)
	}
	return w.Flush()
}
