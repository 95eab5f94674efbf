package arch

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir string
	Imports         []string

	XTestImports      []string
	GoFiles, CgoFiles []string
	TestGoFiles       []string
	XTestGoFiles      []string
}

// packages lists the module, with the end-to-end tests.
func packages(t *testing.T) []listed {
	t.Helper()
	all, err := listing()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

// listing runs go list once for all tests.
var listing = sync.OnceValues(func() ([]listed, error) {
	cmd := exec.Command("go", "list", "-e", "-tags", "e2e payload", "-json=ImportPath,Dir,Imports,TestImports,XTestImports,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		switch err := d.Decode(&p); err {
		case nil:
			all = append(all, p)
		case io.EOF:
			return all, nil
		default:
			return nil, err
		}
	}
})

func TestEveryImportIsAllowed(t *testing.T) {
	for _, p := range packages(t) {
		for _, broken := range forbidden(short(p.ImportPath), p.Imports) {
			t.Error(broken)
		}
	}
}

// forbidden lists which of the imports a package may not have.
func forbidden(path string, imports []string) []string {
	var broken []string
	for _, imported := range imports {
		target := short(imported)
		for _, r := range rooms {
			if within(target, r.imports) && !slices.ContainsFunc(r.only, func(o string) bool { return within(path, o) }) {
				broken = append(broken, path+" imports "+target+": "+r.reason)
			}
		}
		if target == imported { // not of this module
			continue
		}
		for _, e := range edges {
			if within(path, e.from) && within(target, e.to) && !within(target, e.from) {
				broken = append(broken, path+" imports "+target+": "+e.reason)
			}
		}
	}
	return broken
}

func TestTheDomainImportsOnlyTheStandardLibrary(t *testing.T) {
	for _, p := range packages(t) {
		if short(p.ImportPath) != "platform" {
			continue
		}
		for _, imported := range p.Imports {
			first, _, _ := strings.Cut(imported, "/")
			assert.NotContains(t, first, ".", "platform imports %s: the domain speaks the user's nouns and nothing else", imported)
		}
	}
}

func TestTheClientSpeaksTheWireOnly(t *testing.T) {
	const client = "platform/api/drycc/client"
	for _, p := range packages(t) {
		if !within(short(p.ImportPath), "cmd/drycc") && short(p.ImportPath) != client {
			continue
		}
		for _, imported := range p.Imports {
			target := short(imported)
			assert.True(t, target == imported || target == client || within(target, "cmd/drycc"),
				"%s imports %s: the client is small, builds for every system and knows no more than its users", short(p.ImportPath), target)
			assert.NotRegexp(t, `(^|/)k8s\.io/(api|client)`, imported)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		names := slices.Concat(p.GoFiles, p.CgoFiles)
		if len(names) == 0 {
			names = slices.Concat(p.TestGoFiles, p.XTestGoFiles)
		}
		documented := slices.ContainsFunc(names, func(name string) bool {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
			return err == nil && said(f)
		})
		assert.True(t, documented, "%s has no package comment", short(p.ImportPath))
	}
}

// said reports a package comment of more than a word.
func said(f *ast.File) bool {
	return f.Doc != nil && len(strings.Fields(f.Doc.Text())) > 4
}

func TestNamesSayWhatIsInside(t *testing.T) {
	vague := []string{"util", "utils", "common", "helper", "helpers", "types", "misc", "shared", "base", "lib"}
	for _, p := range packages(t) {
		assert.NotContains(t, vague, filepath.Base(p.ImportPath), "%s: a package is named after what it adapts or does", p.ImportPath)
	}
}

// The rules are code as well: each has to bite where it should.
func TestRulesBite(t *testing.T) {
	for name, c := range map[string]struct {
		path, imported string
		broken         bool
	}{
		"k3s in its room":           {"bootstrap/k3s", "github.com/k3s-io/k3s/pkg/cli/server", false},
		"k3s in the runner":         {"bootstrap", "github.com/k3s-io/k3s/pkg/cli/server", true},
		"client in the api":         {"platform/api/drycc", "k8s.io/client-go/kubernetes", true},
		"halves":                    {"bootstrap/helm", module + "/platform/control", true},
		"other half":                {"platform/control", module + "/bootstrap/host", true},
		"upwards in bootstrap":      {"bootstrap/host", module + "/bootstrap", true},
		"own sub-package":           {"bootstrap/host", module + "/bootstrap/host/hosttest", false},
		"dialect to dialect":        {"platform/api/drycc", module + "/platform/api/flynn", true},
		"dialect to control":        {"platform/api/drycc", module + "/platform/control", false},
		"commands on the host":      {"platform/kube", "os/exec", true},
		"commands in the host room": {"bootstrap/host", "os/exec", false},
		"sql outside the store":     {"platform/control", "database/sql", true},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.broken, len(forbidden(c.path, []string{c.imported})) > 0)
		})
	}
}

func TestEveryRuleHasAReason(t *testing.T) {
	for _, r := range rooms {
		assert.NotEmpty(t, r.reason, r.imports)
	}
	for _, e := range edges {
		assert.NotEmpty(t, e.reason, e.from+" to "+e.to)
	}
}
