package host

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Rules implements Firewall. The tools of the nf_tables kind and of the legacy
// kind see different tables, so both are asked; two names of one program are
// one tool.
func (l *Linux) Rules(ctx context.Context) ([]RuleDump, error) {
	var dumps []RuleDump
	for _, family := range []string{"iptables", "ip6tables"} {
		seen := map[string]bool{}
		for _, variant := range []string{"", "-nft", "-legacy"} {
			tool := family + variant
			path, err := l.LookPath(tool + "-save")
			if errors.Is(err, ErrNoCommand) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if real, err := filepath.EvalSymlinks(path); err == nil {
				kind := filepath.Base(real)
				if seen[kind] {
					continue
				}
				seen[kind] = true
			}
			out, err := l.Run(ctx, Command{Name: tool + "-save"})
			if err != nil {
				// A kernel without IPv6 or without this kind of table.
				if family == "ip6tables" || variant != "" {
					continue
				}
				return nil, fmt.Errorf("read firewall rules: %w", err)
			}
			dumps = append(dumps, RuleDump{Tool: tool, Text: string(out.Stdout)})
		}
	}
	return dumps, nil
}

// EditRules implements Firewall.
func (l *Linux) EditRules(ctx context.Context, tool, script string) error {
	_, err := l.Run(ctx, Command{
		Name: tool + "-restore", Args: []string{"--noflush", "--wait=10"}, Stdin: []byte(script),
	})
	if err != nil {
		return fmt.Errorf("edit firewall rules: %w", err)
	}
	return nil
}

// Table is one table of a rule dump.
type Table struct {
	Name   string
	Chains []Chain
	Rules  []string // as saved: "-A CHAIN …"
}

// Chain is a chain with its policy; "-" for one that a user made.
type Chain struct {
	Name   string
	Policy string
}

// ParseRules reads the text of iptables-save. Counters and comments are left
// out.
func ParseRules(text string) []Table {
	var tables []Table
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r ")
		switch {
		case strings.HasPrefix(line, "*"):
			tables = append(tables, Table{Name: line[1:]})
		case len(tables) == 0:
		case strings.HasPrefix(line, ":"):
			f := strings.Fields(line[1:])
			if len(f) >= 2 {
				t := &tables[len(tables)-1]
				t.Chains = append(t.Chains, Chain{Name: f[0], Policy: f[1]})
			}
		case strings.HasPrefix(line, "["): // saved with counters
			if _, rule, ok := strings.Cut(line, "] "); ok && strings.HasPrefix(rule, "-A ") {
				t := &tables[len(tables)-1]
				t.Rules = append(t.Rules, rule)
			}
		case strings.HasPrefix(line, "-A "):
			t := &tables[len(tables)-1]
			t.Rules = append(t.Rules, line)
		}
	}
	return tables
}

// ourChainPrefixes begin the names of the chains that kube-proxy, the network
// policy controller, the CNI plugins and flannel make.
func ourChainPrefixes() []string { return []string{"KUBE-", "CNI-", "FLANNEL-"} }

// ourComments are what those programs write on rules of theirs that lead to no
// chain of theirs.
func ourComments() []string {
	return []string{"flanneld masq", "flanneld forward", "KUBE-ROUTER rule"}
}

func ourChain(name string) bool {
	for _, p := range ourChainPrefixes() {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// RemovalScript returns the restore script that takes our rules and chains out
// of a tool's tables, "" when there are none. What was there before the install
// stays, whatever its name; before is the dump of that time.
//
// The order within a table is the one the kernel asks for: first the rules in
// other chains that lead to ours, then our chains emptied, then deleted.
func RemovalScript(now, before string) string {
	var script strings.Builder
	old := map[string]Table{}
	for _, t := range ParseRules(before) {
		old[t.Name] = t
	}
	for _, t := range ParseRules(now) {
		lines := removeFromTable(t, old[t.Name])
		if len(lines) == 0 {
			continue
		}
		fmt.Fprintf(&script, "*%s\n%s\nCOMMIT\n", t.Name, strings.Join(lines, "\n"))
	}
	return script.String()
}

func removeFromTable(t, before Table) []string {
	keepChain := map[string]bool{}
	for _, c := range before.Chains {
		keepChain[c.Name] = true
	}
	keepRule := map[string]int{}
	for _, r := range before.Rules {
		keepRule[r]++
	}
	ours := map[string]bool{}
	for _, c := range t.Chains {
		if ourChain(c.Name) && c.Policy == "-" && !keepChain[c.Name] {
			ours[c.Name] = true
		}
	}
	var lines []string
	for _, r := range t.Rules {
		words := splitRule(r)
		if len(words) < 2 || ours[words[1]] {
			continue // goes with its chain
		}
		if keepRule[r] > 0 {
			keepRule[r]--
			continue
		}
		if leadsTo(words, ours) || commentedByUs(words) {
			lines = append(lines, "-D "+strings.TrimPrefix(r, "-A "))
		}
	}
	for _, verb := range []string{"-F ", "-X "} {
		for _, c := range t.Chains {
			if ours[c.Name] {
				lines = append(lines, verb+c.Name)
			}
		}
	}
	return lines
}

// splitRule cuts a rule into words, with quoted words whole and unquoted.
func splitRule(rule string) []string {
	var words []string
	var word strings.Builder
	quoted, started := false, false
	for i := 0; i < len(rule); i++ {
		c := rule[i]
		switch {
		case c == '\\' && quoted && i+1 < len(rule):
			i++
			word.WriteByte(rule[i])
		case c == '"':
			quoted, started = !quoted, true
		case c == ' ' && !quoted:
			if started {
				words = append(words, word.String())
				word.Reset()
				started = false
			}
		default:
			word.WriteByte(c)
			started = true
		}
	}
	if started {
		words = append(words, word.String())
	}
	return words
}

func leadsTo(words []string, chains map[string]bool) bool {
	for i := 2; i+1 < len(words); i++ {
		switch words[i] {
		case "-j", "--jump", "-g", "--goto":
			if chains[words[i+1]] {
				return true
			}
		}
	}
	return false
}

func commentedByUs(words []string) bool {
	for i := 2; i+1 < len(words); i++ {
		if words[i] != "--comment" {
			continue
		}
		for _, c := range ourComments() {
			if strings.HasPrefix(words[i+1], c) {
				return true
			}
		}
	}
	return false
}

// OurRule reports whether a line of PlainRules is a chain of ours, a rule in one,
// or a rule that leads to one.
func OurRule(line string) bool {
	words := splitRule(line)
	if len(words) < 2 {
		return false
	}
	if chain, ok := strings.CutPrefix(words[1], ":"); ok {
		return ourChain(chain)
	}
	if len(words) < 3 || ourChain(words[2]) {
		return len(words) >= 3
	}
	for i := 3; i+1 < len(words); i++ {
		switch words[i] {
		case "-j", "-g":
			if ourChain(words[i+1]) {
				return true
			}
		}
	}
	return commentedByUs(words)
}

// PlainRules returns what a dump says in a form that can be compared: no
// counters, no empty tables, built-in chains only when their policy is not
// ACCEPT.
func PlainRules(text string) []string {
	var lines []string
	for _, t := range ParseRules(text) {
		for _, c := range t.Chains {
			if c.Policy != "ACCEPT" {
				lines = append(lines, fmt.Sprintf("%s :%s %s", t.Name, c.Name, c.Policy))
			}
		}
		for _, r := range t.Rules {
			lines = append(lines, t.Name+" "+r)
		}
	}
	return lines
}
