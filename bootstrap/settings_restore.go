package bootstrap

import (
	"fmt"
	"maps"
	"slices"

	"sigs.k8s.io/yaml"
)

// hostKeys are settings of one host, which mean nothing on another.
func hostKeys() []string {
	return []string{"node-ip", "node-name", "resolv-conf", "service-manager", "server", "token-file", "role"}
}

// LoadRestored loads the settings of a backup for another host: in has those of
// the backup as files, and flags and environment of this run. What belongs to
// the old host is left out. domain, when it is not empty, becomes the platform's
// and the one in the backup a former one.
func LoadRestored(in Input, domain string) (Settings, []string, error) {
	var config map[string]any
	if err := yaml.Unmarshal(in.Config, &config); err != nil {
		return Settings{}, nil, fmt.Errorf("settings in the backup: %w", err)
	}
	maps.DeleteFunc(config, func(key string, _ any) bool { return slices.Contains(hostKeys(), key) })
	var err error
	if in.Config, err = yaml.Marshal(config); err != nil {
		return Settings{}, nil, fmt.Errorf("settings in the backup: %w", err)
	}
	then, _, err := Load(Input{Config: in.Config, Credentials: in.Credentials})
	if err != nil {
		return Settings{}, nil, fmt.Errorf("settings in the backup: %w", err)
	}
	if domain != "" {
		in.Flags = maps.Clone(in.Flags)
		if in.Flags == nil {
			in.Flags = map[string]string{}
		}
		in.Flags["PLATFORM_DOMAIN"] = domain
	}
	s, warnings, err := Load(in)
	if err != nil {
		return Settings{}, warnings, err
	}
	now := s.Domain
	s.Domain = then.Domain
	s.MoveTo(now)
	return s, warnings, nil
}
