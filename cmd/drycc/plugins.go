package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

const pluginPrefix = "drycc-"

func (p *program) pluginsGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List the plugins: programs in PATH whose name begins with drycc-", shows: true,
		run: func(k *call) error {
			found := plugins(k.env("PATH"))
			return show(k, listing[string]{
				items: found, none: "No plugins found in PATH.", head: "NAME PATH",
				row: func(path string) []string { return []string{pluginName(path), path} },
			})
		},
	}
	return p.group("plugins", "Manage plugins", list, p.command(list))
}

func pluginName(path string) string {
	name := strings.TrimPrefix(filepath.Base(path), pluginPrefix)
	if runtime.GOOS == "windows" {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	return name
}

// plugins are the programs in a search path that are plugins, the first of
// each name.
func plugins(searchPath string) []string {
	var found []string
	seen := map[string]bool{}
	for _, dir := range filepath.SplitList(searchPath) {
		matches, err := filepath.Glob(filepath.Join(dir, pluginPrefix+"*"))
		if err != nil {
			continue // the folder's name is no pattern
		}
		slices.Sort(matches)
		for _, path := range matches {
			info, err := os.Stat(path)
			runs := err == nil && !info.IsDir() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0)
			if runs && !seen[pluginName(path)] {
				seen[pluginName(path)] = true
				found = append(found, path)
			}
		}
	}
	return found
}

// plugin runs drycc-x for a command x that is not ours. Flags before the
// command are ours, all after it the plugin's. done is false when there is no
// such plugin.
func (p *program) plugin(ctx context.Context, args []string) (done bool, err error) {
	at := firstWord(p.root, args)
	if at < 0 || strings.ContainsAny(args[at], `/\`) || strings.HasPrefix(args[at], "__") {
		return false, nil
	}
	if args[at] == "help" || args[at] == "completion" {
		return false, nil
	}
	for _, c := range p.root.Commands() {
		if c.Name() == args[at] || c.HasAlias(args[at]) {
			return false, nil
		}
	}
	path, err := exec.LookPath(pluginPrefix + args[at])
	if err != nil {
		return false, nil
	}
	if err := p.root.PersistentFlags().Parse(known(p.root, args[:at])); err != nil {
		return true, err
	}
	cmd := exec.CommandContext(ctx, path, args[at+1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.in, p.out, p.err
	cmd.Env = append(os.Environ(), p.pluginEnv()...)
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return true, exitCode(exit.ExitCode())
	}
	if err != nil {
		err = fmt.Errorf("plugin %s: %w", path, err)
	}
	return true, err
}

// known are the global flags among args; others before a plugin's name are
// nobody's.
func known(root *cobra.Command, args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		name, _, _ := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		f := root.PersistentFlags().Lookup(name)
		if f == nil && len(name) == 1 {
			f = root.PersistentFlags().ShorthandLookup(name)
		}
		if f == nil || f.Name == "help" {
			continue
		}
		out = append(out, args[i])
		if !strings.Contains(args[i], "=") && f.NoOptDefVal == "" && i+1 < len(args) {
			i++
			out = append(out, args[i])
		}
	}
	return out
}

// pluginEnv tells a plugin who is logged in where.
func (p *program) pluginEnv() []string {
	path, err := p.profilePath()
	if err != nil {
		return nil
	}
	mine, err := loadProfile(path)
	if err != nil {
		return nil
	}
	return []string{
		"DRYCC_CONTROLLER_URL=" + mine.Controller, "DRYCC_TOKEN=" + mine.Token,
		"DRYCC_SSL_VERIFY=" + strconv.FormatBool(mine.SSLVerify), "DRYCC_USERNAME=" + mine.Username,
		"DRYCC_RESPONSE_LIMIT=" + strconv.Itoa(mine.ResponseLimit),
	}
}
