package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"

	"github.com/slipway-paas/slipway/embedded/src/builder/order"
)

// shown is what the pusher sees of some statuses.
func shown(t *testing.T, statuses ...*client.SolveStatus) (string, *progress) {
	t.Helper()
	var raw bytes.Buffer
	p := newProgress(newEvents(&raw))
	for _, s := range statuses {
		p.update(s)
	}
	var lines []string
	for line := range strings.Lines(raw.String()) {
		var e order.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, *e.Log)
	}
	return strings.Join(lines, "\n"), p
}

func withID(v *client.Vertex, id string) *client.Vertex {
	v.Digest = digest.FromString(id)
	return v
}

func TestProgress(t *testing.T) {
	now := time.Unix(1, 0)
	step := func(id, name string, cached, ended bool) *client.Vertex {
		v := &client.Vertex{Name: name, Cached: cached, Started: &now}
		if ended {
			v.Completed = &now
		}
		return withID(v, id)
	}
	said := func(id, text string) *client.SolveStatus {
		l := &client.VertexLog{Data: []byte(text)}
		l.Vertex = withID(&client.Vertex{}, id).Digest
		return &client.SolveStatus{Logs: []*client.VertexLog{l}}
	}
	got, _ := shown(t,
		&client.SolveStatus{Vertexes: []*client.Vertex{step("i", "[internal] load build definition", false, true), step("1", "[1/3] FROM busybox", true, true)}},
		&client.SolveStatus{Vertexes: []*client.Vertex{step("2", "[2/3] RUN a &&   b", false, false), step("3", "[3/3] RUN c", false, false)}},
		said("2", "one\ntw"), said("3", "other\n"), said("2", "o\r\n10%\r20%\n"), said("3", "no end"),
		&client.SolveStatus{Vertexes: []*client.Vertex{step("3", "[3/3] RUN c", false, true), step("e", "exporting to image", false, false)}},
	)
	want := strings.Join([]string{
		"---> [1/3] FROM busybox (cached)", "---> [2/3] RUN a && b", "---> [3/3] RUN c",
		"---> [2/3] RUN a && b", "one", "---> [3/3] RUN c", "other", "---> [2/3] RUN a && b", "two", "20%",
		"---> [3/3] RUN c", "no end", "---> Pushing the image to the platform's registry",
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestExplain(t *testing.T) {
	for _, tt := range []struct{ name, failed, err, want string }{
		{"[2/2] RUN exit 3", `process "/bin/sh -c exit 3" did not complete successfully: exit code: 3`, "failed to solve", `The step "[2/2] RUN exit 3" ended with exit code: 3.`},
		{"[2/2] RUN tail", `process "/bin/sh -c tail" did not complete successfully: exit code: 137`, "failed to solve", "more memory than a build may have"},
		{"[2/2] COPY x /", `failed to calculate checksum of ref a::b: "/x": not found`, "failed to solve", `failed: "/x": not found`},
		{"[internal] load metadata for docker.io/library/x:latest", "docker.io/library/x:latest: not found", "failed to solve", "The base image docker.io/library/x:latest can't be read"},
		{"", "", `failed to solve: source "docker-image://r/o/o:1" denied by policy`, "The image r/o/o:1 is not this app's"},
	} {
		now := time.Unix(1, 0)
		v := withID(&client.Vertex{Name: tt.name, Error: tt.failed, Started: &now, Completed: &now}, "1")
		_, p := shown(t, &client.SolveStatus{Vertexes: []*client.Vertex{v}})
		err := p.explain(errors.New(tt.err))
		var source *sourceError
		if !errors.As(err, &source) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	_, p := shown(t)
	var source *sourceError
	if errors.As(p.explain(errors.New("rpc error: code = Unavailable")), &source) {
		t.Error("a lost buildkitd was called the source's fault")
	}
}

func TestOtherAppsImagesAreDenied(t *testing.T) {
	p := sources(order.Order{Registry: "10.43.0.20:5000", Aliases: []string{"registry.example.com"}, Repository: "web/web"})
	if len(p.Rules) != 2 || p.Rules[0].Selector.Identifier != `^docker-image://(10\.43\.0\.20:5000|registry\.example\.com)/` ||
		p.Rules[1].Selector.Identifier != p.Rules[0].Selector.Identifier+`web/web[:@]` {
		t.Errorf("rules: %v", p.Rules)
	}
}
