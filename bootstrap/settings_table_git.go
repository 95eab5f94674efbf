package bootstrap

import "strconv"

// defaultGitPort is the port in the addresses that the guide and the client
// have for git push.
const defaultGitPort = 2222

// gitSettings are those of git push.
func gitSettings() []Setting {
	return []Setting{
		tunable(Setting{Name: "SLIPWAY_GIT_PORT", Key: "git-port", Default: strconv.Itoa(defaultGitPort),
			Meaning: "port of git push; clients write 2222 into their remotes, so another one has to be told to them"}, wholeBetween(1, 65535)),
		tunable(Setting{Name: "SLIPWAY_GIT_PUSH_SIZE", Key: "git-push-size", Default: "1Gi",
			Meaning: "what one git push may send"}, sizeText),
		tunable(Setting{Name: "SLIPWAY_GIT_REPOSITORY_SIZE", Key: "git-repository-size", Default: "4Gi",
			Meaning: "size of an app's repository above which pushes to it are refused"}, sizeText),
		tunable(Setting{Name: "SLIPWAY_GIT_TIMEOUT", Key: "git-timeout", Default: "30",
			Meaning: "minutes that a fetch, or a push until its build begins, may take"}, wholeBetween(1, 1440)),
	}
}

// GitPort is the port of git push.
func (s Settings) GitPort() int {
	// Zero values are not kept, and others are checked when they are set.
	if port, err := strconv.Atoi(s.ControllerSetting("SLIPWAY_GIT_PORT")); err == nil {
		return port
	}
	return defaultGitPort
}

func sizeText(v string) (problem, cure string) {
	return quantity(func(*Settings) *string { return new(string) })(nil, v)
}
