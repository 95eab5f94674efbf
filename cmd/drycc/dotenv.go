package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// variable is a line of an environment file.
type variable struct{ name, value string }

// parseVariables reads NAME=value lines. Comments begin with "#"; "export" may
// stand in front. A value in double quotes may span lines and knows \n, \t, \"
// and \\; one in single quotes is taken as it is.
func parseVariables(r io.Reader, file string) ([]variable, error) {
	all, err := lines(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var out []variable
	for i := 0; i < len(all); i++ {
		line := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(all[i]), "export "))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !found || name == "" || strings.ContainsAny(name, " \t\"'") {
			return nil, fmt.Errorf("%s:%d: a line is NAME=value", file, i+1)
		}
		value = strings.TrimSpace(value)
		start := i
		for strings.HasPrefix(value, `"`) && !closed(value) {
			if i++; i == len(all) {
				return nil, fmt.Errorf("%s:%d: the quotes of %s do not end", file, start+1, name)
			}
			value += "\n" + all[i]
		}
		out = append(out, variable{name, unquote(strings.TrimRight(value, " \t"))})
	}
	return out, nil
}

// closed tells whether a value that begins with a double quote ends with one.
func closed(value string) bool {
	value = strings.TrimRight(value, " \t")
	if len(value) < 2 || !strings.HasSuffix(value, `"`) {
		return false
	}
	before := value[1 : len(value)-1]
	return (len(before)-len(strings.TrimRight(before, `\`)))%2 == 0
}

func unquote(value string) string {
	if len(value) < 2 {
		return value
	}
	inner := value[1 : len(value)-1]
	switch {
	case value[0] == '\'' && value[len(value)-1] == '\'':
		return inner
	case value[0] == '"' && value[len(value)-1] == '"':
		return strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\"`, `"`, `\\`, `\`).Replace(inner)
	}
	return value
}

// formatVariables writes what parseVariables reads.
func formatVariables(all []variable) string {
	var b strings.Builder
	for _, v := range all {
		b.WriteString(v.name + "=" + quote(v.value) + "\n")
	}
	return b.String()
}

func quote(value string) string {
	plain := strings.TrimSpace(value) == value && !strings.ContainsAny(value, "\n\r\t") &&
		!strings.HasPrefix(value, `"`) && !strings.HasPrefix(value, "'")
	if plain {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(value) + `"`
}

// readVariables reads an environment file.
func readVariables(path string) ([]variable, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parseVariables(file, path)
}

// readGroups reads the files in a folder config/ of a .drycc folder, each a
// group of variables; names are in order.
func readGroups(dir string) (names []string, groups map[string][]variable, err error) {
	groups = map[string][]variable{}
	found, err := os.ReadDir(filepath.Join(dir, "config"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, groups, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range found {
		if entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if groups[entry.Name()], err = readVariables(filepath.Join(dir, "config", entry.Name())); err != nil {
			return nil, nil, err
		}
		names = append(names, entry.Name())
	}
	slices.Sort(names)
	return names, groups, nil
}

// readDryccfile reads a .drycc folder in the form that a build has. It is nil
// when there is no such folder.
func readDryccfile(dir string) (map[string]any, error) {
	found, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	pipelines, config := map[string]any{}, map[string]any{}
	for _, entry := range found {
		ext := filepath.Ext(entry.Name())
		if entry.IsDir() || (ext != ".yaml" && ext != ".yml") {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		var pipeline map[string]any
		if err := yaml.Unmarshal(raw, &pipeline); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, entry.Name()), err)
		}
		pipelines[entry.Name()] = pipeline
	}
	_, groups, err := readGroups(dir)
	if err != nil {
		return nil, err
	}
	for name, variables := range groups {
		values := map[string]any{}
		for _, v := range variables {
			values[v.name] = v.value
		}
		config[name] = values
	}
	if len(pipelines) == 0 && len(config) == 0 {
		return nil, nil
	}
	return map[string]any{"config": config, "pipeline": pipelines}, nil
}

// parseProcfile reads a Procfile: a map from process types to commands.
func parseProcfile(raw []byte, file string) (map[string]string, error) {
	var out map[string]string
	if err := yaml.Unmarshal(raw, &out); err != nil {
		return nil, curable(fmt.Errorf("%s: %w", file, err), "A line of it is a process type, a colon and a command: web: ./serve")
	}
	return out, nil
}
