package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// splitColon turns the first word "config:set" into two, and the same after
// help. All else stays as it is.
func splitColon(root *cobra.Command, args []string) []string {
	at := firstWord(root, args)
	if at < 0 {
		return args
	}
	if args[at] == "help" && at+1 < len(args) {
		at++
	}
	left, right, found := strings.Cut(args[at], ":")
	if !found || left == "" || right == "" {
		return args
	}
	out := append([]string{}, args[:at]...)
	out = append(out, left)
	out = append(out, strings.Split(right, ":")...)
	return append(out, args[at+1:]...)
}

// firstWord is the place of the first argument that is no global flag and no
// value of one; -1 when there is none.
func firstWord(root *cobra.Command, args []string) int {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return -1
		case !strings.HasPrefix(arg, "-") || arg == "-":
			return i
		case strings.Contains(arg, "="):
		case strings.HasPrefix(arg, "--"):
			if f := root.PersistentFlags().Lookup(arg[2:]); f != nil && f.NoOptDefVal == "" {
				i++
			}
		case len(arg) == 2:
			if f := root.PersistentFlags().ShorthandLookup(arg[1:]); f != nil && f.NoOptDefVal == "" {
				i++
			}
		}
	}
	return -1
}
