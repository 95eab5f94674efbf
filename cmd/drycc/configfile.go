package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

const envFile = ".env"

func pathFlag(cmd *cobra.Command) {
	cmd.Flags().String("path", envFile, "A file with NAME=value lines, or a .drycc folder with one in config/ for each group")
}

func (p *program) configPull() *cobra.Command {
	return p.command(leaf{
		use: "pull", short: "Pull environment variables to the path", app: true,
		long: "Write the variables to a file. Those that the file has already keep their value, unless told otherwise.",
		flags: func(cmd *cobra.Command) {
			scopeFlags(cmd)
			pathFlag(cmd)
			cmd.Flags().BoolP("interactive", "i", false, "Ask before a value in the file is replaced")
			cmd.Flags().BoolP("overwrite", "o", false, "Replace values in the file")
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			config, err := api.Config(k.ctx(), app, 0)
			if err != nil {
				return err
			}
			if path := k.text("path"); isFolder(path) {
				return k.pullFolder(config, path)
			}
			return k.pullFile(config, k.scope(), k.text("path"))
		},
	})
}

// isFolder tells a .drycc folder, also one yet to be made, from a file.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	if err == nil {
		return info.IsDir()
	}
	return filepath.Base(path) == ".drycc" || strings.HasSuffix(path, string(filepath.Separator)) || strings.HasSuffix(path, "/")
}

// pullFolder writes each group to its file.
func (k *call) pullFolder(config client.Config, dir string) error {
	var groups []string
	for _, v := range config.Values {
		if v.Group != "" && !slices.Contains(groups, v.Group) {
			groups = append(groups, v.Group)
		}
	}
	slices.Sort(groups)
	for _, group := range groups {
		if filepath.Base(group) != group || group == "." || group == ".." {
			return fmt.Errorf("the group %q is no file name", group)
		}
		if err := k.pullFile(config, scope{group: group}, filepath.Join(dir, "config", group)); err != nil {
			return err
		}
	}
	return nil
}

// pullFile joins what the file has with the variables of a scope. The file is
// for the user's eyes only.
func (k *call) pullFile(config client.Config, s scope, path string) error {
	local, err := readVariables(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, v := range config.Values {
		if !s.has(v) {
			continue
		}
		at := slices.IndexFunc(local, func(l variable) bool { return l.name == v.Name })
		switch {
		case at < 0:
			local = append(local, variable{v.Name, v.Value})
		case local[at].value == v.Value:
		case k.on("overwrite"):
			local[at].value = v.Value
		case k.on("interactive"):
			answer, err := k.ask(fmt.Sprintf("%s is %q here and %q there; replace it (y/N)? ", v.Name, local[at].value, v.Value))
			if err != nil {
				return err
			}
			if strings.HasPrefix(strings.ToLower(answer), "y") {
				local[at].value = v.Value
			}
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(formatVariables(local)), 0o600); err != nil {
		return err
	}
	k.printf("Config written to %s\n", path)
	return nil
}

func (p *program) configPush() *cobra.Command {
	return p.command(leaf{
		use: "push", short: "Push environment variables from the path", app: true,
		long: "Make the variables what the file says. With --merge those that it does not name stay as they are.",
		flags: func(cmd *cobra.Command) {
			scopeFlags(cmd)
			pathFlag(cmd)
			cmd.Flags().Bool("merge", false, "Keep variables that the file does not name")
			confirmFlag(cmd, `"yes"`)
			waitFlag(cmd)
		},
		run: func(k *call) error {
			changes, err := k.pushed(k.text("path"))
			if err != nil {
				return err
			}
			if len(changes) == 0 {
				return fmt.Errorf("%s has no variables", k.text("path"))
			}
			if !k.on("merge") {
				if err := k.confirmLoss(changes); err != nil {
					return err
				}
			}
			return k.changeValues("Creating config", changes, k.on("merge"))
		},
	})
}

// pushed reads what is to be pushed.
func (k *call) pushed(path string) ([]client.ValueChange, error) {
	if !isFolder(path) {
		all, err := readVariables(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil, curable(fmt.Errorf("%s: %w", path, errNoFile), "Name the file with --path, or get one with `drycc config pull`.")
		}
		return changesOf(k.scope(), all), err
	}
	names, groups, err := readGroups(path)
	var out []client.ValueChange
	for _, name := range names {
		out = append(out, changesOf(scope{group: name}, groups[name])...)
	}
	return out, err
}

func changesOf(s scope, all []variable) []client.ValueChange {
	var out []client.ValueChange
	for _, v := range all {
		value := v.value
		out = append(out, s.change(v.name, &value))
	}
	return out
}

// confirmLoss asks before variables go that the file does not name.
func (k *call) confirmLoss(changes []client.ValueChange) error {
	api, app, err := k.target()
	if err != nil {
		return err
	}
	config, err := api.Config(k.ctx(), app, 0)
	if err != nil {
		return err
	}
	var lost []string
	for _, v := range config.Values {
		named, kept := false, false
		for _, c := range changes {
			if c.Group == v.Group && c.Ptype == v.Ptype {
				named, kept = true, kept || c.Name == v.Name
			}
		}
		if named && !kept {
			lost = append(lost, v.Name)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return k.confirm("yes", "WARNING: The file does not name "+strings.Join(lost, ", ")+".",
		"They will be removed; --merge keeps them.")
}
