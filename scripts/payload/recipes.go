package main

import "strings"

// recipes are all components, those that take longest to build first.
func recipes() []recipe {
	return append(append(append(clusterRecipes(), serviceRecipes()...), nodeRecipes()...), packsRecipe())
}

// packsRecipe is what source trees without a Dockerfile are built with.
func packsRecipe() recipe {
	const lifecycle = "github.com/buildpacks/lifecycle"
	return recipe{
		Name: "buildpacks", Module: lifecycle, Packs: true,
		Programs: []program{
			{"packs", "."}, {"serve", "./serve"},
			{"lifecycle", lifecycle + "/cmd/lifecycle"}, {"launcher", lifecycle + "/cmd/launcher"},
		},
		LDFlags: "-X " + lifecycle + "/cmd.Version={version}",
		Debian:  []string{"bash", "busybox-static", "ca-certificates", "libc6", "libgcc-s1", "libstdc++6", "libtinfo6", "tzdata"},
	}
}

// clusterRecipes are the programs that are Kubernetes clients.
func clusterRecipes() []recipe {
	return []recipe{
		{
			Name: "traefik", Module: "github.com/traefik/traefik/v3",
			Programs: []program{{"traefik", "."}},
			LDFlags:  "-X github.com/traefik/traefik/v3/pkg/version.Version={version}",
			Debian:   []string{"ca-certificates"},
			Image:    &image{BindLow: true, Certs: true, Dirs: []dir{{"/data"}}, Ports: []int{80, 443}},
		},
		{
			Name: "metrics-server", Module: "sigs.k8s.io/metrics-server",
			Programs: []program{{"metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server"}},
			LDFlags:  "-X k8s.io/client-go/pkg/version.gitVersion={version}",
			Image:    &image{},
		},
		{
			Name: "coredns", Module: "github.com/coredns/coredns",
			Programs: []program{{"coredns", "."}},
			Image:    &image{Ports: []int{53}},
		},
		{
			Name: "kube-state-metrics", Module: "k8s.io/kube-state-metrics/v2",
			Programs: []program{{"kube-state-metrics", "k8s.io/kube-state-metrics/v2"}},
			LDFlags:  "-X github.com/prometheus/common/version.Version={version}",
			Image:    &image{Ports: []int{8080, 8081}},
		},
		{
			Name: "local-path-provisioner", Module: "github.com/rancher/local-path-provisioner",
			Programs: []program{{"local-path-provisioner", "github.com/rancher/local-path-provisioner"}},
			LDFlags:  "-X main.VERSION={version}",
			Image:    &image{},
		},
	}
}

// serviceRecipes are the programs that know nothing of Kubernetes.
func serviceRecipes() []recipe {
	return []recipe{
		{
			Name: "registry", Module: "github.com/distribution/distribution/v3",
			Programs: []program{{"registry", "github.com/distribution/distribution/v3/cmd/registry"}},
			LDFlags:  "-X github.com/distribution/distribution/v3/version.version={version}",
			Debian:   []string{"ca-certificates"},
			Image:    &image{Certs: true, Dirs: []dir{{"/var/lib/registry"}}, Ports: []int{5000}, Environment: []string{"OTEL_TRACES_EXPORTER=none"}},
		},
		{
			Name: "versitygw", Module: "github.com/versity/versitygw",
			Programs: []program{{"versitygw", "github.com/versity/versitygw/cmd/versitygw"}},
			LDFlags:  "-X main.Version={version}",
			Image:    &image{Dirs: []dir{{"/data"}}, Ports: []int{7070}},
		},
		{
			Name: "victoria-metrics", Module: "github.com/VictoriaMetrics/VictoriaMetrics",
			Programs: []program{{"victoria-metrics", "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics"}},
			LDFlags:  "-X github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version=victoria-metrics-{version}",
			Image:    &image{Dirs: []dir{{"/data"}}, Ports: []int{8428}},
		},
		{
			Name: "node-exporter", Module: "github.com/prometheus/node_exporter",
			Programs: []program{{"node-exporter", "github.com/prometheus/node_exporter"}},
			LDFlags:  "-X github.com/prometheus/common/version.Version={version}",
			Image:    &image{Ports: []int{9100}},
		},
		{
			Name: "hello", Version: "v1.0.0",
			Programs: []program{{"hello", "."}},
			Image:    &image{Ports: []int{5000}},
		},
		{
			Name: "filer", Version: "v1.0.0",
			Programs: []program{{"filer", "."}},
			Image:    &image{Dirs: []dir{{"/data"}}, Ports: []int{9000, 9100}},
		},
		{
			Name: "builder", Version: "v1.0.0", Cgo: true, Tags: "seccomp,netgo,osusergo",
			Programs: []program{
				{"builder", "."}, {"solve", "./solve"},
				{"buildkitd", "github.com/moby/buildkit/cmd/buildkitd"},
				{"runc", "github.com/opencontainers/runc"},
				{"bridge", "github.com/containernetworking/plugins/plugins/main/bridge"},
				{"loopback", "github.com/containernetworking/plugins/plugins/main/loopback"},
				{"host-local", "github.com/containernetworking/plugins/plugins/ipam/host-local"},
			},
			LDFlags: "-X github.com/moby/buildkit/version.Version=v0.32.2",
			Debian:  []string{"ca-certificates"},
			Image:   &image{Root: true, Certs: true, Dirs: []dir{{"/var/lib/buildkit"}}},
		},
		{
			Name: "pause", Version: "v1.0.0",
			Programs: []program{{"pause", "."}},
			Image:    &image{},
		},
		{
			Name: "busybox", Debian: []string{"busybox-static"},
			Image: &image{Root: true, Busybox: "bin/busybox", Applets: applets()},
		},
	}
}

