package appliance

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseTranscript(t *testing.T) {
	steps, err := ParseTranscript("## remark\n\n$ one\nsaid\n! wrong\n[7]\n\n$~ two <<x\n> a [1]\n> x\n[b] 1\n")
	require.NoError(t, err)
	assert.Equal(t, []Step{
		{Line: 3, Command: "one", Code: 7, Stdout: []string{"said"}, Stderr: []string{"wrong"}},
		{Line: 8, Command: "two <<x\na [1]\nx", Again: true, Stdout: []string{"[b] 1"}},
	}, steps)
	_, err = ParseTranscript("said\n$ one")
	assert.ErrorContains(t, err, "line 1")
}

func TestTranscriptCheck(t *testing.T) {
	step := Step{Command: "ps", Stdout: []string{"NAME STATE", "a-…  up", "...", "end (1+1)"}, Stderr: []string{"beware"}, Code: 2}
	good := Result{Code: 2, Stdout: "NAME     STATE\n\na-1      up\nb\nc\nend (1+1)\n", Stderr: "beware\n"}
	require.NoError(t, step.Check(good))
	for name, change := range map[string]func(*Result){
		"code":              func(r *Result) { r.Code = 0 },
		"nothing for …":     func(r *Result) { r.Stdout = "NAME STATE\na- up\nend (1+1)\n" },
		"more at the start": func(r *Result) { r.Stdout = "x\n" + r.Stdout },
		"more at the end":   func(r *Result) { r.Stdout += "x\n" },
		"no pattern":        func(r *Result) { r.Stdout = "NAME STATE\na-1 up\nend (11)\n" },
		"nothing":           func(r *Result) { r.Stdout = "" },
		"stderr":            func(r *Result) { r.Stderr = "" },
		"more on stderr":    func(r *Result) { r.Stderr += "panic\n" },
	} {
		r := good
		change(&r)
		assert.Error(t, step.Check(r), name)
	}
	assert.NoError(t, Step{Stdout: []string{"..."}}.Check(Result{}))
	assert.Error(t, Step{}.Check(Result{Stdout: "x"}))
}
