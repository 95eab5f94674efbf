package main

import (
	"path/filepath"
	"strings"

	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/bootstrap/k3s/flannel"
	"github.com/slipway-paas/slipway/embedded"
)

// programs are the names under which this binary is another program. k3s
// finds them as links in the folder of node binaries.
func programs() map[string]func() {
	m := k3s.Programs()
	m["flannel"] = flannel.Main
	return m
}

// auxDir is the folder in bin whose scripts stand in for tools that a bare host
// lacks. It comes last on the PATH, so that the host's own win.
func auxDir(bin string) string { return filepath.Join(bin, "aux") }

// carriedScript starts the carried packet filter tool called name. It is a
// script and no link to this binary: a library linked into it runs iptables
// when it is loaded, before main, and would start itself without end.
func carriedScript(bin, name string) []byte {
	c := embedded.IPTables(bin, name)
	words := append(append([]string{}, c.Env...), "exec")
	for _, word := range append([]string{c.Path}, c.Args[1:]...) {
		words = append(words, "'"+strings.ReplaceAll(word, "'", `'\''`)+"'")
	}
	return []byte("#!/bin/sh\n" + strings.Join(words, " ") + " \"$@\"\n")
}
