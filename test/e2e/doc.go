// Package e2e shows the product as its users meet it: the real binary,
// installed by install.sh on this machine and on a bare Debian host made for
// the test, used over HTTP, broken on purpose, and removed without a trace.
//
//	make test-e2e                 all of it (root, about a quarter of an hour)
//	KEEP=1 make test-e2e          leave the machine and the hosts as they are
//	SLIPWAY=path make test-e2e    another binary than bin/slipway
//
// Test functions run in the order of the files. Every function starts from a
// machine without Slipway and leaves one, also when it fails; then it first
// prints what explains the failure.
package e2e
