package bootstrap

import "strings"

func k3sSettings() []Setting {
	g := groupK3s
	all := []Setting{
		{Name: "K3S_URL", Group: g, Key: "server", Verdict: Honoured, Meaning: "server of the cluster to join, https://<address>:6443",
			apply: joinURL, show: func(s Settings) string { return s.JoinURL }},
		{Name: "K3S_TOKEN", Group: g, Verdict: Honoured, Secret: true, Meaning: "token with which to join (slipway token create), kept in /etc/slipway/credentials",
			apply: func(s *Settings, v string) (string, string) {
				s.JoinToken = NewSecret(v)
				return "", ""
			},
			show: func(s Settings) string { return s.JoinToken.Reveal() }},
		{Name: "K3S_TOKEN_FILE", Group: g, Key: "token-file", Verdict: Honoured, Meaning: "file with the secret of the cluster",
			apply: folder(func(s *Settings) *string { return &s.TokenFile }), show: func(s Settings) string { return s.TokenFile }},
		{Name: "K3S_NODE_NAME", Group: g, Key: "node-name", Default: "host name", Verdict: Honoured, Meaning: "name of this node",
			apply: kubeName(func(s *Settings) *string { return &s.NodeName }), show: func(s Settings) string { return s.NodeName }},
		{Name: "K3S_KUBECONFIG_MODE", Group: g, Key: "kubeconfig-mode", Default: "0600", Verdict: Honoured,
			Meaning: "permission of /etc/rancher/k3s/k3s.yaml", apply: octal, show: func(s Settings) string { return s.KubeMode }},
		refused(g, "K3S_KUBECONFIG_OUTPUT", "where the kubeconfig is written", "it is always /etc/rancher/k3s/k3s.yaml"),
		refused(g, "K3S_CONFIG_FILE", "configuration file of k3s", "it is always /etc/rancher/k3s/config.yaml, and is written by the installer; add a file in /etc/rancher/k3s/config.yaml.d"),
		{Name: "K3S_RESOLV_CONF", Group: g, Key: "resolv-conf", Verdict: Honoured, Meaning: "resolv.conf that pods inherit",
			apply: folder(func(s *Settings) *string { return &s.ResolvConf }), show: func(s Settings) string { return s.ResolvConf }},
		refused(g, "K3S_CLUSTER_INIT", "start a cluster with etcd", "the datastore becomes etcd by itself when the second server joins"),
	}
	for _, r := range []struct {
		name, meaning string
		secret        bool
	}{
		{"K3S_AGENT_TOKEN", "secret for agents only", true},
		{"K3S_DATASTORE_ENDPOINT", "database of the cluster", true},
		{"K3S_DATASTORE_CAFILE", "certificate authority of that database", false},
		{"K3S_DATASTORE_CERTFILE", "client certificate for that database", false},
		{"K3S_DATASTORE_KEYFILE", "client key for that database", false},
		{"K3S_DEBUG", "more log messages", false},
		{"K3S_LB_SERVER_PORT", "port of an agent's own load balancer", false},
		{"K3S_SELINUX", "SELinux in containerd", false},
	} {
		all = append(all, passOn(r.name, r.meaning, r.secret))
	}
	return all
}

// passOn makes a row for a name that k3s reads from the environment by itself.
func passOn(name, meaning string, secret bool) Setting {
	row := Setting{Name: name, Group: groupK3s, Verdict: Honoured, Meaning: meaning, Secret: secret,
		Key: strings.ToLower(strings.ReplaceAll(name, "_", "-")),
		apply: func(s *Settings, v string) (string, string) {
			if strings.ContainsAny(v, "\n\r\x00") {
				return "has a line break", "give it in one line"
			}
			s.K3sEnv[name] = NewSecret(v)
			return "", ""
		},
		show: func(s Settings) string { return s.K3sEnv[name].Reveal() }}
	if secret {
		row.Key = ""
	}
	return row
}

