// Package harness makes bare hosts out of one machine, to install on: own
// network, process, mount, host name, IPC and cgroup namespaces, an overlay
// over a small Debian root, and a real systemd as process 1.
//
//	 machine ── slwtest0 172.31.77.1/24 ──┬── veth ── eth0 172.31.77.11  host "alpha"
//	                                      └── veth ── eth0 172.31.77.12  host "beta"
//
//	/var/tmp/slipway-hosts/alpha/
//	    host.json    who runs it (process and its start time), for the sweep
//	    upper work   the overlay: what the host wrote survives a reboot
//	    data         /var/lib (containerd refuses to work on an overlay)
//	    console.log  what process 1 printed
//
// The bridge is not routed anywhere: a host reaches the machine and its
// siblings, and nothing else.
//
// A host dies with the program that made it. What a killed program leaves
// (folders, cgroups, the bridge) Sweep removes, by the state files; every Boot
// sweeps first. All of this needs root.
package harness
