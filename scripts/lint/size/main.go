// Command size keeps the house rules that need no types: how long functions
// and files may be, no init functions, no mutable package-level variables, how
// errors are worded, and no notes-to-self left in code.
//
//	size [-functions 60] [-files 400] DIR...
//
// Lines of composite literals without function literals are data and do not
// count. What has to break a rule says why:
//
//	//lint:size REASON      before a function, or before the package clause for a file
//	//lint:global REASON    before a package-level variable
//	//lint:phrase REASON    on the line of a string
//
// It exits 1 when it found something.
package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// limits are the longest allowed lengths, in lines.
type limits struct{ function, file int }

// finding is one broken rule.
type finding struct {
	pos  token.Position
	text string
}

func main() {
	var l limits
	flag.IntVar(&l.function, "functions", 60, "longest function, in lines of code that are not data")
	flag.IntVar(&l.file, "files", 400, "longest file, in lines that are not data")
	flag.Parse()
	found, err := checkAll(flag.Args(), l)
	if err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(2)
	}
	for _, f := range found {
		fmt.Printf("%s: %s\n", f.pos, f.text)
	}
	if len(found) > 0 {
		os.Exit(1)
	}
}

// checkAll checks every package below the directories, in order of position.
func checkAll(dirs []string, l limits) ([]finding, error) {
	files := token.NewFileSet()
	packages := map[string][]*ast.File{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if n := d.Name(); n == "testdata" || n == "node_modules" || n != "." && n != ".." && strings.HasPrefix(n, ".") {
					return filepath.SkipDir
				}
				return nil
			}
			if filepath.Ext(path) != ".go" {
				return nil
			}
			f, err := parser.ParseFile(files, path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			if !ast.IsGenerated(f) {
				key := filepath.Dir(path) + " " + f.Name.Name
				packages[key] = append(packages[key], f)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var found []finding
	for _, p := range packages {
		found = append(found, checkPackage(files, p, l)...)
	}
	sort.Slice(found, func(i, j int) bool {
		a, b := found[i].pos, found[j].pos
		return a.Filename < b.Filename || a.Filename == b.Filename && a.Line < b.Line
	})
	return found, nil
}

// checkPackage applies every rule to the files of one package.
func checkPackage(files *token.FileSet, p []*ast.File, l limits) []finding {
	c := &checker{files: files, limits: l, assigned: assignedNames(p)}
	for _, f := range p {
		c.file(f)
	}
	return c.found
}
