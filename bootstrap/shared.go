package bootstrap

import "slices"

// nodesOwn are the settings that belong to one host and are never handed to
// another.
func nodesOwn() []string {
	return []string{"K3S_URL", "K3S_TOKEN", "K3S_NODE_NAME", "K3S_RESOLV_CONF", "K3S_LB_SERVER_PORT", "K3S_DEBUG", "K3S_SELINUX",
		"INSTALL_ROLE", "SLIPWAY_SERVICE_MANAGER", "SLIPWAY_NODE_IP", "INSTALL_SLIPWAY_BIN_DIR", "INSTALL_SLIPWAY_SYSTEMD_DIR",
		"INSTALL_SLIPWAY_EXEC", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "CONTAINERD_HTTP_PROXY", "CONTAINERD_HTTPS_PROXY", "CONTAINERD_NO_PROXY"}
}

// agentsNeed are the only settings that an agent is told.
func agentsNeed() []string {
	return []string{"PLATFORM_DOMAIN", "SLIPWAY_FORMER_DOMAINS", "K3S_DATA_DIR", "CLUSTER_CIDR", "SERVICE_CIDR", "SLIPWAY_GATEWAY_PORTS", "SLIPWAY_HARDENING", "SLIPWAY_UPGRADE_PATIENCE"}
}

// Shared are the settings that a node which joins has in common with this one,
// by name. A server gets all but those of a host's own, secrets among them; an
// agent gets what pulling images and routing take, and no secret.
func (s Settings) Shared(role Role) map[string]string {
	shared := map[string]string{}
	for _, row := range SettingsTable() {
		if row.show == nil || slices.Contains(nodesOwn(), row.Name) {
			continue
		}
		if role == RoleAgent && !slices.Contains(agentsNeed(), row.Name) {
			continue
		}
		if v := row.show(s); v != "" {
			shared[row.Name] = v
		}
	}
	return shared
}
