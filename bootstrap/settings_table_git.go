package bootstrap

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// defaultGitPort is the port in the addresses that the guide and the client
// have for git push.
const defaultGitPort = 2222

const settingFetchAllowed = "SLIPWAY_FETCH_ALLOWED"

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
		tunable(Setting{Name: settingFetchAllowed, Key: "fetch-allowed",
			Meaning: "addresses and ranges of this machine, its cluster or its cloud that build hooks may fetch from all the same: 10.0.0.7,192.0.2.0/24"}, prefixList),
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

// FetchAllowed are the addresses that build hooks may fetch from although they
// are this machine's, its cluster's or its cloud's.
func (s Settings) FetchAllowed() []netip.Prefix {
	list, _ := prefixes(s.ControllerSetting(settingFetchAllowed)) // checked when it is set
	return list
}

// prefixes reads addresses and ranges with commas between.
func prefixes(text string) (list []netip.Prefix, bad string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if a, one := netip.ParseAddr(part); one == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, part
		}
		list = append(list, p.Masked())
	}
	return list, ""
}

func prefixList(v string) (problem, cure string) {
	if _, bad := prefixes(v); bad != "" {
		return fmt.Sprintf("has %q, which is neither an address nor a range", bad), "write them with commas between: 10.0.0.7,192.0.2.0/24"
	}
	return "", ""
}

func sizeText(v string) (problem, cure string) {
	return quantity(func(*Settings) *string { return new(string) })(nil, v)
}
