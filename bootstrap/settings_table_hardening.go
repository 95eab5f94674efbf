package bootstrap

// hardeningSettings choose how much of the CIS benchmark's advice is followed.
func hardeningSettings() []Setting {
	return []Setting{
		{Name: "SLIPWAY_HARDENING", Group: groupCluster, Key: "hardening", Default: "default", Verdict: Honoured,
			Meaning: "default: all advice of the CIS benchmark that costs nothing; cis: also what may refuse or cut off what worked before, see docs/security.md",
			apply: func(s *Settings, v string) (string, string) {
				if v != "default" && v != "cis" {
					return "is neither default nor cis", "give one of both"
				}
				s.Hardening = v
				return "", ""
			},
			show: func(s Settings) string { return s.Hardening }},
	}
}
