package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// checker collects what one package breaks.
type checker struct {
	files    *token.FileSet
	limits   limits
	assigned map[string]bool // package-level names that some code assigns to
	found    []finding
}

func (c *checker) report(pos token.Pos, format string, args ...any) {
	c.found = append(c.found, finding{c.files.Position(pos), fmt.Sprintf(format, args...)})
}

func (c *checker) line(pos token.Pos) int { return c.files.Position(pos).Line }

func (c *checker) file(f *ast.File) {
	test := strings.HasSuffix(c.files.Position(f.Pos()).Filename, "_test.go")
	if n := c.line(f.FileEnd) - c.dataLines(f); n > c.limits.file && !c.excusedFile(f) {
		c.report(f.Package, "file has %d lines, at most %d", n, c.limits.file)
	}
	excused := c.excusedLines(f)
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			c.function(d)
		case *ast.GenDecl:
			if d.Tok == token.VAR && !test {
				c.variables(d)
			}
		}
	}
	if !test {
		c.phrases(f, excused)
	}
	for _, g := range f.Comments {
		for _, m := range g.List {
			for _, w := range []string{"TO" + "DO", "FIX" + "ME", "XX" + "X"} {
				if strings.Contains(m.Text, w) {
					c.report(m.Pos(), "a %s is a promise nobody keeps: do it, or write down why not", w)
				}
			}
		}
	}
}

func (c *checker) function(d *ast.FuncDecl) {
	if d.Recv == nil && d.Name.Name == "init" {
		c.report(d.Pos(), "init function: make it a call that someone can see")
	}
	n := c.line(d.End()) - c.line(d.Pos()) + 1 - c.dataLines(d)
	if n > c.limits.function && !excuse(d.Doc, "size") {
		c.report(d.Pos(), "%s has %d lines, at most %d", d.Name.Name, n, c.limits.function)
	}
}

// variables refuses package-level state. Errors, tables and compiled patterns
// are fine as long as nothing assigns to them.
func (c *checker) variables(d *ast.GenDecl) {
	for _, s := range d.Specs {
		v := s.(*ast.ValueSpec)
		if excuse(d.Doc, "global") || excuse(v.Doc, "global") || embeds(d.Doc) || embeds(v.Doc) {
			continue
		}
		for _, n := range v.Names {
			switch {
			case n.Name == "_":
			case len(v.Values) == 0:
				c.report(n.Pos(), "package-level variable %s without a value is state: pass it", n.Name)
			case c.assigned[n.Name]:
				c.report(n.Pos(), "package-level variable %s is assigned to: pass it", n.Name)
			}
		}
	}
}

// phrases looks at string literals and at fmt.Errorf calls that lose a cause.
func (c *checker) phrases(f *ast.File, excused map[int]bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			low := strings.ToLower(n.Value)
			if n.Kind == token.STRING && (strings.Contains(low, "failed to ") || strings.Contains(low, "unable to ")) && !excused[c.line(n.Pos())] { //lint:phrase the words looked for
				c.report(n.Pos(), `say what was done to what ("release web v7: apply: …"), not that it failed`)
			}
		case *ast.CallExpr:
			if flattens(n) {
				c.report(n.Pos(), "an error printed with %%v loses its cause: use %%w")
			}
		}
		return true
	})
}

// dataLines counts the lines of composite literals below n that hold no code.
func (c *checker) dataLines(n ast.Node) int {
	sum := 0
	ast.Inspect(n, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || hasCode(lit) {
			return true
		}
		if lines := c.line(lit.End()) - c.line(lit.Pos()); lines > 1 {
			sum += lines - 1
		}
		return false
	})
	return sum
}

func hasCode(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		_, ok := n.(*ast.FuncLit)
		found = found || ok
		return !found
	})
	return found
}

// flattens reports fmt.Errorf("… %v", …, err).
func flattens(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Errorf" || len(call.Args) < 2 {
		return false
	}
	if pkg, ok := sel.X.(*ast.Ident); !ok || pkg.Name != "fmt" {
		return false
	}
	format, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return false
	}
	last, ok := call.Args[len(call.Args)-1].(*ast.Ident)
	return ok && last.Name == "err" && !strings.Contains(format.Value, "%w") && strings.Contains(format.Value, "%v")
}

// excusedFile reports an excuse that stands before the package clause.
func (c *checker) excusedFile(f *ast.File) bool {
	for _, g := range f.Comments {
		if g.Pos() < f.Package && excuse(g, "size") {
			return true
		}
	}
	return false
}

func (c *checker) excusedLines(f *ast.File) map[int]bool {
	lines := map[int]bool{}
	for _, g := range f.Comments {
		if excuse(g, "phrase") {
			lines[c.line(g.Pos())] = true
		}
	}
	return lines
}

// excuse reports a "//lint:RULE REASON" comment; without a reason it is none.
func excuse(g *ast.CommentGroup, rule string) bool {
	if g == nil {
		return false
	}
	for _, m := range g.List {
		if reason, ok := strings.CutPrefix(m.Text, "//lint:"+rule); ok && strings.TrimSpace(reason) != "" {
			return true
		}
	}
	return false
}

func embeds(g *ast.CommentGroup) bool {
	if g == nil {
		return false
	}
	for _, m := range g.List {
		if strings.HasPrefix(m.Text, "//go:embed") {
			return true
		}
	}
	return false
}

// assignedNames lists names that the package assigns to and that no local
// declaration shadows.
func assignedNames(p []*ast.File) map[string]bool {
	names := map[string]bool{}
	for _, f := range p {
		mark := func(e ast.Expr) {
			if id := root(e); id != nil && !local(id, f) {
				names[id.Name] = true
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, e := range n.Lhs {
						mark(e)
					}
				}
			case *ast.IncDecStmt:
				mark(n.X)
			}
			return true
		})
	}
	return names
}

// root is x in x, x.f, x[i] and *x.
func root(e ast.Expr) *ast.Ident {
	for {
		switch t := e.(type) {
		case *ast.Ident:
			return t
		case *ast.SelectorExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.StarExpr:
			e = t.X
		case *ast.ParenExpr:
			e = t.X
		default:
			return nil
		}
	}
}

// local reports a name that resolves to a declaration inside a function; the
// parser resolves within a file, so package-level names are those in its
// scope or in none.
func local(id *ast.Ident, f *ast.File) bool {
	return id.Obj != nil && f.Scope.Lookup(id.Name) != id.Obj
}
