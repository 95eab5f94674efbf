package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/session/sshforward/sshprovider"
	policy "github.com/moby/buildkit/sourcepolicy/pb"
	"github.com/tonistiigi/fsutil"
	"google.golang.org/grpc"

	"github.com/slipway-paas/slipway/embedded/src/builder/order"
)

// hold has buildkitd started, and kept running until release is called. After
// a build that was cut off buildkitd has to be started again: it never lets go
// of what such a step has written.
func hold(ctx context.Context) (release func(cut bool), err error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", holdSocket)
	if err != nil {
		return nil, fmt.Errorf("asking for buildkitd: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	answer, err := io.ReadAll(io.LimitReader(conn, 1))
	stop()
	if err == nil && string(answer) != "+" {
		err = errors.New("it does not start; its log is that of the builder's pod")
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("starting buildkitd: %w", err)
	}
	return func(cut bool) {
		if !cut {
			_, _ = conn.Write([]byte("."))
		}
		_ = conn.Close()
	}, nil
}

// build makes the images one after the other: they share most steps.
func build(ctx context.Context, o order.Order, source *tree, out *events) (*order.Done, error) {
	daemon, err := client.New(ctx, "unix://"+daemonSocket)
	if err != nil {
		return nil, fmt.Errorf("reaching buildkitd: %w", err)
	}
	defer daemon.Close()
	if err := makeRoom(ctx, daemon, o); err != nil {
		return nil, err
	}
	ctx, stop := watchDisk(ctx, o)
	defer stop()
	attach, err := attachables(o)
	if err != nil {
		return nil, err
	}
	done := &order.Done{Digests: map[string]string{}}
	if o.Packs != nil {
		if done.Packed, err = buildPacks(ctx, daemon, o, source, out); err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return nil, cause
			}
			return nil, err
		}
	}
	for _, image := range o.Images {
		out.logf("---> Building the image of %s from %s", image.Ptype, image.Dockerfile)
		digest, err := buildOne(ctx, daemon, solveOptions(o, image, source, attach), out)
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return nil, cause
			}
			return nil, err
		}
		done.Digests[image.Ptype] = digest
	}
	return done, nil
}

func buildOne(ctx context.Context, daemon *client.Client, opts client.SolveOpt, out *events) (string, error) {
	begun := time.Now()
	status := make(chan *client.SolveStatus)
	show := newProgress(out)
	var group sync.WaitGroup
	group.Go(func() {
		for s := range status {
			show.update(s)
		}
	})
	response, err := daemon.Solve(ctx, nil, opts, status)
	group.Wait()
	if err != nil {
		dropLeftovers(ctx, daemon, begun, show.unfinished())
		return "", show.explain(err)
	}
	digest := response.ExporterResponse["containerimage.digest"]
	if digest == "" {
		return "", errors.New("buildkitd pushed an image and did not say which")
	}
	return digest, nil
}

func solveOptions(o order.Order, image order.Image, source fsutil.FS, attach []session.Attachable) client.SolveOpt {
	attrs := map[string]string{
		"filename": image.Dockerfile,
		// A "# syntax=" line would have another program read the Dockerfile,
		// pulled from the internet. Ours knows the language.
		"cmdline": "dockerfile.v0",
		// In the key of every cached RUN: what one tenant's build left behind,
		// for instance through a proxy of its own, is never another's result.
		"hostname":                          hostname(o.Tenant),
		"build-arg:BUILDKIT_CACHE_MOUNT_NS": o.Tenant,
	}
	for name, value := range image.Args {
		if !strings.HasPrefix(name, "BUILDKIT_") {
			attrs["build-arg:"+name] = value
		}
	}
	if o.NoCache {
		attrs["no-cache"] = ""
	}
	return client.SolveOpt{
		Frontend: "dockerfile.v0", FrontendAttrs: attrs,
		// BuildKit would take a file over from the last tree with the same key that
		// has the same size and time: content may differ, so no tree shares one.
		SharedKey:    rand.Text(),
		LocalMounts:  map[string]fsutil.FS{"context": source, "dockerfile": source},
		Session:      attach,
		SourcePolicy: sources(o),
		Exports: []client.ExportEntry{{Type: client.ExporterImage, Attrs: map[string]string{
			"name": o.Registry + "/" + o.Repository, "push": "true", "push-by-digest": "true",
			"registry.insecure": "true", "oci-mediatypes": "true", "compression": "zstd", "compression-level": "1",
		}}},
	}
}

