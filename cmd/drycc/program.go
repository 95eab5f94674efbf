package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

// program is one run of drycc.
type program struct {
	in       *os.File
	out, err io.Writer
	env      func(string) string
	config   string // -c
	root     *cobra.Command
	warned   atomic.Bool
}

func newProgram(in *os.File, out, err io.Writer, env func(string) string) *program {
	p := &program{in: in, out: out, err: err, env: env}
	p.root = p.tree()
	return p
}

// tree is all commands.
func (p *program) tree() *cobra.Command {
	root := &cobra.Command{
		Use:   "drycc",
		Short: "The Drycc command-line client issues API calls to a Drycc controller.",
		Long: `The Drycc command-line client issues API calls to a Drycc controller.

A command is written with a space or with a colon: "drycc config set" and
"drycc config:set" are the same. An unknown command x runs the program drycc-x.`,
		SilenceErrors: true, SilenceUsage: true, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if show, err := cmd.Flags().GetBool("version"); err == nil && show {
				fmt.Fprintln(p.out, version)
				return nil
			}
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.PersistentFlags().StringVarP(&p.config, "config", "c", "", `Path to configuration file. (default "~/.drycc/client.json")`)
	root.PersistentFlags().BoolP("help", "h", false, "Display help information")
	root.Flags().BoolP("version", "v", false, "Display client version")
	root.AddGroup(&cobra.Group{ID: "auth", Title: "Auth commands:"},
		&cobra.Group{ID: "sub", Title: "Subcommands, use `drycc help [subcommand]` to learn more:"},
		&cobra.Group{ID: "short", Title: "Shortcuts:"})
	root.SetHelpCommandGroupID("sub")
	root.SetCompletionCommandGroupID("sub")
	for group, commands := range map[string][]*cobra.Command{
		"auth":  p.authShortcuts(),
		"sub":   p.groups(),
		"short": p.shortcuts(),
	} {
		for _, c := range commands {
			c.GroupID = group
		}
		root.AddCommand(commands...)
	}
	return root
}

func (p *program) groups() []*cobra.Command {
	return []*cobra.Command{
		p.appsGroup(), p.authGroup(), p.autodeployGroup(), p.autorollbackGroup(), p.autoscaleGroup(), p.buildsGroup(),
		p.certsGroup(), p.configGroup(), p.domainsGroup(), p.gatewaysGroup(), p.gitGroup(), p.healthchecksGroup(),
		p.keysGroup(), p.labelsGroup(), p.lifecyclesGroup(), p.limitsGroup(), p.permsGroup(), p.pluginsGroup(), p.psGroup(),
		p.ptsGroup(), p.registryGroup(), p.releasesGroup(), p.resourcesGroup(), p.routesGroup(), p.routingGroup(),
		p.servicesGroup(), p.tagsGroup(), p.timeoutsGroup(), p.tlsGroup(), p.tokensGroup(), p.usersGroup(),
		p.volumesGroup(), p.workspacesGroup(), p.updateCommand(), p.versionCommand(),
	}
}

// shortcuts are commands of groups that have a name at the top as well.
func (p *program) shortcuts() []*cobra.Command {
	return []*cobra.Command{
		p.appsCreate(), p.appsDestroy(), p.psExec(), p.appsInfo(), p.psLogs("logs"), p.appsOpen(), p.buildsCreate("pull"),
		p.releasesRollback(), p.appsRun(), p.ptsScale(),
	}
}

// leaf describes a command that does something.
type leaf struct {
	use, short, long string
	args             cobra.PositionalArgs
	flags            func(*cobra.Command)
	run              func(*call) error
	app              bool // it is about an app: -a
	list             bool // it shows a list of any length: -l
	shows            bool // it shows objects: -o
	complete         func(*call) ([]string, error)
}

// command makes a leaf a command.
func (p *program) command(l leaf) *cobra.Command {
	cmd := &cobra.Command{Use: l.use, Short: l.short, Long: l.long, Args: l.args}
	if cmd.Args == nil {
		cmd.Args = cobra.NoArgs
	}
	p.fill(cmd, l)
	return cmd
}

// fill gives cmd the flags and the work of l.
func (p *program) fill(cmd *cobra.Command, l leaf) {
	if l.app {
		cmd.Flags().StringP("app", "a", "", "The uniquely identifiable name for the application")
		_ = cmd.RegisterFlagCompletionFunc("app", p.completion(appNames)) // fails for a flag that is not there
	}
	if l.list {
		cmd.Flags().IntP("limit", "l", 0, "The maximum number of results to display, all with -1")
	}
	if l.shows {
		cmd.Flags().StringP("output", "o", "", "Output as json or yaml")
		_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	}
	if l.flags != nil {
		l.flags(cmd)
	}
	if l.complete != nil {
		cmd.ValidArgsFunction = p.completion(l.complete)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return l.run(&call{program: p, cmd: cmd, args: args})
	}
}

// group makes a command with others below it. Alone it does what standard
// says.
func (p *program) group(use, short string, standard leaf, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short}
	p.fill(cmd, standard)
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return nil
	}
	cmd.AddCommand(subs...)
	return cmd
}

// helpGroup is a group that shows its help when it is called alone.
func (p *program) helpGroup(use, short string, subs ...*cobra.Command) *cobra.Command {
	return p.group(use, short, leaf{run: func(k *call) error { return k.cmd.Help() }}, subs...)
}

func unknownCommand(cmd *cobra.Command, name string) error {
	text := fmt.Sprintf("%s: unknown command %q", cmd.CommandPath(), name)
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		text += ", did you mean " + strings.Join(near, " or ") + "?"
	}
	return curable(errors.New(text), "`"+cmd.CommandPath()+" --help` lists the commands.")
}

