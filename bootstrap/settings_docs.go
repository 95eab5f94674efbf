package bootstrap

import (
	"fmt"
	"strings"
)

// SettingsMarkdown is docs/settings.md, made from the table.
func SettingsMarkdown() string {
	var b strings.Builder
	b.WriteString(`# Settings

<!-- Made from the table in bootstrap/settings_table.go; do not edit. -->

A setting can be given as a flag of ` + "`slipway install`" + `, in the environment, or in
` + "`/etc/slipway/config.yaml`" + `. A flag wins over the environment, the environment
over the file. What was given is kept: a second ` + "`slipway install`" + ` needs nothing.
Secrets are kept in ` + "`/etc/slipway/credentials`" + `, which only root can read.

*honoured* means what its first user says it means; *mapped* has the nearest
meaning that this product has; *refused* has no effect, for the reason given. A
refused name that is set makes the installer say so, unless it asks for what
happens anyway.
`)
	group := ""
	for _, row := range orderedByGroup() {
		if row.Group != group {
			group = row.Group
			fmt.Fprintf(&b, "\n## %s\n\n| name | key in config.yaml | default | meaning | |\n| --- | --- | --- | --- | --- |\n", group)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", row.Name, code(row.keyText()), row.Default, cell(row.Meaning), cell(row.verdictText()))
	}
	return b.String()
}

// orderedByGroup keeps the order within each group.
func orderedByGroup() []Setting {
	var all []Setting
	for _, g := range []string{groupGuide, groupController, groupBackup, groupCluster, groupK3s, groupInstaller, groupProxy} {
		for _, row := range SettingsTable() {
			if row.Group == g {
				all = append(all, row)
			}
		}
	}
	return all
}

func (s Setting) keyText() string {
	if s.Verdict == Refused {
		return ""
	}
	return s.Key
}

func (s Setting) verdictText() string {
	t := string(s.Verdict)
	if s.Effect != "" {
		t += ": " + s.Effect
	}
	return t
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// cell keeps a text from ending a table cell, and angle brackets from being
// taken for HTML.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`).Replace(s)
}
