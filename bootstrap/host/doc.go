// Package host is the only door through which the installer touches a
// machine: its files, processes, mounts, network, firewall, control groups,
// kernel settings and init system.
//
//	       steps, preflight, uninstall
//	                   |
//	                 Host            (interfaces in host.go)
//	         +---------+---------+
//	         |                   |
//	       Linux           hosttest.Fake
//	(syscalls, /proc,    (a model in memory that
//	 netlink, os/exec)    records and can fail)
//
// Three rules hold for everything here. Nothing is deleted through a mount:
// RemoveTree refuses when a file system is mounted below the path. A process is
// never signalled by number alone: the start time must match too, so that a
// recycled number is never hit. The firewall is never flushed: only chains that
// bear our names, and rules that lead to them, are deleted, one by one.
//
// On a root other than "/" (tests) all paths, /proc and /sys among them, lie
// below it.
package host
