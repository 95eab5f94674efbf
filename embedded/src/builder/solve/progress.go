package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/opencontainers/go-digest"
)

// progress turns what buildkitd reports of steps into lines for the pusher:
//
//	---> [2/3] RUN go build .
//	what the step says
//	---> [3/3] COPY . /app (cached)
//
// Steps may run side by side: when another one goes on talking, its heading is
// repeated.
type progress struct {
	out     *events
	steps   map[digest.Digest]*step
	talking digest.Digest // whose lines came last
	killed  bool          // a step's process was killed
}

type step struct {
	name    string
	shown   bool
	done    bool
	failed  string
	partial string // a line without its end yet
}

func newProgress(out *events) *progress {
	return &progress{out: out, steps: map[digest.Digest]*step{}}
}

func (p *progress) update(s *client.SolveStatus) {
	for _, v := range s.Vertexes {
		p.vertex(v)
	}
	for _, l := range s.Logs {
		p.said(l)
	}
	for _, w := range s.Warnings {
		if len(w.Short) > 0 {
			p.out.logf("Warning: %s", w.Short)
		}
	}
}

func (p *progress) vertex(v *client.Vertex) {
	st := p.steps[v.Digest]
	if st == nil {
		st = &step{name: oneLine(v.Name)}
		p.steps[v.Digest] = st
	}
	if v.Error != "" {
		st.failed = v.Error
	}
	if !st.shown && (v.Started != nil || v.Cached) && worthShowing(st.name) {
		if !v.Cached && v.Completed == nil && !strings.HasPrefix(st.name, "[") && !strings.HasPrefix(st.name, "exporting") {
			return
		}
		st.shown, p.talking = true, v.Digest
		mark := ""
		if v.Cached {
			mark = " (cached)"
		}
		p.out.logf("---> %s%s", headline(st.name), mark)
	}
	if v.Completed != nil && !st.done {
		st.done = true
		p.finish(v.Digest, st)
	}
}

// finish writes what a step said last without ending the line.
func (p *progress) finish(d digest.Digest, st *step) {
	if st.partial != "" {
		p.line(d, st, st.partial)
		st.partial = ""
	}
}

func (p *progress) said(l *client.VertexLog) {
	st := p.steps[l.Vertex]
	if st == nil {
		return
	}
	text := st.partial + string(l.Data)
	lines := strings.SplitAfter(text, "\n")
	st.partial = ""
	for _, line := range lines {
		whole, ended := strings.CutSuffix(line, "\n")
		switch {
		case ended:
			p.line(l.Vertex, st, whole)
		case len(line) > maxLine:
			p.line(l.Vertex, st, line)
		default:
			st.partial = line
		}
	}
}

// maxLine is how many bytes of a line without end are kept back.
const maxLine = 8 << 10

func (p *progress) line(d digest.Digest, st *step, text string) {
	if p.talking != d {
		p.talking = d
		p.out.logf("---> %s", headline(st.name))
	}
	if i := strings.LastIndexByte(strings.TrimRight(text, "\r"), '\r'); i >= 0 {
		text = text[i+1:] // a progress bar: the last state of it
	}
	p.out.log(strings.TrimRight(text, "\r"))
}

// worthShowing leaves out what BuildKit does for itself.
func worthShowing(name string) bool {
	return !strings.HasPrefix(name, "[internal]") && !strings.HasPrefix(name, "[auth]")
}

func headline(name string) string {
	if strings.HasPrefix(name, "exporting to image") {
		return "Pushing the image to the platform's registry"
	}
	return name
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// processFailed is how BuildKit tells of a process that failed.
var processFailed = regexp.MustCompile(`process "(?s:.*)" did not complete successfully: (.*)$`) //lint:global compiled once

// checksumOf is how BuildKit begins to tell that a file is missing.
var checksumOf = regexp.MustCompile(`^failed t[o] (compute|calculate) (cache key|checksum of ref \S+): `) //lint:global compiled once

// denied is how BuildKit tells of an image that the order's policy refuses.
var denied = regexp.MustCompile(`source "docker-image://(\S+)" denied by policy`) //lint:global compiled once

// explain names the step that failed and why, in words for the pusher.
func (p *progress) explain(err error) error {
	if m := denied.FindStringSubmatch(err.Error()); m != nil {
		return &sourceError{text: fmt.Sprintf("The image %s%s is not this app's. Images of other apps can't be read.", m[1], at(errdefs.Sources(err)))}
	}
	for _, st := range p.steps {
		if st.failed == "" || strings.Contains(st.failed, "context canceled") {
			continue
		}
		if strings.HasPrefix(st.name, "exporting") {
			return fmt.Errorf("pushing the image: %s", st.failed)
		}
		return &sourceError{text: stepText(st, err)}
	}
	if source := errdefs.Sources(err); len(source) > 0 {
		return &sourceError{text: trimmed(err.Error()) + at(source)}
	}
	if strings.Contains(err.Error(), "failed to read dockerfile") || strings.Contains(err.Error(), "dockerfile parse error") || //lint:phrase buildkit's words
		strings.Contains(err.Error(), "failed to solve") && !strings.Contains(err.Error(), "rpc error") { //lint:phrase buildkit's words
		return &sourceError{text: trimmed(err.Error())}
	}
	return fmt.Errorf("building: %w", err)
}

func stepText(st *step, err error) string {
	where := at(errdefs.Sources(err))
	if base, ok := strings.CutPrefix(st.name, "[internal] load metadata for "); ok {
		return fmt.Sprintf("The base image %s%s can't be read: %s", base, where, trimmed(st.failed))
	}
	m := processFailed.FindStringSubmatch(oneLine(st.failed))
	if m == nil {
		return fmt.Sprintf("The step %q%s failed: %s", st.name, where, trimmed(st.failed))
	}
	text := fmt.Sprintf("The step %q%s ended with %s.", st.name, where, m[1])
	if strings.Contains(m[1], "137") || strings.Contains(m[1], "memory") {
		text += " It was killed: most likely it took more memory than a build may have."
	}
	return text
}

// at says in which line of the Dockerfile an error is.
func at(sources []*errdefs.Source) string {
	for i := len(sources) - 1; i >= 0; i-- {
		s := sources[i]
		if s.Info == nil || len(s.Ranges) == 0 || s.Ranges[0].Start == nil {
			continue
		}
		return fmt.Sprintf(" (%s, line %d)", s.Info.Filename, s.Ranges[0].Start.Line)
	}
	return ""
}

// trimmed takes off what says only that something failed.
func trimmed(text string) string {
	for {
		short := text
		for _, prefix := range []string{"failed to solve: ", "rpc error: code = Unknown desc = ", "dockerfile parse error: ", "solver: ", "failed to load LLB: "} { //lint:phrase buildkit's words
			short = strings.TrimPrefix(short, prefix)
		}
		short = checksumOf.ReplaceAllString(short, "")
		if short == text {
			return oneLine(text)
		}
		text = short
	}
}
