package bootstrap

import (
	"fmt"
	"slices"
	"strings"
)

// mostFormerDomains bounds what each certificate and each node's list of
// mirrors hold.
const mostFormerDomains = 20

// rehomeSettings are what an appliance remembers of where it was.
func rehomeSettings() []Setting {
	return []Setting{
		{Name: "SLIPWAY_FORMER_DOMAINS", Group: groupCluster, Key: "former-domains", Verdict: Honoured,
			Meaning: "domains the platform had before, with commas between, kept by `slipway rehome`: images called registry.<former>/… are still found, the API still answers at drycc.<former>, and <app>.<former> leads to the present name",
			apply:   formerDomains, show: func(s Settings) string { return strings.Join(s.FormerDomains, ",") }},
	}
}

func formerDomains(s *Settings, v string) (string, string) {
	var all []string
	for _, one := range strings.Split(v, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		var read Settings
		if problem, cure := domain(&read, one); problem != "" {
			return fmt.Sprintf("has an entry (%q) that %s", one, problem), cure
		}
		if !slices.Contains(all, read.Domain) {
			all = append(all, read.Domain)
		}
	}
	if len(all) > mostFormerDomains {
		return fmt.Sprintf("has more than %d domains", mostFormerDomains), "leave out those whose images nobody runs any more"
	}
	s.FormerDomains = all
	return "", ""
}

// MoveTo makes d the platform's domain and the present one a former one, the
// newest first. The oldest is forgotten when there are too many.
func (s *Settings) MoveTo(d string) {
	if d == s.Domain {
		return
	}
	s.FormerDomains = slices.Insert(slices.Clone(s.FormerDomains), 0, s.Domain)
	s.Domain = d
	s.forgetPresent()
	if len(s.FormerDomains) > mostFormerDomains {
		s.FormerDomains = s.FormerDomains[:mostFormerDomains]
	}
}

// forgetPresent drops the present domain from the former ones: who goes back
// has it in both.
func (s *Settings) forgetPresent() {
	s.FormerDomains = slices.DeleteFunc(slices.Clone(s.FormerDomains), func(d string) bool { return d == s.Domain })
	if len(s.FormerDomains) == 0 {
		s.FormerDomains = nil
	}
}
