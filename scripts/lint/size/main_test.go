package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindings(t *testing.T) {
	long := "func f() {\n" + strings.Repeat("\tprintln()\n", 70) + "}\n"
	table := "func f() {\n\tuse([]int{\n" + strings.Repeat("\t\t1,\n", 70) + "\t})\n}\n"
	for name, c := range map[string]struct {
		file, source, want string
	}{
		"short":            {"a.go", "func f() {}\n", ""},
		"long function":    {"a.go", long, "f has 72 lines"},
		"excused":          {"a.go", "//lint:size one switch over every field\n" + long, ""},
		"no reason":        {"a.go", "//lint:size\n" + long, "f has 72 lines"},
		"data":             {"a.go", table, ""},
		"long file":        {"a.go", strings.Repeat("// x\n", 401), "file has"},
		"init":             {"a.go", "func init() {}\n", "init function"},
		"state":            {"a.go", "var n int\n", "n without a value is state"},
		"assigned":         {"a.go", "var n = 1\nfunc f() { n++ }\n", "n is assigned to"},
		"assigned element": {"a.go", "var m = map[int]int{}\nfunc f() { m[1] = 2 }\n", "m is assigned to"},
		"shadowed":         {"a.go", "var n = 1\nfunc f() { n := 2; n++; _ = n }\n", ""},
		"constant table":   {"a.go", "var m = map[int]int{1: 2}\n", ""},
		"global excused":   {"a.go", "//lint:global set by the linker\nvar n string\n", ""},
		"guard":            {"a.go", "var _ error = nil\n", ""},
		"phrase":           {"a.go", "const s = \"failed to open\"\n", "say what was done"},
		"phrase excused":   {"a.go", "const s = \"failed to open\" //lint:phrase matched against runc\n", ""},
		"phrase in a test": {"a_test.go", "const s = \"failed to open\"\n", ""},
		"lost cause":       {"a.go", "import \"fmt\"\nfunc f(err error) error { return fmt.Errorf(\"x: %v\", err) }\n", "loses its cause"},
		"kept cause":       {"a.go", "import \"fmt\"\nfunc f(err error) error { return fmt.Errorf(\"x: %w\", err) }\n", ""},
		"note to self":     {"a.go", "// TO" + "DO: later\n", "promise"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte("package p\n\n"+c.source), 0o600); err != nil {
				t.Fatal(err)
			}
			found, err := checkAll([]string{dir}, limits{60, 400})
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" && len(found) > 0 {
				t.Fatalf("unexpected: %v", found)
			}
			if c.want != "" && (len(found) != 1 || !strings.Contains(found[0].text, c.want)) {
				t.Fatalf("want one finding with %q, have %v", c.want, found)
			}
		})
	}
}
