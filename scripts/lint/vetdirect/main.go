// Command vetdirect runs go vet's analyzers on the named packages only. What
// they import is read as compiled export data from the build cache, where go
// vet would first analyze the source of every dependency: for packages that
// link Kubernetes this is the difference between seconds and minutes. What it
// cannot know is which functions of a dependency format like Printf.
//
//	vetdirect [-tags TAGS] PACKAGE...
package main

import (
	"flag"
	"fmt"
	"os"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/analysis/passes/appends"
	"golang.org/x/tools/go/analysis/passes/assign"
	"golang.org/x/tools/go/analysis/passes/atomic"
	"golang.org/x/tools/go/analysis/passes/bools"
	"golang.org/x/tools/go/analysis/passes/copylock"
	"golang.org/x/tools/go/analysis/passes/defers"
	"golang.org/x/tools/go/analysis/passes/errorsas"
	"golang.org/x/tools/go/analysis/passes/httpresponse"
	"golang.org/x/tools/go/analysis/passes/ifaceassert"
	"golang.org/x/tools/go/analysis/passes/loopclosure"
	"golang.org/x/tools/go/analysis/passes/lostcancel"
	"golang.org/x/tools/go/analysis/passes/nilfunc"
	"golang.org/x/tools/go/analysis/passes/printf"
	"golang.org/x/tools/go/analysis/passes/shift"
	"golang.org/x/tools/go/analysis/passes/sigchanyzer"
	"golang.org/x/tools/go/analysis/passes/slog"
	"golang.org/x/tools/go/analysis/passes/stdmethods"
	"golang.org/x/tools/go/analysis/passes/stringintconv"
	"golang.org/x/tools/go/analysis/passes/structtag"
	"golang.org/x/tools/go/analysis/passes/testinggoroutine"
	"golang.org/x/tools/go/analysis/passes/tests"
	"golang.org/x/tools/go/analysis/passes/unmarshal"
	"golang.org/x/tools/go/analysis/passes/unreachable"
	"golang.org/x/tools/go/analysis/passes/unusedresult"
	"golang.org/x/tools/go/packages"
)

func main() {
	tags := flag.String("tags", "", "build tags")
	flag.Parse()
	found, err := run(*tags, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "vetdirect:", err)
		os.Exit(2)
	}
	if found > 0 {
		os.Exit(1)
	}
}

// run prints what the analyzers find and returns how much that is.
func run(tags string, patterns []string) (int, error) {
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.LoadSyntax | packages.NeedModule, Tests: true, BuildFlags: []string{"-tags=" + tags},
	}, patterns...)
	if err != nil {
		return 0, err
	}
	if n := packages.PrintErrors(loaded); n > 0 {
		return n, nil
	}
	// Types are resolved by now; without these the analyzers stop here.
	for _, p := range loaded {
		p.Imports = nil
	}
	graph, err := checker.Analyze(analyzers(), loaded, nil)
	if err != nil {
		return 0, err
	}
	found := map[string]bool{} // a package and its test variant report the same
	for action := range graph.All() {
		if !action.IsRoot {
			continue
		}
		if action.Err != nil {
			return 0, fmt.Errorf("%s: %w", action, action.Err)
		}
		for _, d := range action.Diagnostics {
			text := fmt.Sprintf("%s: %s (%s)", action.Package.Fset.Position(d.Pos), d.Message, action.Analyzer.Name)
			if !found[text] {
				fmt.Println(text)
			}
			found[text] = true
		}
	}
	return len(found), nil
}

func analyzers() []*analysis.Analyzer {
	return []*analysis.Analyzer{
		appends.Analyzer, assign.Analyzer, atomic.Analyzer, bools.Analyzer, copylock.Analyzer, defers.Analyzer,
		errorsas.Analyzer, httpresponse.Analyzer, ifaceassert.Analyzer, loopclosure.Analyzer, lostcancel.Analyzer,
		nilfunc.Analyzer, printf.Analyzer, shift.Analyzer, sigchanyzer.Analyzer, slog.Analyzer, stdmethods.Analyzer,
		stringintconv.Analyzer, structtag.Analyzer, testinggoroutine.Analyzer, tests.Analyzer, unmarshal.Analyzer,
		unreachable.Analyzer, unusedresult.Analyzer,
	}
}