// nodeRecipes are the programs of the node itself.
func nodeRecipes() []recipe {
	const plugins = "github.com/containernetworking/plugins"
	return []recipe{
		{
			Name: "runc", Module: "github.com/opencontainers/runc", Cgo: true,
			Programs: []program{{"runc", "github.com/opencontainers/runc"}},
			Tags:     "seccomp,netgo,osusergo",
		},
		{
			Name: "containerd-shim", Module: "github.com/containerd/containerd/v2",
			Programs: []program{{"containerd-shim-runc-v2", "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"}},
			LDFlags:  "-X github.com/containerd/containerd/v2/version.Version={version}",
		},
		{
			Name: "cni-plugins", Module: plugins, Joined: "cni",
			Programs: []program{
				{"bandwidth", plugins + "/plugins/meta/bandwidth"},
				{"bridge", plugins + "/plugins/main/bridge"},
				{"firewall", plugins + "/plugins/meta/firewall"},
				{"host-local", plugins + "/plugins/ipam/host-local"},
				{"loopback", plugins + "/plugins/main/loopback"},
				{"portmap", plugins + "/plugins/meta/portmap"},
			},
			LDFlags: "-X " + plugins + "/pkg/utils/buildversion.BuildVersion={version}",
		},
		{
			Name: "iptables",
			Debian: []string{
				"iptables", "ipset", "libc6", "libip4tc2", "libip6tc2", "libipset13", "libmnl0",
				"libnetfilter-conntrack3", "libnfnetlink0", "libnftnl11", "libxtables12",
			},
			Tree: &tree{
				Programs: []string{"usr/sbin/xtables-nft-multi", "usr/sbin/ipset"},
				Plugins:  "xtables", Skip: []string{"libebt_", "libarpt_"},
			},
		},
		{
			// All that a server of repositories needs is in the one program.
			Name: "git", Debian: []string{"git", "libc6", "libpcre2-8-0", "zlib1g"},
			Tree: &tree{Programs: []string{"usr/bin/git"}, Launchers: []string{"git"}},
		},
	}
}

// applets are busybox's names that scripts in a cluster use.
func applets() []string {
	return strings.Fields(`ash awk basename cat chgrp chmod chown clear cmp cp cut date dd df diff dirname
		dmesg du echo egrep env expr false fgrep find free getopt grep gunzip gzip head hostname id ip kill killall
		less ln ls md5sum mkdir mkfifo mknod mktemp more mount mv nc netstat nslookup od pidof ping
		printf ps pwd readlink realpath rm rmdir route sed seq sh sha1sum sha256sum sha512sum sleep sort stat
		stty su sync tail tar tee telnet test time timeout top touch tr traceroute true truncate tty umount uname
		uniq unlink unzip uptime usleep vi watch wc wget which whoami xargs yes zcat`)
}
