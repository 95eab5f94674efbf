package platform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
)

// Dryccfile is the decoded .drycc directory of a build.
type Dryccfile struct {
	Config    map[string]map[string]string // group → name → value
	Pipelines []Pipeline                   // ordered by file name
}

// Pipeline says how one process type is built, prepared and run.
type Pipeline struct {
	File   string
	Ptype  string
	Built  bool // it has a build section, so an image of its own
	Env    map[string]string
	Groups []string // config groups it reads
	Run    *PipelineStep
	Deploy PipelineStep
}

// PipelineStep is a command in an image. An empty Image means the pipeline's own.
type PipelineStep struct {
	Command []string
	Args    []string
	Image   string
	Timeout int // seconds, 0: the default
}

type rawPipeline struct {
	Kind  string `json:"kind"`
	Ptype string `json:"ptype"`
	Build *struct {
		Docker string            `json:"docker"`
		Arg    map[string]string `json:"arg"`
	} `json:"build"`
	Env    map[string]string `json:"env"`
	Run    *rawStep          `json:"run"`
	Config []string          `json:"config"`
	Deploy *rawStep          `json:"deploy"`
}

type rawStep struct {
	Command []string `json:"command"`
	Args    []string `json:"args"`
	Image   string   `json:"image"`
	Timeout int      `json:"timeout"`
}

// ParseDryccfile decodes and checks the JSON form of a .drycc directory. Empty
// input and an empty object are no dryccfile: nil, nil.
func ParseDryccfile(data []byte) (*Dryccfile, error) {
	if t := bytes.TrimSpace(data); len(t) == 0 || string(t) == "{}" || string(t) == "null" {
		return nil, nil
	}
	var raw struct {
		Config   map[string]map[string]string `json:"config"`
		Pipeline map[string]rawPipeline       `json:"pipeline"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&raw); err != nil {
		return nil, FieldErrorf("dryccfile", "not a valid .drycc description: %s", jsonProblem(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, FieldErrorf("dryccfile", "not a valid .drycc description: there is more after the object")
	}
	if raw.Pipeline == nil {
		return nil, FieldErrorf("dryccfile", "pipeline is required")
	}
	for group, values := range raw.Config {
		if err := validateGroup(group, values); err != nil {
			return nil, err
		}
	}
	d := &Dryccfile{Config: raw.Config}
	seen := map[string]bool{}
	for _, file := range sortedKeys(raw.Pipeline) {
		p, err := checkPipeline(file, raw.Pipeline[file])
		if err != nil {
			return nil, err
		}
		if seen[p.Ptype] {
			return nil, FieldErrorf("dryccfile", "Pipeline's ptype must be unique")
		}
		seen[p.Ptype] = true
		d.Pipelines = append(d.Pipelines, p)
	}
	return d, nil
}

// jsonProblem says what is wrong in words of JSON, not of Go.
func jsonProblem(err error) string {
	var typed *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &typed):
		return fmt.Sprintf("%s can't be a %s", strings.Trim(typed.Field, "."), typed.Value)
	case errors.As(err, &syntax):
		return fmt.Sprintf("broken JSON at byte %d", syntax.Offset)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

func validateGroup(group string, values map[string]string) error {
	if err := ValidateConfigKey(group); err != nil {
		return err
	}
	for name, value := range values {
		if err := ValidateConfigKey(name); err != nil {
			return err
		}
		if err := ValidateConfigValue(name, value); err != nil {
			return err
		}
	}
	return nil
}

func checkPipeline(file string, raw rawPipeline) (Pipeline, error) {
	if raw.Kind != "pipeline" {
		return Pipeline{}, FieldErrorf("dryccfile", `%s: kind has to be "pipeline"`, file)
	}
	if err := ValidatePtype("dryccfile", raw.Ptype); err != nil {
		return Pipeline{}, err
	}
	if raw.Deploy == nil {
		return Pipeline{}, FieldErrorf("dryccfile", "%s: deploy is required", file)
	}
	for _, group := range raw.Config {
		if err := ValidateConfigKey(group); err != nil {
			return Pipeline{}, err
		}
	}
	if err := validateGroup(raw.Ptype, raw.Env); err != nil {
		return Pipeline{}, err
	}
	for _, step := range []*rawStep{raw.Run, raw.Deploy} {
		if err := checkStep(file, step); err != nil {
			return Pipeline{}, err
		}
	}
	p := Pipeline{
		File: file, Ptype: raw.Ptype, Built: raw.Build != nil,
		Env: raw.Env, Groups: raw.Config, Deploy: PipelineStep(*raw.Deploy),
	}
	if raw.Run != nil {
		run := PipelineStep(*raw.Run)
		p.Run = &run
	}
	return p, checkRunStep(file, p.Run)
}

// checkStep refuses what no process can be started with.
func checkStep(file string, s *rawStep) error {
	if s == nil {
		return nil
	}
	if s.Timeout < 0 {
		return FieldErrorf("dryccfile", "%s: timeout can't be below 0", file)
	}
	for _, words := range [][]string{s.Command, s.Args} {
		for _, word := range words {
			if strings.IndexByte(word, 0) >= 0 {
				return FieldErrorf("dryccfile", "%s: a command can't hold a NUL byte", file)
			}
		}
	}
	return nil
}

// pipelineOf returns the pipeline of ptype, nil when there is none.
func (d *Dryccfile) pipelineOf(ptype string) *Pipeline {
	for i := range d.Pipelines {
		if d.Pipelines[i].Ptype == ptype {
			return &d.Pipelines[i]
		}
	}
	return nil
}

// Settle turns the file's config and env into a config's values and group
// references, which replace all that were there.
func (d *Dryccfile) Settle(c Config) Config {
	c.Values, c.ValuesRefs = nil, map[string][]string{}
	for _, group := range sortedKeys(d.Config) {
		for _, name := range sortedKeys(d.Config[group]) {
			c.Values = append(c.Values, ConfigValue{Name: name, Value: d.Config[group][name], Group: group})
		}
	}
	for _, p := range d.Pipelines {
		if len(p.Groups) > 0 {
			c.ValuesRefs[p.Ptype] = p.Groups
		}
		for _, name := range sortedKeys(p.Env) {
			c.Values = append(c.Values, ConfigValue{Name: name, Value: p.Env[name], Ptype: p.Ptype})
		}
	}
	return c
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