func installerSettings() []Setting {
	g := groupInstaller
	all := []Setting{
		{Name: "INSTALL_ROLE", Group: g, Key: "role", Default: "server, or agent when K3S_URL is set", Verdict: Honoured,
			Meaning: "what this node does: server or agent", apply: role, show: func(s Settings) string { return string(s.Role) }},
		{Name: "SLIPWAY_SERVICE_MANAGER", Group: g, Key: "service-manager", Default: "what the host has", Verdict: Honoured,
			Meaning: "systemd, openrc or none", apply: manager, show: func(s Settings) string { return s.ServiceManager }},
		{Name: "SLIPWAY_NODE_IP", Group: g, Key: "node-ip", Default: "chosen by k3s", Verdict: Honoured,
			Meaning: "address of this node", apply: address, show: func(s Settings) string { return s.NodeIP }},
	}
	for _, p := range []string{"INSTALL_K3S_", "INSTALL_SLIPWAY_"} {
		all = append(all, installerTwins(p)...)
	}
	for _, name := range []string{"SLIPWAY_BINARY", "INSTALL_SLIPWAY_URL", "INSTALL_SLIPWAY_VERSION", "INSTALL_SLIPWAY_SHA256",
		"INSTALL_SLIPWAY_SKIP_DOWNLOAD", "INSTALL_SLIPWAY_MIRROR"} {
		all = append(all, Setting{Name: name, Group: g, Verdict: Honoured, Meaning: "read by install.sh, which finds the binary"})
	}
	mapped := func(name, effect string) Setting {
		return Setting{Name: name, Group: g, Verdict: Mapped, Meaning: "option of k3s's installer", Effect: effect}
	}
	return append(all,
		mapped("INSTALL_K3S_SKIP_DOWNLOAD", "always so: nothing is downloaded"),
		mapped("INSTALL_K3S_SKIP_SELINUX_RPM", "always so: no packages are installed"),
		refused(g, "INSTALL_K3S_VERSION", "version of k3s", "k3s is part of the binary: slipway version names its version"),
		refused(g, "INSTALL_K3S_CHANNEL", "release channel of k3s", "k3s is part of the binary"),
		refused(g, "INSTALL_K3S_CHANNEL_URL", "address of the release channels", "k3s is part of the binary"),
		refused(g, "INSTALL_K3S_COMMIT", "commit of k3s", "k3s is part of the binary"),
		refused(g, "INSTALL_K3S_MIRROR", "download mirror of k3s", "nothing is downloaded"),
		refused(g, "INSTALL_K3S_NAME", "name of the service", "the service is always called slipway"),
		refused(g, "INSTALL_K3S_TYPE", "type of the service", "the service is always of type notify"),
		refused(g, "INSTALL_K3S_SYMLINK", "kubectl, crictl and ctr as symlinks", "no names of other programs are taken: use slipway kubectl"),
		refused(g, "INSTALL_K3S_BIN_DIR_READ_ONLY", "leave the binary alone", "the binary is what is installed"),
		refused(g, "INSTALL_K3S_SELINUX_WARN", "go on without the SELinux policy", "no SELinux policy is looked for"),
	)
}

// installerTwins are the options that k3s's installer and ours share.
func installerTwins(prefix string) []Setting {
	g := groupInstaller
	row := func(name, key, def, meaning string, c check, show func(Settings) string) Setting {
		if prefix != "INSTALL_SLIPWAY_" { // one of the two names keeps it
			key, show = "", nil
		}
		return Setting{Name: prefix + name, Group: g, Key: key, Default: def, Verdict: Honoured, Meaning: meaning, apply: c, show: show}
	}
	return []Setting{
		row("BIN_DIR", "bin-dir", "/usr/local/bin", "folder for the binary",
			folder(func(s *Settings) *string { return &s.BinDir }), func(s Settings) string { return s.BinDir }),
		row("SYSTEMD_DIR", "systemd-dir", "/etc/systemd/system", "folder for the unit",
			folder(func(s *Settings) *string { return &s.SystemdDir }), func(s Settings) string { return s.SystemdDir }),
		row("EXEC", "k3s-args", "", "more arguments for k3s; a leading server or agent is the role",
			arguments, func(s Settings) string { return joinWords(s.K3sArgs) }),
		row("SKIP_START", "", "false", "do not start the service", boolean(func(s *Settings) *bool { return &s.SkipStart }), nil),
		row("SKIP_ENABLE", "", "false", "do not start the service at boot", boolean(func(s *Settings) *bool { return &s.SkipEnable }), nil),
		row("FORCE_RESTART", "", "false", "restart the service even if nothing changed", boolean(func(s *Settings) *bool { return &s.ForceRestart }), nil),
	}
}

func proxySettings() []Setting {
	var all []Setting
	for _, prefix := range []string{"", "CONTAINERD_"} {
		for _, base := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
			name := prefix + base
			meaning := "proxy for pulling images of apps, kept for the service"
			if prefix != "" {
				meaning += "; for containerd only"
			}
			// The address may hold a password.
			all = append(all, Setting{Name: name, Group: groupProxy, Verdict: Honoured, Meaning: meaning, Secret: base != "NO_PROXY",
				Key: map[bool]string{true: strings.ToLower(strings.ReplaceAll(name, "_", "-"))}[base == "NO_PROXY"],
				apply: func(s *Settings, v string) (string, string) {
					if strings.ContainsAny(v, "\n\r\x00") {
						return "has a line break", "give it in one line"
					}
					s.Proxy[name] = NewSecret(v)
					return "", ""
				},
				show: func(s Settings) string { return s.Proxy[name].Reveal() }})
		}
	}
	return all
}
