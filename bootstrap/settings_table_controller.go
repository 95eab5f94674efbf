package bootstrap

import (
	"net/url"
	"regexp"
	"strings"
)

// controllerSettings are what the controller reads by name when it starts. A
// change takes effect with the next `slipway install` or restart.
func controllerSettings() []Setting {
	const rate = ", as a number and a unit: 600/min"
	return []Setting{
		tunable(Setting{Name: "DRYCC_DEPLOY_HOOK_URLS", Secret: true,
			Meaning: "addresses that are told of every release, with commas between; kept in /etc/slipway/credentials, as they may hold a token"}, hookURLs),
		tunable(Setting{Name: "DRYCC_DEPLOY_HOOK_SECRET_KEY", Secret: true,
			Meaning: "key of the HMAC-SHA1 signature of deploy hooks, kept in /etc/slipway/credentials"}, anyText),
		tunable(Setting{Name: "DRYCC_THROTTLE_ANON", Key: "throttle-anon", Default: "20/sec",
			Meaning: "API requests of one address without credentials" + rate}, rateText),
		tunable(Setting{Name: "DRYCC_THROTTLE_USER", Key: "throttle-user", Default: "50/sec",
			Meaning: "API requests with one token" + rate}, rateText),
	}
}

// ControllerSetting is the value of a setting that the controller reads by
// name; empty when it was not given.
func (s Settings) ControllerSetting(name string) string { return s.Controller[name].Reveal() }

// tunable completes the row of a setting that is only handed on.
func tunable(row Setting, valid func(v string) (problem, cure string)) Setting {
	row.Group, row.Verdict = groupController, Honoured
	row.apply = func(s *Settings, v string) (string, string) {
		if problem, cure := valid(v); problem != "" {
			return problem, cure
		}
		s.Controller[row.Name] = NewSecret(v)
		return "", ""
	}
	row.show = func(s Settings) string { return s.ControllerSetting(row.Name) }
	return row
}

func anyText(v string) (string, string) {
	if strings.ContainsAny(v, "\n\r\x00") {
		return "has a line break", "give it in one line"
	}
	return "", ""
}

func hookURLs(v string) (string, string) {
	for _, one := range strings.Split(v, ",") {
		one = strings.TrimSpace(one)
		if one == "" {
			continue
		}
		u, err := url.Parse(one)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.Fragment != "" {
			return "has an entry that is no address", "write http://host/path or https://host/path, without user name and fragment, and commas between"
		}
	}
	return anyText(v)
}

func rateText(v string) (string, string) {
	if !regexp.MustCompile(`^[1-9][0-9]{0,8}/(s|sec|second|m|min|minute|h|hour|d|day)$`).MatchString(v) {
		return "is not a rate", "write a number and sec, min, hour or day, such as 600/min"
	}
	return "", ""
}
