package appliance

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Step is a command of a transcript with what it should do.
type Step struct {
	Line    int    // where it stands
	Command string // for a shell
	Again   bool   // until it does, for a while: its effect may take a moment
	Code    int
	Stdout  []string
	Stderr  []string
}

// ParseTranscript reads commands with their output, written as a manual shows
// them:
//
//	## a remark
//	$ echo hello
//	hello
//	$ cat <<end; exit 3
//	> more of the command
//	> end
//	more of the …
//	! a line on standard error
//	[3]
//	$~ a command that is tried again until it does what it says
//
// "…" stands for any text in a line but none, a line "..." for any number of
// lines. All other output has to be as it stands, but for blank lines and the
// width of spaces.
func ParseTranscript(text string) ([]Step, error) {
	var steps []Step
	for i, line := range strings.Split(text, "\n") {
		if command, again, ok := commandIn(line); ok {
			steps = append(steps, Step{Line: i + 1, Command: command, Again: again})
			continue
		}
		if strings.HasPrefix(line, "##") || strings.TrimSpace(line) == "" {
			continue
		}
		if len(steps) == 0 {
			return nil, fmt.Errorf("line %d: output before the first command: %q", i+1, line)
		}
		last := &steps[len(steps)-1]
		if code, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(line, "["), "]")); err == nil && strings.HasPrefix(line, "[") {
			last.Code = code
		} else if more, ok := strings.CutPrefix(line, "> "); ok {
			last.Command += "\n" + more
		} else if said, ok := strings.CutPrefix(line, "! "); ok {
			last.Stderr = append(last.Stderr, said)
		} else {
			last.Stdout = append(last.Stdout, line)
		}
	}
	return steps, nil
}

func commandIn(line string) (command string, again, ok bool) {
	if command, ok = strings.CutPrefix(line, "$ "); ok {
		return command, false, true
	}
	command, ok = strings.CutPrefix(line, "$~ ")
	return command, true, ok
}

// Check compares how the command ended with what the transcript says.
func (s Step) Check(r Result) error {
	if r.Code == s.Code && said(s.Stdout, r.Stdout) && said(s.Stderr, r.Stderr) {
		return nil
	}
	return fmt.Errorf("line %d: $ %s\nshould exit with %d and say\n%s\nand on standard error\n%s\nbut exits with %d and says\n%s\nand on standard error\n%s",
		s.Line, s.Command, s.Code, strings.Join(s.Stdout, "\n"), strings.Join(s.Stderr, "\n"), r.Code, r.Stdout, r.Stderr)
}

// said tells whether the output is the one wanted.
func said(want []string, output string) bool {
	var pattern, got strings.Builder
	for _, line := range want {
		if line == "..." {
			pattern.WriteString(`(?:.*\n)*`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(squeeze(line)), "…", ".+") + `\n`)
	}
	for _, line := range strings.Split(output, "\n") {
		if line = squeeze(line); line != "" {
			got.WriteString(line + "\n")
		}
	}
	return regexp.MustCompile("^" + pattern.String() + "$").MatchString(got.String())
}

func squeeze(line string) string { return strings.Join(strings.Fields(line), " ") }