// hostname is what RUN steps see as the name of their machine.
func hostname(tenant string) string {
	if len(tenant) > 63 {
		tenant = strings.TrimRight(tenant[:63], "-")
	}
	return tenant
}

// sources keeps a Dockerfile from reading other apps' images: the builder's
// password is good for all of them.
func sources(o order.Order) *policy.Policy {
	var hosts []string
	for _, host := range append([]string{o.Registry}, o.Aliases...) {
		hosts = append(hosts, regexp.QuoteMeta(host))
	}
	ours := "^docker-image://(" + strings.Join(hosts, "|") + ")/"
	rule := func(action policy.PolicyAction, expression string) *policy.Rule {
		return &policy.Rule{Action: action, Selector: &policy.Selector{Identifier: expression, MatchType: policy.MatchType_REGEX}}
	}
	return &policy.Policy{Version: 1, Rules: []*policy.Rule{
		rule(policy.PolicyAction_DENY, ours),
		rule(policy.PolicyAction_ALLOW, ours+regexp.QuoteMeta(o.Repository)+"[:@]"),
	}}
}

// attachables are what the daemon may ask for while it builds.
func attachables(o order.Order) ([]session.Attachable, error) {
	out := []session.Attachable{&credentials{order: o}}
	if o.SSHKey == "" {
		return out, nil
	}
	key, err := os.CreateTemp("/run/buildkit", "key-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(key.Name()) // the provider keeps what it read
	text := strings.TrimRight(o.SSHKey, "\n") + "\n"
	_, err = key.WriteString(text)
	if err = errors.Join(err, key.Close()); err != nil {
		return nil, err
	}
	agent, err := sshprovider.NewSSHAgentProvider([]sshprovider.AgentConfig{{Paths: []string{key.Name()}}})
	if err != nil {
		return nil, &sourceError{text: "SSH_KEY of the app's config is no private key without a passphrase. Set it to the whole text of the key's file."}
	}
	return append(out, agent, secretsprovider.FromMap(map[string][]byte{"SSH_KEY": []byte(text)})), nil
}

// credentials answers for the platform's registry, and for no other.
type credentials struct {
	auth.UnimplementedAuthServer
	order order.Order
}

// Register makes it part of a session.
func (c *credentials) Register(server *grpc.Server) { auth.RegisterAuthServer(server, c) }

// Credentials gives the password of the platform's registry.
func (c *credentials) Credentials(_ context.Context, r *auth.CredentialsRequest) (*auth.CredentialsResponse, error) {
	if r.Host != c.order.Registry {
		return &auth.CredentialsResponse{}, nil
	}
	return &auth.CredentialsResponse{Username: c.order.Username, Secret: c.order.Password}, nil
}

// events writes events, from several goroutines, whole.
type events struct {
	mu sync.Mutex
	to *json.Encoder
}

func newEvents(w io.Writer) *events {
	to := json.NewEncoder(w)
	to.SetEscapeHTML(false)
	return &events{to: to}
}

func (e *events) send(event order.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.to.Encode(event) // who no longer reads has hung up, which ends the input too
}

// log sends a line for the pusher.
func (e *events) log(line string) { e.send(order.Event{Log: &line}) }

func (e *events) logf(format string, args ...any) { e.log(fmt.Sprintf(format, args...)) }
