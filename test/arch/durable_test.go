package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// durableRooms hold what has to survive a loss of power. A rename or link whose
// folder is not synced, and a file that is written without being synced, may be
// gone or empty afterwards, although the record says that it was made.
var durableRooms = []string{"bootstrap", "platform", "cmd/slipway"}

// fleeting are functions that may do without, each with the reason.
var fleeting = map[string]string{
	"bootstrap/host.(*Supervisor).Run":    "the pid file is in /run",
	"bootstrap/host.(*Supervisor).rotate": "the log's own history",
	"bootstrap/checkpoint.linkOrCopy":     "whoever takes a checkpoint syncs its folders before the manifest is written",
	"bootstrap/checkpoint.rename":         "its callers sync the folder",
	"bootstrap/k3s/flannel.save":          "the network of one pod, which a boot makes anew; one that cannot be read counts as none",
	"platform/gitssh.NewFetcher":          "written anew at each start",
	"platform/gitssh.restrain":            "/proc",
	"platform/gitssh.(*repos).remove":     "taking a repository away again is what the next start does",
	"platform/gitssh.(*repos).prepare":    "written anew at each start",
}

func TestWhatIsWrittenSurvivesALossOfPower(t *testing.T) {
	used := map[string]bool{}
	for _, room := range durableRooms {
		err := filepath.WalkDir(filepath.Join("..", "..", room), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				strings.Contains(path, "platformtest") || strings.Contains(path, "hosttest") || strings.Contains(path, "backuptest") || strings.Contains(path, "drycc/client") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			pkg := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), filepath.Join("..", "..")+string(filepath.Separator)))
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok || f.Body == nil {
					continue
				}
				name := pkg + "." + funcName(f)
				why := notSynced(f.Body)
				if why == "" {
					continue
				}
				if _, known := fleeting[name]; known {
					used[name] = true
					continue
				}
				assert.Fail(t, name+" "+why, "sync the file and its folder, or give a reason in fleeting")
			}
			return nil
		})
		require.NoError(t, err)
	}
	for name := range fleeting {
		assert.True(t, used[name], "%s is no exception any more: take it off the list", name)
	}
}

// notSynced says what a function writes without syncing; empty when all is well.
func notSynced(body ast.Node) string {
	calls := map[string]bool{}
	synced := false
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch f := call.Fun.(type) {
		case *ast.SelectorExpr:
			if x, ok := f.X.(*ast.Ident); ok && x.Name == "os" {
				calls[f.Sel.Name] = true
			}
			synced = synced || strings.Contains(strings.ToLower(f.Sel.Name), "sync")
		case *ast.Ident:
			synced = synced || strings.Contains(strings.ToLower(f.Name), "sync")
		}
		return true
	})
	switch {
	case calls["WriteFile"]:
		return "uses os.WriteFile, which leaves the content to the page cache"
	case (calls["Rename"] || calls["Link"]) && !synced:
		return "renames or links without syncing the folder"
	}
	return ""
}

func funcName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	switch r := f.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if id, ok := r.X.(*ast.Ident); ok {
			return "(*" + id.Name + ")." + f.Name.Name
		}
	case *ast.Ident:
		return r.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

func TestNotSynced(t *testing.T) {
	for source, want := range map[string]string{
		`os.Rename(a, b)`:                        "renames or links",
		`os.Link(a, b)`:                          "renames or links",
		`os.Rename(a, b); return syncDir(d)`:     "",
		`os.Rename(a, b); return d.Sync()`:       "",
		`os.WriteFile(a, b, 0); return d.Sync()`: "page cache",
		`os.ReadFile(a)`:                         "",
	} {
		e, err := parser.ParseExpr("func() { " + source + " }")
		require.NoError(t, err)
		got := notSynced(e)
		if want == "" {
			assert.Empty(t, got, source)
		} else {
			assert.Contains(t, got, want, source)
		}
	}
}
