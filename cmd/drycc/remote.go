package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const gitPort = "2222"

// appName is the app that a command is about: -a, else the app of a git remote
// at this controller, else DRYCC_APP, else the name of the working folder.
func (k *call) appName(controller string) (string, error) {
	if name := k.text("app"); name != "" {
		return name, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the app: %w", err)
	}
	remotes, err := gitRemotes(dir)
	if err != nil && !errors.Is(err, errNoRepository) {
		return "", err
	}
	for _, r := range remotes {
		if app, ok := remoteApp(r.url, builderHost(controller)); ok {
			return app, nil
		}
	}
	if name := k.env("DRYCC_APP"); name != "" {
		return name, nil
	}
	return strings.ToLower(filepath.Base(dir)), nil
}

// builderHost is the host that git pushes go to: drycc.example.com has
// drycc-builder.example.com.
func builderHost(controller string) string {
	u, err := url.Parse(controller)
	if err != nil {
		return ""
	}
	first, rest, found := strings.Cut(u.Hostname(), ".")
	if !found {
		return first + "-builder"
	}
	return first + "-builder." + rest
}

// remoteURL is an app's address for git.
func remoteURL(controller, app string) string {
	return "ssh://git@" + builderHost(controller) + ":" + gitPort + "/" + app + ".git"
}

// remoteApp is the app that a remote's address stands for, when it is at host.
// Addresses are URLs or scp's git@host:app.git.
func remoteApp(address, host string) (string, bool) {
	name, path := "", ""
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		name, path = u.Hostname(), u.Path
	} else if left, right, ok := strings.Cut(address, ":"); ok {
		_, at, found := strings.Cut(left, "@")
		if !found {
			at = left
		}
		name, path = at, right
	}
	app := strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	return app, host != "" && strings.EqualFold(name, host) && app != "" && !strings.Contains(app, "/")
}

// gitRemote is a remote of a repository.
type gitRemote struct{ name, url string }

var errNoRepository = errors.New("this is no git repository")

// gitRemotes reads the remotes of the repository that dir is in. It reads
// git's files itself: the client works where git is not installed.
func gitRemotes(dir string) ([]gitRemote, error) {
	common, err := gitFolder(dir)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(common, "config"))
	if err != nil {
		return nil, fmt.Errorf("git configuration: %w", err)
	}
	defer file.Close()
	var remotes []gitRemote
	section := ""
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		line := strings.TrimSpace(scanner.Text())
		if strings.HasPrefix(line, "[") {
			section = ""
			if name, ok := strings.CutPrefix(line, `[remote "`); ok {
				section, _, _ = strings.Cut(name, `"]`)
			}
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if section != "" && found && strings.EqualFold(strings.TrimSpace(key), "url") {
			remotes = append(remotes, gitRemote{section, strings.Trim(strings.TrimSpace(value), `"`)})
		}
	}
	return remotes, scanner.Err()
}

// gitFolder finds the folder with the configuration of the repository around
// dir. In worktrees and submodules .git is a file that leads there.
func gitFolder(dir string) (string, error) {
	for {
		path := filepath.Join(dir, ".git")
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			return path, nil
		case err == nil:
			return linkedFolder(path)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errNoRepository
		}
		dir = parent
	}
}

func linkedFolder(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("git: %w", err)
	}
	target, ok := strings.CutPrefix(strings.TrimSpace(string(raw)), "gitdir:")
	if !ok {
		return "", fmt.Errorf("git: %s does not lead to a repository", path)
	}
	folder := absolute(filepath.Dir(path), strings.TrimSpace(target))
	common, err := os.ReadFile(filepath.Join(folder, "commondir"))
	if errors.Is(err, os.ErrNotExist) {
		return folder, nil // a submodule
	}
	if err != nil {
		return "", fmt.Errorf("git: %w", err)
	}
	return absolute(folder, strings.TrimSpace(string(common))), nil
}

func absolute(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// git runs git, for what changes a repository.
func git(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, "git", args...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return curable(errors.New("git is not installed"), "Install git, or use --no-remote.")
	}
	if err != nil {
		return fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(string(out)))
	}
	return nil
}

// addRemote adds a remote for the app to the repository of the working folder.
// Force replaces one that leads elsewhere.
func addRemote(ctx context.Context, name, address string, force bool) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	remotes, err := gitRemotes(dir)
	if err != nil {
		return err
	}
	for _, r := range remotes {
		switch {
		case r.name != name:
		case r.url == address:
			return nil
		case force:
			return git(ctx, "remote", "set-url", name, address)
		default:
			return curable(fmt.Errorf("the git remote %s exists and leads to %s", name, r.url),
				"Choose another name with --remote, or replace it with `drycc git remote --force`.")
		}
	}
	return git(ctx, "remote", "add", name, address)
}
