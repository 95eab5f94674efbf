package embedded

import "path/filepath"

// gitDir is the tree in Dest.Bin that holds git. Hosts need none, and get none
// on their PATH:
//
//	git/git        the program, which is all of git that a server needs
//	git/core/git   a script that starts it, for git to find itself
//	git/lib/       the loader ("ld.so") and the libraries
const gitDir = "git"

// Git tells how to run the carried git from the bin directory it was staged
// to. Env has to be its whole PATH: the programs it finds there are its own.
func Git(bin string, args ...string) Command {
	root := filepath.Join(bin, gitDir)
	loader, core := filepath.Join(root, "lib", "ld.so"), filepath.Join(root, "core")
	argv := []string{loader, "--library-path", filepath.Join(root, "lib"), "--argv0", "git", filepath.Join(root, "git")}
	return Command{
		Path: loader,
		Args: append(argv, args...),
		Env:  []string{"PATH=" + core, "GIT_EXEC_PATH=" + core},
	}
}
