package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	policy "github.com/moby/buildkit/sourcepolicy/pb"
	"github.com/tonistiigi/fsutil"

	"github.com/slipway-paas/slipway/embedded/src/builder/order"
)

// The lifecycle's exit codes that are the source's.
const (
	exitNoneFits   = 20
	exitFitsFailed = 21
	exitBuild      = 51
)

// packsTag names the image of an app's last build by buildpacks, whose layers
// the next one takes over where nothing has changed.
const packsTag = "buildpack"

// buildPacks makes the image of a source tree by the phases of Cloud Native
// Buildpacks' lifecycle, each a step of BuildKit.
//
// Detect and build run what the builder image and the source hold; they get no
// secret but the build variables. Analyze, restore and export are our own
// programs in our own image and get the registry's password. What these three
// believe, which images are read above all, never passes through the hands of
// the other two.
func buildPacks(ctx context.Context, daemon *client.Client, o order.Order, source fsutil.FS, out *events) (*order.Packed, error) {
	begun := time.Now()
	status := make(chan *client.SolveStatus)
	show := newProgress(out)
	var group sync.WaitGroup
	group.Go(func() {
		for s := range status {
			show.update(s)
		}
	})
	var packed *order.Packed
	var p *phases
	var failed error // as it was before it went through buildkitd
	out.logf("---> Using builder %s", builderName(o))
	_, err := daemon.Build(ctx, packsOptions(o, source), "", func(ctx context.Context, gw gateway.Client) (*gateway.Result, error) {
		if p, failed = newPhases(ctx, gw, o); failed == nil {
			packed, failed = p.run(ctx)
		}
		return gateway.NewResult(), failed
	}, status)
	group.Wait()
	if p != nil {
		// No other build can use what these steps wrote.
		dropLeftovers(ctx, daemon, begun, []string{p.mark()})
	}
	if failed != nil && p != nil {
		return nil, p.explain(show.failedPhase(), failed)
	}
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	return packed, nil
}

func packsOptions(o order.Order, source fsutil.FS) client.SolveOpt {
	rules := sources(o)
	// Our own images lie in the same registry.
	ours := "^docker-image://" + regexp.QuoteMeta(o.Registry) + "/slipway\\.internal/"
	rules.Rules = append(rules.Rules, &policy.Rule{Action: policy.PolicyAction_ALLOW,
		Selector: &policy.Selector{Identifier: ours, MatchType: policy.MatchType_REGEX}})
	return client.SolveOpt{
		LocalMounts:  map[string]fsutil.FS{"context": source},
		Session:      []session.Attachable{&credentials{order: o}, secretsprovider.FromMap(packsSecrets(o))},
		SourcePolicy: rules,
	}
}

// envSecret is what the secret with a build variable is called.
func envSecret(name string) string { return "env/" + name }

const (
	authSecret = "registry"
	phaseStep  = "[buildpacks] " // before a phase's name, in the log
)

func packsSecrets(o order.Order) map[string][]byte {
	basic := base64.StdEncoding.EncodeToString([]byte(o.Username + ":" + o.Password))
	auth, err := json.Marshal(map[string]string{o.Registry: "Basic " + basic})
	if err != nil {
		auth = []byte("{}") // strings always can be encoded
	}
	secrets := map[string][]byte{authSecret: auth}
	for name, value := range o.Packs.Env {
		secrets[envSecret(name)] = []byte(value)
	}
	return secrets
}

// builderName is the builder's name for people.
func builderName(o order.Order) string {
	name, _, _ := strings.Cut(o.Packs.Builder, "@")
	if own, ok := strings.CutPrefix(name, o.Registry+"/"); ok && strings.HasPrefix(own, "slipway.internal/") {
		return "slipway (Go, Node.js, static sites, Procfile)"
	}
	return name
}

// phases are the steps of one build.
type phases struct {
	gw       gateway.Client
	order    order.Order
	builder  llb.State // where detect and build run
	ours     llb.State // where the others do
	programs llb.State // of the lifecycle
	runRef   string    // reference of the image that apps run in
	uid, gid int
	nonce    string // tells this build's steps from those of all others
}

// mark ends the commands of this build's steps, as a comment. It keeps BuildKit
// from taking their results from its cache: what was built before is the
// lifecycle's to know.
func (p *phases) mark() string { return "# " + p.nonce }

// imageConfig is what of an image's configuration matters.
type imageConfig struct {
	Config struct {
		Env    []string
		Labels map[string]string
	} `json:"config"`
}

