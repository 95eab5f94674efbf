package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// join writes a module to dir that is r's, plus one main package which is all
// of r's programs: which one it becomes is told by the name it is called by.
//
// A main package cannot be imported, so each is copied under a package name of
// its own, with its main function exported; nothing else in it changes. Every
// Go program holds its own runtime and libraries: joined they are a quarter of
// the size.
func (b *builder) join(ctx context.Context, r recipe, dir string) error {
	home := filepath.Join(b.src, r.Name)
	for _, name := range []string{"go.mod", "go.sum"} {
		raw, err := os.ReadFile(filepath.Join(home, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			return err
		}
	}
	self, err := b.goList(ctx, home, r, "-m", "-f", "{{.Path}}")
	if err != nil {
		return err
	}
	var imports, cases strings.Builder
	for _, p := range r.Programs {
		// Lower-case letters only, so that it is a package name.
		name := strings.ReplaceAll(p.Out, "-", "")
		out, err := b.goList(ctx, home, r, "-f", `{{.Dir}}{{range .GoFiles}}{{"\n"}}{{.}}{{end}}`, p.Package)
		if err != nil {
			return err
		}
		files := strings.Split(out, "\n")
		if err := copyMain(files[0], files[1:], filepath.Join(dir, name), name); err != nil {
			return fmt.Errorf("%s: %w", p.Package, err)
		}
		fmt.Fprintf(&imports, "\t%q\n", path.Join(self, name))
		fmt.Fprintf(&cases, "\tcase %q:\n\t\t%s.Main()\n", p.Out, name)
	}
	main := fmt.Sprintf(joinedMain, imports.String(), cases.String())
	return os.WriteFile(filepath.Join(dir, "main.go"), []byte(main), 0o644)
}

const joinedMain = `package main

import (
	"fmt"
	"os"
	"path/filepath"

%s)

func main() {
	switch name := filepath.Base(os.Args[0]); name {
%s	default:
		fmt.Fprintf(os.Stderr, "%%s: call this program by the name of one it holds\n", name)
		os.Exit(2)
	}
}
`

func (b *builder) goList(ctx context.Context, dir string, r recipe, args ...string) (string, error) {
	cmd := b.command(ctx, dir, "go", append([]string{"list"}, args...)...)
	cmd.Env = append(cmd.Environ(), b.goEnv(r)...)
	var out bytes.Buffer
	cmd.Stdout = &out
	err := runQuietly(cmd)
	return strings.TrimSpace(out.String()), err
}

// copyMain copies the files of a main package from one folder to another as
// the package called name.
func copyMain(from string, files []string, to, name string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	mains := 0
	for _, file := range files {
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, filepath.Join(from, file), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed.Name.Name = name
		for _, declared := range parsed.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "main" {
				f.Name.Name = "Main"
				mains++
			}
		}
		var out bytes.Buffer
		if err := format.Node(&out, set, parsed); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, file), out.Bytes(), 0o644); err != nil {
			return err
		}
	}
	if mains != 1 {
		return errors.New("it is not a main package")
	}
	return nil
}
