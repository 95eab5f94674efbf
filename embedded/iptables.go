package embedded

import "path/filepath"

// iptablesDir is the tree in Dest.Bin that holds iptables for a host that has
// none. It brings its own C library and loader, so it runs on any host:
//
//	iptables/xtables-nft-multi   iptables, ip6tables and their -save and -restore
//	iptables/ipset
//	iptables/lib/                the loader ("ld.so") and the libraries
//	iptables/xtables/            the match and target extensions
const iptablesDir = "iptables"

// Command is how to start a program: Path is the file to exec, Args its
// arguments with the zeroth, Env what has to be added to the environment.
type Command struct {
	Path string
	Args []string
	Env  []string
}

// IPTablesNames are the names a host expects for the carried packet filter
// tools; each is a first argument for IPTables.
func IPTablesNames() []string {
	return []string{
		"ip6tables", "ip6tables-restore", "ip6tables-save", "ipset",
		"iptables", "iptables-restore", "iptables-save",
	}
}

// IPTables tells how to run the carried tool called name (one of
// IPTablesNames) with args, from the bin directory it was staged to. The tool
// is started through the loader beside it, never through the host's.
func IPTables(bin, name string, args ...string) Command {
	root := filepath.Join(bin, iptablesDir)
	program := filepath.Join(root, "xtables-nft-multi")
	if name == "ipset" {
		program = filepath.Join(root, "ipset")
	}
	loader := filepath.Join(root, "lib", "ld.so")
	argv := []string{loader, "--library-path", filepath.Join(root, "lib"), "--argv0", name, program}
	return Command{
		Path: loader,
		Args: append(argv, args...),
		Env:  []string{"XTABLES_LIBDIR=" + filepath.Join(root, "xtables")},
	}
}
