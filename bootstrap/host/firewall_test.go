package host

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run the test with -update if this is meant")
}

func dump(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(data)
}

// TestRemovalScript takes a node's rules out of the tables of a host whose owner
// has rules of every awkward kind.
func TestRemovalScript(t *testing.T) {
	golden(t, "rules-node.removal", RemovalScript(dump(t, "rules-node"), dump(t, "rules-before")))
}

func TestRemovalScriptLeavesAnOwnersHostAlone(t *testing.T) {
	assert.Empty(t, RemovalScript(dump(t, "rules-before"), dump(t, "rules-before")))
	assert.Empty(t, RemovalScript("", ""))
}

// TestRemovalScriptTouchesOnlyOurs plays the script on the dump and compares
// with the dump of before.
func TestRemovalScriptTouchesOnlyOurs(t *testing.T) {
	before, node := dump(t, "rules-before"), dump(t, "rules-node")
	script := RemovalScript(node, before)
	for _, line := range strings.Split(script, "\n") {
		if rule, ok := strings.CutPrefix(line, "-D "); ok {
			assert.NotContains(t, before, "-A "+rule)
		}
		if chain, ok := strings.CutPrefix(line, "-F "); ok {
			assert.Regexp(t, `^(KUBE-|CNI-|FLANNEL-)`, chain)
			assert.NotContains(t, before, ":"+chain+" ")
		}
	}
	left := play(t, node, script)
	assert.Equal(t, PlainRules(before), PlainRules(left))
}

// play applies a removal script to a dump, by text.
func play(t *testing.T, text, script string) string {
	t.Helper()
	tables := ParseRules(text)
	table := -1
	for _, line := range strings.Split(strings.TrimSpace(script), "\n") {
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(line, "*"):
			for i := range tables {
				if tables[i].Name == line[1:] {
					table = i
				}
			}
		case verb == "-D":
			tables[table].Rules = drop(t, tables[table].Rules, func(r string) bool { return r == "-A "+rest })
		case verb == "-F":
			var kept []string
			for _, r := range tables[table].Rules {
				if !strings.HasPrefix(r, "-A "+rest+" ") {
					kept = append(kept, r)
				}
			}
			tables[table].Rules = kept
		case verb == "-X":
			for _, r := range tables[table].Rules {
				assert.NotContains(t, r+" ", " "+rest+" ", "the kernel refuses: the chain is in use")
			}
			for i, c := range tables[table].Chains {
				if c.Name == rest {
					tables[table].Chains = append(tables[table].Chains[:i:i], tables[table].Chains[i+1:]...)
					break
				}
			}
		default:
			require.Equal(t, "COMMIT", line)
		}
	}
	var b strings.Builder
	for _, tb := range tables {
		b.WriteString("*" + tb.Name + "\n")
		for _, c := range tb.Chains {
			b.WriteString(":" + c.Name + " " + c.Policy + " [0:0]\n")
		}
		b.WriteString(strings.Join(tb.Rules, "\n") + "\nCOMMIT\n")
	}
	return b.String()
}

func drop(t *testing.T, list []string, match func(string) bool) []string {
	t.Helper()
	for i, r := range list {
		if match(r) {
			return append(list[:i:i], list[i+1:]...)
		}
	}
	require.Fail(t, "the kernel refuses: no such rule")
	return nil
}

// TestOwnersDuplicatesAreCounted: a rule that was there twice and is there three
// times loses one, if it is of ours.
func TestOwnersDuplicatesAreCounted(t *testing.T) {
	rule := `-A FORWARD -m comment --comment "flanneld forward" -j ACCEPT` + "\n"
	before := "*filter\n:FORWARD ACCEPT [0:0]\n" + rule + "COMMIT\n"
	now := "*filter\n:FORWARD ACCEPT [0:0]\n" + rule + rule + "COMMIT\n"
	assert.Equal(t, "*filter\n-D FORWARD -m comment --comment \"flanneld forward\" -j ACCEPT\nCOMMIT\n", RemovalScript(now, before))
}

func TestSplitRule(t *testing.T) {
	assert.Equal(t, []string{"-A", "X", "--comment", `a "quoted" name: \`, "-j", "Y"}, splitRule(`-A X --comment "a \"quoted\" name: \\" -j Y`))
	assert.Equal(t, []string{"-A", "X", "--comment", "", "-j", "Y"}, splitRule(`-A X --comment "" -j Y`))
}

func TestParseRulesWithCounters(t *testing.T) {
	tables := ParseRules("# Generated\n*filter\n:INPUT DROP [12:34]\n[5:6] -A INPUT -i lo -j ACCEPT\nCOMMIT\n# Done\n")
	assert.Equal(t, []Table{{Name: "filter", Chains: []Chain{{"INPUT", "DROP"}}, Rules: []string{"-A INPUT -i lo -j ACCEPT"}}}, tables)
	assert.Equal(t, []string{"filter :INPUT DROP", "filter -A INPUT -i lo -j ACCEPT"}, PlainRules("*filter\n:INPUT DROP [12:34]\n:OUTPUT ACCEPT [0:0]\n[5:6] -A INPUT -i lo -j ACCEPT\nCOMMIT\n"))
}

func TestOurRule(t *testing.T) {
	for line, want := range map[string]bool{
		"filter :KUBE-SERVICES -": true, "filter :MINE -": false, "filter :INPUT DROP": false,
		"nat -A KUBE-SERVICES -j RETURN":                                 true,
		"nat -A PREROUTING -j KUBE-SERVICES":                             true,
		`filter -A FORWARD -m comment --comment "flanneld forward" -j X`: true,
		`filter -A INPUT -m comment --comment "KUBE-ROUTER rule to explicitly ACCEPT traffic" -m mark --mark 0x20000/0x20000 -j ACCEPT`: true,
		`filter -A INPUT -m comment --comment "my KUBE-API rule" -j DROP`:                                                               false,
		"filter -A INPUT -j MINE": false,
		"odd":                     false,
	} {
		assert.Equal(t, want, OurRule(line), line)
	}
}
