package main

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

const webProcess = "web"

func detectProcfile(s *source) (bool, string) {
	return s.has("Procfile"), "no Procfile"
}

// buildProcfile makes a process of each line. It comes last, so its lines take
// the place of what another buildpack would have run.
func buildProcfile(_ context.Context, s *source) error {
	processes, err := s.procfile()
	if err != nil {
		return err
	}
	for _, p := range processes {
		s.say("%s: %s", p.Type, p.Command[2])
	}
	return s.launch(processes)
}

// procfile reads the Procfile's processes.
func (s *source) procfile() ([]process, error) {
	raw, err := s.read("Procfile")
	if err != nil {
		return nil, err
	}
	form := regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_.-]*)\s*:\s*(\S.*)$`)
	var processes []process
	number := 0
	for line := range strings.Lines(string(raw)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || line == "---" {
			continue
		}
		m := form.FindStringSubmatch(line)
		if m == nil {
			return nil, sourceErrorf("Procfile, line %d: %q is not of the form \"<process type>: <command>\"", number, line)
		}
		if slices.ContainsFunc(processes, func(p process) bool { return p.Type == m[1] }) {
			return nil, sourceErrorf("Procfile, line %d: the process type %s is there twice", number, m[1])
		}
		processes = append(processes, process{Type: m[1], Command: shell(unquoted(m[2])), Default: m[1] == webProcess})
	}
	if len(processes) == 0 {
		return nil, sourceErrorf("The Procfile names no process. Add a line such as \"web: ./server\".")
	}
	return processes, nil
}

// unquoted takes off the quotes that YAML, which a Procfile is, allows around a
// whole value.
func unquoted(line string) string {
	if len(line) >= 2 && line[0] == line[len(line)-1] && (line[0] == '"' || line[0] == '\'') && !strings.ContainsRune(line[1:len(line)-1], rune(line[0])) {
		return line[1 : len(line)-1]
	}
	return line
}

// says tells whether the source's Procfile has a process of that type.
func (s *source) says(ptype string) bool {
	processes, err := s.procfile()
	return err == nil && slices.ContainsFunc(processes, func(p process) bool { return p.Type == ptype })
}
