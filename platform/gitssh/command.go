package gitssh

import (
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// verb is one of the few things that can be asked for.
type verb string

const (
	verbPush  verb = "git-receive-pack"
	verbFetch verb = "git-upload-pack"
	verbPing  verb = "ping"
)

// command is a line that a client wants executed, understood.
type command struct {
	verb verb
	app  string // a valid app id; empty for verbPing
}

// unknownCommand and badRepository are what a line can be instead.
const (
	unknownCommand = "Only git push and git fetch are offered here."
	lfsCommand     = "Git LFS is not offered here: large files have to be in the repository itself, or in the app's storage. " +
		"To push the pointers without the files: GIT_LFS_SKIP_PUSH=1 git push"
	badRepository = "That is no name of a repository here: use ssh://git@HOST:PORT/APP.git"
)

// parseCommand reads what git has a server execute: "git-receive-pack
// '/app.git'", or "git receive-pack '/app.git'". refusal is for the user when
// it is anything else.
func parseCommand(line string) (c command, refusal string) {
	const longest = 256 // of a verb and the name of an app there are fewer
	if len(line) > longest {
		return command{}, unknownCommand
	}
	word, rest, _ := strings.Cut(line, " ")
	if word == "git" {
		var sub string
		sub, rest, _ = strings.Cut(rest, " ")
		word = "git-" + sub
	}
	switch verb(word) {
	case verbPing:
		if rest != "" {
			return command{}, unknownCommand
		}
		return command{verb: verbPing}, ""
	case verbPush, verbFetch:
		app, ok := parseRepository(rest)
		if !ok {
			return command{}, badRepository
		}
		return command{verb: verb(word), app: app}, ""
	}
	if strings.HasPrefix(word, "git-lfs") {
		return command{}, lfsCommand
	}
	return command{}, unknownCommand
}

// parseRepository gives the app of '/app.git', 'app.git', /app.git or app.
// Whatever is not exactly that, paths first of all, is refused.
func parseRepository(s string) (string, bool) {
	if quoted, ok := strings.CutPrefix(s, "'"); ok {
		if s, ok = strings.CutSuffix(quoted, "'"); !ok {
			return "", false
		}
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "/"), "/")
	s = strings.TrimSuffix(s, ".git")
	return s, platform.ValidateAppID(s) == nil
}
