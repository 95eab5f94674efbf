package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"

	"github.com/slipway-paas/slipway/embedded/src/builder/order"
)

func packsOrder(builder string) order.Order {
	return order.Order{Registry: "10.0.0.1:5000", Aliases: []string{"registry.example.com"}, Repository: "web/web",
		Packs: &order.Packs{Builder: builder}}
}

// TestRunImage: a builder of others says what apps run in, but the platform's
// registry is read for it with a password that is good for every app.
func TestRunImage(t *testing.T) {
	for label, want := range map[string]string{
		`{"stack":{"runImage":{"image":"example.com/run:1"}}}`:                            "example.com/run:1",
		`{"images":[{"image":"example.com/run:2"}],"stack":{"runImage":{"image":"old"}}}`: "example.com/run:2",
		`{"images":[{"image":"10.0.0.1:5000/web/web:base"}]}`:                             "10.0.0.1:5000/web/web:base",
		`{"images":[{"image":"10.0.0.1:5000/other/other:git-1"}]}`:                        "not this app's",
		`{"images":[{"image":"registry.example.com/web/website:1"}]}`:                     "not this app's",
		`{}`: "names no run image",
		``:   "no builder",
	} {
		var config imageConfig
		config.Config.Labels = map[string]string{"io.buildpacks.builder.metadata": label}
		got, err := runImage(packsOrder("example.com/builder:1"), config)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", label, got, want)
		}
	}
}

func TestPhaseFailures(t *testing.T) {
	ours, theirs := packsOrder("10.0.0.1:5000/slipway.internal/packs-builder@sha256:ab"), packsOrder("example.com/builder:1")
	ours.Packs.Run = "10.0.0.1:5000/slipway.internal/packs-run@sha256:ab"
	for _, tt := range []struct {
		order  order.Order
		phase  string
		code   uint32
		source bool
		want   string
	}{
		{ours, "detect", 20, true, "go.mod"},
		{theirs, "detect", 20, true, "example.com/builder:1"},
		{ours, "build", 51, true, "could not build"},
		{ours, "build", 137, true, "memory"},
		{ours, "export", 62, false, "exit code 62"},
	} {
		p := &phases{order: tt.order}
		err := p.explain(tt.phase, fmt.Errorf("solving: %w", &gatewaypb.ExitError{ExitCode: tt.code}))
		var source *sourceError
		if errors.As(err, &source) != tt.source || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %d: %v", tt.phase, tt.code, err)
		}
	}
}

func TestPacksNames(t *testing.T) {
	if got := commandLine([]string{"bash", "-c", "./serve -p $PORT"}); got != "./serve -p $PORT" {
		t.Error(got)
	}
	if got := commandLine([]string{"serve", "-root", "public"}); got != "serve -root public" {
		t.Error(got)
	}
	if got := quoted("a'b"); got != `'a'\''b'` {
		t.Error(got)
	}
	if secrets := packsSecrets(packsOrder("x")); len(secrets) != 1 {
		t.Error("only the registry's password, when there are no variables")
	}
}
