#!/bin/sh
# Prints one line per thing that an installation could leave on a machine,
# "kind<TAB>thing". POSIX sh with iproute2; reads only. Other programs' work
# may go on beside it, so volatile things (ephemeral ports, counters,
# unrelated processes) are left out.
export LC_ALL=C
say() { while IFS= read -r line; do [ -z "$line" ] || printf '%s\t%s\n' "$1" "$line"; done; }

# Mounts: point, type and source, without those of the tests' own hosts.
awk '{ for (i = 7; i <= NF; i++) if ($i == "-") { print $5, $(i + 1), $(i + 2); break } }' /proc/self/mountinfo |
  grep -v /slipway-hosts/ | say mount

# Network: links, addresses, routes, policy rules, named namespaces.
ip -o link show | awk '{ sub(/@.*/, "", $2); sub(/:$/, "", $2); print $2 }' | grep -v '^slw' | say link
# Link-local addresses come and go with their links.
ip -o addr show | awk '{ print $2, $3, $4 }' | grep -v -e '^slw' -e ' fe80:' | say address
for family in -4 -6; do
  ip $family route show table all 2>/dev/null | grep -v -e 'dev slw' -e fe80: -e ff00: |
    sed -E 's/ (expires|metric|users|used|age) [0-9a-z]+//g; s/ linkdown//; s/ +$//' | say "route$family"
  ip $family rule show 2>/dev/null | say "rule$family"
done
find /run/netns -mindepth 1 2>/dev/null | say netns

# Firewall: rules and chains of both tools, without counters. A chain that was
# made by asking for it, empty and with its default policy, is not a change.
for tool in iptables-save ip6tables-save; do
  command -v $tool >/dev/null 2>&1 || continue
  $tool 2>/dev/null | grep -v '^#' | sed -E 's/ \[[0-9]+:[0-9]+\]$//' |
    grep -vE '^(\*(filter|nat|mangle|raw|security)|:(INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING) ACCEPT|COMMIT)$' | say "$tool"
done
if command -v nft >/dev/null 2>&1; then nft list ruleset 2>/dev/null | grep -E '^table' | grep -vE 'table ip6? (filter|nat|mangle|raw|security) ' | say nft; fi

# Kernel settings that Kubernetes and installers like to change.
for key in net/ipv4/ip_forward net/ipv4/conf/all/forwarding net/ipv6/conf/all/forwarding \
  net/bridge/bridge-nf-call-iptables net/ipv4/conf/all/route_localnet vm/overcommit_memory vm/panic_on_oom \
  kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes \
  fs/inotify/max_user_instances fs/inotify/max_user_watches net/ipv4/tcp_migrate_req vm/max_map_count vm/swappiness; do
  if [ -r /proc/sys/$key ]; then printf '%s %s\n' $key "$(cat /proc/sys/$key)"; fi
done | say sysctl

# Ports below the ephemeral range; k3s, gateway and node ports all are.
ss -Hltnu 2>/dev/null | awk '{ n = split($5, p, ":"); if (p[n] < 32768) print $1, $5 }' | say port

# Processes that are ours or work for us, by program file and by name.
for p in /proc/[0-9]*; do
  exe=$(readlink "$p/exe" 2>/dev/null) || continue
  case $exe in
    /usr/local/bin/slipway* | /var/lib/rancher/* | /var/lib/slipway/* | */containerd | */containerd-shim* | */runc | */k3s | */kubelet)
      printf '%s %s\n' "$exe" "$(tr '\0' ' ' <"$p/cmdline" | cut -c1-120)" ;;
  esac
done | say process

# cgroups made by the kubelet or for pods.
find /sys/fs/cgroup -maxdepth 3 -type d \( -name 'kube*' -o -name 'k8s*' -o -name 'slipway*' -o -name 'k3s*' -o -name 'system.slice:*' \) 2>/dev/null |
  grep -v slipway-test- | say cgroup

# Files: everything below what we own, the names in folders that are shared.
for path in /etc/slipway /var/lib/slipway /var/log/slipway /run/slipway /etc/rancher /var/lib/rancher /run/k3s \
  /run/flannel /var/lib/cni /etc/cni /opt/cni /var/lib/kubelet /var/log/pods /var/log/containers /run/containerd \
  /var/lib/containerd /run/xtables.lock /usr/libexec/kubernetes /var/lib/calico /run/calico; do
  if [ -e "$path" ]; then
    # An empty folder that the system keeps mounted is not ours to remove.
    find "$path" -xdev 2>/dev/null | head -50 | say file
  fi
done
for path in /usr/local/bin /usr/local/sbin /opt/bin /etc/systemd/system /etc/systemd/system/multi-user.target.wants \
  /etc/init.d /etc/conf.d /etc/default /etc/sysconfig /etc/sysctl.d /etc/modules-load.d /etc/logrotate.d /etc/profile.d \
  /etc/cron.d /etc /opt /var/lib /var/log /run /usr/local/share /root /var/tmp; do
  find "$path" -mindepth 1 -maxdepth 1 2>/dev/null
done | grep -vE '^/var/tmp/(slipway-hosts|slipway-e2e|go-build|systemd-private)|^/run/(user|log|systemd|lock|utmp|udev|netns)|^/root/\.|^/var/log/(journal|wtmp|btmp|lastlog)' | say entry
