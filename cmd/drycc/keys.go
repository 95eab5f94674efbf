package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) keysGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List your SSH keys", list: true, shows: true,
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			keys, err := api.Keys(k.ctx(), k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.Key]{
				items: keys.Results, count: keys.Count, none: "No keys found.", head: "ID OWNER KEY",
				row: func(key client.Key) []string { return []string{key.ID, key.Owner, shortKey(key.Public)} },
			})
		},
	}
	return p.group("keys", "Manage SSH keys for git push", list, p.command(list), p.keysAdd(),
		p.command(leaf{
			use: "remove <id>", short: "Remove an SSH key", args: cobra.ExactArgs(1),
			run: func(k *call) error {
				api, err := k.client()
				if err != nil {
					return err
				}
				return k.does(fmt.Sprintf("Removing %s SSH Key", k.args[0]), func() error { return api.RemoveKey(k.ctx(), k.args[0]) })
			},
		}))
}

// shortKey shows the ends of a key.
func shortKey(public string) string {
	const head, tail = 16, 10
	public = strings.TrimSpace(public)
	if len(public) <= head+tail+3 {
		return public
	}
	return public[:head] + "..." + public[len(public)-tail:]
}

func (p *program) keysAdd() *cobra.Command {
	return p.command(leaf{
		use: "add [name] [file]", short: "Add an SSH key", args: cobra.MaximumNArgs(2),
		long: "Add an SSH key from its public file. Without one the keys in ~/.ssh are offered; without a name the key's comment is its name.",
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			name, path, err := k.keyFile()
			if err != nil {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			public := strings.TrimSpace(string(raw))
			if strings.Contains(public, "PRIVATE KEY") {
				return curable(fmt.Errorf("%s is a private key", path), "Add its public half, which ends in .pub.")
			}
			if name == "" {
				name = keyName(public, path)
			}
			return k.does(fmt.Sprintf("Uploading %s to drycc", filepath.Base(path)), func() error {
				_, err := api.AddKey(k.ctx(), name, public)
				return err
			})
		},
	})
}

// keyName is a key's comment, or its file's name.
func keyName(public, path string) string {
	if fields := strings.Fields(public); len(fields) > 2 {
		return strings.Join(fields[2:], " ")
	}
	return strings.TrimSuffix(filepath.Base(path), ".pub")
}

// keyFile is the name and the file that the arguments give.
func (k *call) keyFile() (name, path string, err error) {
	switch len(k.args) {
	case 2:
		if _, err := os.Stat(k.args[1]); err != nil && exists(k.args[0]) {
			return k.args[1], k.args[0], nil // the other way round
		}
		return k.args[0], k.args[1], nil
	case 1:
		if exists(k.args[0]) {
			return "", k.args[0], nil
		}
		path, err = k.chooseKey()
		return k.args[0], path, err
	}
	path, err = k.chooseKey()
	return "", path, err
}

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// chooseKey lets the user choose among the public keys in ~/.ssh.
func (k *call) chooseKey() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(home, ".ssh", "*.pub"))
	if err != nil || len(found) == 0 {
		return "", curable(errors.Join(errors.New("there is no public key in ~/.ssh"), err),
			"Make one with `ssh-keygen`, or name a file: `drycc keys add <file>`.")
	}
	fmt.Fprintln(k.err, "Found the following SSH public keys:")
	for i, path := range found {
		fmt.Fprintf(k.err, "%d) %s\n", i+1, filepath.Base(path))
	}
	answer, err := k.ask("Which would you like to use with Drycc? ")
	if err != nil {
		return "", curable(err, "Name a file: `drycc keys add <file>`.")
	}
	n, err := strconv.Atoi(answer)
	if err != nil || n < 1 || n > len(found) {
		return "", fmt.Errorf("%q is none of them", answer)
	}
	return found[n-1], nil
}