func newPhases(ctx context.Context, gw gateway.Client, o order.Order) (*phases, error) {
	p := &phases{gw: resolver{gw}, order: o, runRef: o.Packs.Run, uid: 1000, gid: 1000, nonce: rand.Text()}
	_, _, raw, err := p.gw.ResolveImageConfig(ctx, o.Packs.Builder, sourceresolver.Opt{ImageOpt: &sourceresolver.ResolveImageOpt{}})
	if err != nil {
		return nil, p.unread(o.Packs.Builder, err)
	}
	var config imageConfig
	if err := json.Unmarshal(raw, &config); err != nil {
		return nil, p.unread(o.Packs.Builder, err)
	}
	for _, line := range config.Config.Env {
		name, value, _ := strings.Cut(line, "=")
		switch name {
		case "CNB_USER_ID":
			p.uid = number(value, p.uid)
		case "CNB_GROUP_ID":
			p.gid = number(value, p.gid)
		}
	}
	if p.uid == 0 {
		return nil, &sourceError{text: fmt.Sprintf("The builder %s builds as root, which is not allowed.", builderName(o))}
	}
	if p.runRef == "" {
		if p.runRef, err = runImage(o, config); err != nil {
			return nil, err
		}
	}
	p.builder = p.image(o.Packs.Builder)
	p.ours = p.image(o.Packs.Lifecycle)
	p.programs = p.ours
	return p, nil
}

// image is the file system of an image, with its environment.
func (p *phases) image(ref string) llb.State {
	return llb.Image(ref, llb.WithMetaResolver(p.gw), llb.WithCustomName(phaseStep+"image "+short(p.order, ref))).
		Hostname(hostname(p.order.Tenant))
}

func short(o order.Order, ref string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(ref, o.Registry+"/"), "@")
	return name
}

// runImage is the image that apps run in, as a builder of others names it.
func runImage(o order.Order, config imageConfig) (string, error) {
	var metadata struct {
		Images []struct{ Image string }
		Stack  struct{ RunImage struct{ Image string } }
	}
	name := builderName(o)
	if err := json.Unmarshal([]byte(config.Config.Labels["io.buildpacks.builder.metadata"]), &metadata); err != nil {
		return "", &sourceError{text: fmt.Sprintf("The image %s is no builder of Cloud Native Buildpacks: it has no label io.buildpacks.builder.metadata.", name)}
	}
	run := metadata.Stack.RunImage.Image
	if len(metadata.Images) > 0 {
		run = metadata.Images[0].Image
	}
	if run == "" {
		return "", &sourceError{text: fmt.Sprintf("The builder %s names no run image.", name)}
	}
	// The password that the run image is read with is good for all of them.
	for _, host := range append([]string{o.Registry}, o.Aliases...) {
		rest, ours := strings.CutPrefix(run, host+"/")
		if ours && !strings.HasPrefix(rest, o.Repository+":") && !strings.HasPrefix(rest, o.Repository+"@") {
			return "", &sourceError{text: fmt.Sprintf("The builder %s has apps run in an image that is not this app's.", name)}
		}
	}
	return run, nil
}

// unread is a builder image that cannot be had.
func (p *phases) unread(ref string, err error) error {
	if strings.HasPrefix(ref, p.order.Registry+"/slipway.internal/") {
		return fmt.Errorf("reading the image %s: %w", ref, err)
	}
	if strings.Contains(err.Error(), "denied by policy") {
		return &sourceError{text: fmt.Sprintf("The builder %s is an image that is not this app's.", ref)}
	}
	return &sourceError{text: fmt.Sprintf("The builder %s could not be read: %s. Check the name, and whether the platform can reach its registry.", ref, trimmed(err.Error()))}
}

// failedPhase is the phase whose step failed.
func (p *progress) failedPhase() string {
	for _, st := range p.steps {
		if phase, ok := strings.CutPrefix(st.name, phaseStep); ok && st.failed != "" && !strings.Contains(st.failed, "context canceled") {
			return phase
		}
	}
	return "preparing"
}

// explain says what a failed phase means for the pusher.
func (p *phases) explain(phase string, err error) error {
	var exit *gatewaypb.ExitError
	if !errors.As(err, &exit) {
		if strings.Contains(err.Error(), "denied by policy") {
			return &sourceError{text: "The builder is an image that is not this app's."}
		}
		return fmt.Errorf("buildpacks, %s: %w", phase, err)
	}
	switch {
	case phase == "detect" && exit.ExitCode == exitNoneFits && p.order.Packs.Run != "":
		return &sourceError{text: "No buildpack fits this source. At its top there is none of: go.mod (Go), package.json (Node.js), " +
			"index.html or Staticfile, also index.html in public, dist, build, _site or out (static site), Procfile. " +
			"Commit one of them, or a Dockerfile, or name another builder in the file .pack-builder."}
	case phase == "detect" && (exit.ExitCode == exitNoneFits || exit.ExitCode == exitFitsFailed):
		return &sourceError{text: fmt.Sprintf("No buildpack of %s fits this source; what each looked for is above.", builderName(p.order))}
	case phase == "build" && exit.ExitCode == exitBuild, phase == "build" && exit.ExitCode < 128:
		return &sourceError{text: "A buildpack could not build this source; what it said is above."}
	case exit.ExitCode == 137:
		return &sourceError{text: "A buildpack was killed: most likely it took more memory than a build may have."}
	case phase == "build" || phase == "detect":
		return &sourceError{text: fmt.Sprintf("The buildpacks' phase %s ended with exit code %d; what it said is above.", phase, exit.ExitCode)}
	}
	return fmt.Errorf("buildpacks, %s: exit code %d", phase, exit.ExitCode)
}
