package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const referencePath = "../../docs/cli.md"

// startOfReference is where the part of docs/cli.md begins that is made here.
const startOfReference = "<!-- Made from the commands in cmd/drycc; do not edit below. -->\n"

func TestReference(t *testing.T) {
	raw, err := os.ReadFile(referencePath)
	require.NoError(t, err)
	head, _, found := strings.Cut(string(raw), startOfReference)
	require.True(t, found, "docs/cli.md has no line %q", startOfReference)
	p := newProgram(nil, nil, nil, func(string) string { return "" })
	var b strings.Builder
	b.WriteString("\n## Commands\n")
	for _, c := range p.root.Commands() {
		describe(&b, c)
	}
	want := head + startOfReference + b.String()
	if *updateFlag {
		require.NoError(t, os.WriteFile(referencePath, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(raw), "run go test ./cmd/drycc -run TestReference -update")
}

// describe writes a command of the top and those below it.
func describe(b *strings.Builder, c *cobra.Command) {
	if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
		return
	}
	fmt.Fprintf(b, "\n### drycc %s\n\n%s.\n", c.Name(), c.Short)
	b.WriteString("\n| Command | Flags | |\n| --- | --- | --- |\n")
	row(b, c)
}

func row(b *strings.Builder, c *cobra.Command) {
	text := c.Short
	if c.HasSubCommands() {
		text = "As the command that follows from the group's name: its list or info."
	}
	if !c.HasSubCommands() || c.Flags().Lookup("app") != nil || c.Flags().Lookup("output") != nil {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", strings.ReplaceAll(line(c), "|", `\|`), flags(c), text)
	}
	for _, sub := range c.Commands() {
		row(b, sub)
	}
}

func line(c *cobra.Command) string {
	_, args, _ := strings.Cut(c.Use, " ")
	return strings.TrimSpace(c.CommandPath() + " " + args)
}

func flags(c *cobra.Command) string {
	var names []string
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Shorthand != "" {
			names = append(names, fmt.Sprintf("`-%s --%s`", f.Shorthand, f.Name))
			return
		}
		names = append(names, "`--"+f.Name+"`")
	})
	return strings.Join(names, " ")
}

// Every list and every info shows its objects for programs as well.
func TestWhatShowsObjectsShowsThemAsJSON(t *testing.T) {
	p := newProgram(nil, nil, nil, func(string) string { return "" })
	var walk func(*cobra.Command)
	count := 0
	walk = func(c *cobra.Command) {
		switch c.Name() {
		case "list", "info", "describe", "specs", "plans", "services":
			count++
			assert.NotNil(t, c.Flags().Lookup("output"), c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(p.root)
	assert.Greater(t, count, 40)
}

func TestEveryCommandOfTheGuideIsThere(t *testing.T) {
	p := newProgram(nil, nil, nil, func(string) string { return "" })
	p.root.InitDefaultCompletionCmd("")
	for _, name := range strings.Fields(`login logout whoami create info open pull builds config ps pts scale releases rollback run
		exec logs limits autoscale healthchecks lifecycles timeouts tags labels domains certs tls routing services gateways routes volumes
		resources keys perms users workspaces tokens git registry version update plugins completion apps auth autodeploy autorollback register`) {
		c, _, err := p.root.Find([]string{name})
		require.NoError(t, err, name)
		assert.Equal(t, name, c.Name())
	}
}
