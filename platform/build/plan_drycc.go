package build

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/platform"
)

// pipeline is a file .drycc/*.yaml.
type pipeline struct {
	file string

	Kind   string            `json:"kind,omitempty"`
	Ptype  string            `json:"ptype,omitempty"`
	Build  *pipelineBuild    `json:"build,omitempty"`
	Env    map[string]string `json:"env,omitempty"`
	Run    *pipelineStep     `json:"run,omitempty"`
	Config []string          `json:"config,omitempty"`
	Deploy *pipelineStep     `json:"deploy,omitempty"`
}

type pipelineBuild struct {
	Docker string            `json:"docker,omitempty"`
	Arg    map[string]string `json:"arg,omitempty"`
}

type pipelineStep struct {
	Command []string `json:"command,omitempty"`
	Args    []string `json:"args,omitempty"`
	Image   string   `json:"image,omitempty"`
	Timeout int      `json:"timeout,omitempty"`
}

func isPipeline(file string) bool {
	return strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml")
}

// readDrycc reads the folder .drycc into the plan. Without a pipeline it says
// nothing about a build.
func (p *Plan) readDrycc(t *tree) ([]pipeline, error) {
	var pipelines []pipeline
	byFile, config := map[string]pipeline{}, map[string]map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(t.read)) {
		dir, file := path.Split(name)
		switch {
		case dir == dryccDir+"/config/" && !strings.HasPrefix(file, "."):
			values, err := parseVariables(t.read[name], name)
			if err != nil {
				return nil, err
			}
			config[file] = values
		case dir == dryccDir+"/" && isPipeline(file):
			pl := pipeline{file: name}
			if err := yaml.UnmarshalStrict(t.read[name], &pl); err != nil {
				return nil, platform.FieldErrorf("dryccfile", "%s: %s", name, yamlProblem(err))
			}
			byFile[file] = pl
			pipelines = append(pipelines, pl)
		}
	}
	if len(pipelines) == 0 {
		return nil, nil
	}
	raw, err := json.Marshal(map[string]any{"config": config, "pipeline": byFile})
	if err != nil {
		return nil, fmt.Errorf("encoding the .drycc folder: %w", err)
	}
	if _, err := platform.ParseDryccfile(raw); err != nil {
		return nil, err
	}
	p.Dryccfile = raw
	return pipelines, nil
}

// yamlProblem says what is wrong in words of YAML, not of Go.
func yamlProblem(err error) string {
	text := err.Error()
	for _, noise := range []string{"error converting YAML to JSON: ", "error unmarshaling JSON: ", "while decoding JSON: ", "json: ", "yaml: "} {
		text = strings.ReplaceAll(text, noise, "")
	}
	return regexp.MustCompile(`Go (struct field pipeline\S*\.|value of type )`).ReplaceAllString(text, "")
}

// procfileLine is a process type and its command.
var procfileLine = regexp.MustCompile(`^([A-Za-z0-9_-]+):\s+(\S.*)$`) //lint:global compiled once

// parseProcfile reads a Procfile: YAML, or lines whose commands hold what YAML
// would read differently.
func parseProcfile(text []byte) (map[string]string, error) {
	out := map[string]string{}
	if len(text) == 0 {
		return nil, nil
	}
	if err := yaml.UnmarshalStrict(text, &out); err != nil {
		out = map[string]string{}
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			m := procfileLine.FindStringSubmatch(line)
			if m == nil {
				return nil, platform.FieldErrorf("procfile", "Procfile, line %d: a line is a process type, a colon, a space and a command.", number)
			}
			if _, twice := out[m[1]]; twice {
				return nil, platform.FieldErrorf("procfile", "Procfile, line %d: %s is there twice.", number, m[1])
			}
			out[m[1]] = m[2]
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, platform.ValidateProcfile(out)
}