// execute runs one command line.
func (p *program) execute(ctx context.Context, args []string) error {
	args = splitColon(p.root, args)
	if done, err := p.plugin(ctx, args); done {
		return err
	}
	p.root.SetArgs(args)
	cmd, err := p.root.ExecuteContextC(ctx)
	var known *client.Error
	if err != nil && cmd != nil && !errors.As(err, &known) && isUsage(err) {
		return curable(err, "`"+cmd.CommandPath()+" --help` shows how it is used.")
	}
	return err
}

// isUsage recognises what cobra says of a wrong command line.
func isUsage(err error) bool {
	text := err.Error()
	for _, start := range []string{"unknown flag", "unknown shorthand", "flag needs", "accepts ", "requires ", "invalid argument", "required flag", "if any flags"} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return false
}

// call is a command being carried out.
type call struct {
	*program
	cmd  *cobra.Command
	args []string

	api  *client.Client
	mine *profile
}

func (k *call) ctx() context.Context { return k.cmd.Context() }

// text, on, number and words read flags of this command; one that does not
// exist is a mistake in our program.
func (k *call) text(flag string) string {
	v, err := k.cmd.Flags().GetString(flag)
	must(err)
	return v
}

func (k *call) on(flag string) bool {
	v, err := k.cmd.Flags().GetBool(flag)
	must(err)
	return v
}

func (k *call) number(flag string) int {
	v, err := k.cmd.Flags().GetInt(flag)
	must(err)
	return v
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// profile reads the configuration file, once.
func (k *call) profile() (*profile, error) {
	if k.mine != nil {
		return k.mine, nil
	}
	path, err := k.profilePath()
	if err != nil {
		return nil, err
	}
	k.mine, err = loadProfile(path)
	return k.mine, err
}

// client is logged in.
func (k *call) client() (*client.Client, error) {
	if k.api != nil {
		return k.api, nil
	}
	mine, err := k.profile()
	if err != nil {
		return nil, err
	}
	if mine.Controller == "" || mine.Token == "" {
		return nil, curable(errors.New("not logged in"), "Log in with `drycc login <url>`.")
	}
	k.api, err = k.connect(mine.Controller, mine.Token, mine.SSLVerify)
	return k.api, err
}

// connect makes a client for a controller.
func (k *call) connect(controller, token string, verify bool) (*client.Client, error) {
	return client.New(client.Options{
		URL: controller, Token: token, Insecure: !verify,
		UserAgent: "Drycc Client " + version,
		OnMismatch: func(theirs string) {
			if k.warned.CompareAndSwap(false, true) {
				fmt.Fprintf(k.err, " !    WARNING: Client and server API versions do not match. Please consider upgrading (`drycc update`).\n"+
					" !    Client version: %s\n !    Server version: %s\n", client.APIVersion, theirs)
			}
		},
	})
}

// target is a client and the app that the command is about.
func (k *call) target() (*client.Client, string, error) {
	api, err := k.client()
	if err != nil {
		return nil, "", err
	}
	app, err := k.appName(api.URL())
	return api, app, err
}

// targetConfig is target with the config of the release that was asked for.
func (k *call) targetConfig() (*client.Client, string, client.Config, error) {
	api, app, err := k.target()
	if err != nil {
		return nil, "", client.Config{}, err
	}
	config, err := api.Config(k.ctx(), app, k.number("version"))
	return api, app, config, err
}

// limit is how many results to show; the profile has the default.
func (k *call) limit() int {
	if n := k.number("limit"); n != 0 {
		return n
	}
	if mine, err := k.profile(); err == nil {
		return mine.ResponseLimit
	}
	return 0
}

// cured is an error with what the user can do about it.
type cured struct {
	error
	cure string
}

func (c cured) Unwrap() error { return c.error }

func curable(err error, cure string) error { return cured{err, cure} }

// report says what went wrong, and the cure when there is one.
func (p *program) report(err error) {
	fmt.Fprintf(p.err, "%s %v\n", p.paint(p.err, red, "Error:"), err)
	if cure := cureFor(err); cure != "" {
		fmt.Fprintln(p.err, cure)
	}
}

// noPermission is what the controller says to somebody whose role is too low.
const noPermission = "You do not have permission to perform this action."

func cureFor(err error) string {
	var known cured
	if errors.As(err, &known) {
		return known.cure
	}
	switch client.StatusOf(err) {
	case http.StatusUnauthorized:
		return "Log in again with `drycc login <url>`."
	case http.StatusForbidden:
		var refused *client.Error
		if errors.As(err, &refused) && refused.Detail != "" && refused.Detail != noPermission {
			return "" // the controller said why, and a higher role may not help
		}
		return "Ask an admin of the app's workspace for a higher role; `drycc whoami` shows who you are."
	case http.StatusNotFound:
		if strings.Contains(err.Error(), "No App matches") {
			return "`drycc apps` lists your apps. Name one with -a, or work in its git repository or a folder of its name."
		}
	case http.StatusMethodNotAllowed:
		return "The controller may be of another version: see `drycc version --all`."
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "Try again in a moment; when it stays, the controller's log says more."
	case http.StatusTooManyRequests:
		return "Too many requests: try again in a minute."
	}
	var away *client.UnreachableError
	if errors.As(err, &away) {
		if strings.Contains(err.Error(), "x509:") || strings.Contains(err.Error(), "certificate") {
			return "Trust its certificate authority, served at /ca.crt of the controller, or log in with --ssl-verify=false."
		}
		return "Check the address (`drycc whoami` shows it), the network and a proxy in http_proxy or https_proxy."
	}
	return ""
}
