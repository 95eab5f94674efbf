// Package push pushes to an appliance on a bare host with real git and OpenSSH
// clients: branches, tags, large and binary trees, several at once, clients and
// servers that are killed on the way; and has it fetch from a repository when a
// build hook is called. With build tag e2e; as root; bin/slipway has to be there.
package push
