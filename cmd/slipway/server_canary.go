package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/identity"
	"github.com/slipway-paas/slipway/platform/kube"
	"github.com/slipway-paas/slipway/platform/store"
)

const (
	canaryUser = "canary"
	// canaryLimit is how long the whole life of a canary may take.
	canaryLimit = 4 * time.Minute
	// canaryFarewell is how long its removal may take, also after a failure.
	canaryFarewell = time.Minute
)

// canaryHandler deploys an app of the platform's own, asks it through the
// gateway and removes it. It answers with what it saw.
func (s *server) canaryHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), canaryLimit)
		defer cancel()
		start := time.Now()
		if err := s.deployCanary(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		// An error is the reader's, who has gone.
		_, _ = fmt.Fprintf(w, "deployed, answered and removed in %.1f s\n", time.Since(start).Seconds())
	})
}

// canaryDeploy is one canary: a controller of its own over an empty database of
// its own, with the real cluster. It goes through everything that an app of a
// user goes through, and no list, quota, hook or number of theirs knows of it.
type canaryDeploy struct {
	id      string
	control *control.Controller
	actor   control.Actor
	cluster *kube.Cluster
}

func (s *server) deployCanary(ctx context.Context) (err error) {
	if err := os.MkdirAll(s.paths.RunDir, 0o700); err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	dir, err := os.MkdirTemp(s.paths.RunDir, "canary-")
	if err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	key := make([]byte, store.KeySize)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	database, err := store.Open(ctx, filepath.Join(dir, "canary.db"), key)
	if err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	c, err := s.newCanary(ctx, database, dir)
	if err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- c.control.Run(running) }()
	err = c.live(ctx, s.settings.Domain)
	err = errors.Join(err, c.leave(ctx))
	stop()
	if err = errors.Join(err, <-ended); err != nil {
		return fmt.Errorf("canary app %s: %w", c.id, err)
	}
	return nil
}

func (s *server) newCanary(ctx context.Context, database *store.Store, dir string) (*canaryDeploy, error) {
	options, err := s.clusterOptions()
	if err != nil {
		return nil, err
	}
	// Also on a server whose controller does not lead: nobody else knows of this app.
	options.Guard = nil
	cluster, err := kube.New(options)
	if err != nil {
		return nil, err
	}
	who := identity.New()
	random := make([]byte, 4)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	c := &canaryDeploy{id: "canary-" + hex.EncodeToString(random), cluster: cluster}
	// Nobody logs in: the password is never seen.
	if err := identity.EnsureAdmin(ctx, database, who, canaryUser, rand.Text()); err != nil {
		return nil, err
	}
	user, _, err := database.FindUser(ctx, canaryUser)
	if err != nil {
		return nil, err
	}
	c.actor = control.Actor{User: user}
	tuning, err := control.ParseTuning(s.settings.ControllerSetting)
	if err != nil {
		return nil, err
	}
	c.control, err = control.New(control.Options{
		Store: database, Cluster: cluster, Identity: who, Domain: s.settings.Domain, Logger: s.log, Tuning: tuning,
		Builds: control.BuildOptions{Folder: dir},
	})
	return c, err
}

// live makes the app, deploys it and waits until it answers.
func (c *canaryDeploy) live(ctx context.Context, domain string) error {
	image, err := imageRef("hello")
	if err != nil {
		return err
	}
	if _, err := c.control.CreateApp(ctx, c.actor, control.NewApp{ID: c.id}); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if _, err := c.control.Deploy(ctx, c.actor, c.id, control.NewBuild{Image: image, Stack: "container"}); err != nil {
		return fmt.Errorf("deploy: %w", err)
	}
	if err := c.control.Idle(ctx); err != nil {
		return fmt.Errorf("deploy: %w", err)
	}
	releases, _, err := c.control.ListReleases(ctx, c.actor, c.id, nil, control.Page{Limit: 1})
	if err != nil {
		return err
	}
	if len(releases) == 0 || releases[0].State != platform.ReleaseSucceeded {
		return fmt.Errorf("deploy: %s", releaseReason(releases))
	}
	return awaitHost(ctx, c.id+"."+domain)
}

func releaseReason(releases []platform.Release) string {
	if len(releases) == 0 {
		return "there is no release"
	}
	return fmt.Sprintf("the release is %s: %s", releases[0].State, releases[0].Exception)
}

// awaitHost asks the gateway on this host for a name until it answers well.
func awaitHost(ctx context.Context, name string) error {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		status, err := askThroughGateway(ctx, name)
		if err == nil && status == http.StatusOK {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("%s answers %d", name, status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("through the gateway: %w", errors.Join(err, ctx.Err()))
		case <-tick.C:
		}
	}
}

// leave removes the app, whatever became of it, and waits until its namespace
// has gone.
func (c *canaryDeploy) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), canaryFarewell)
	defer cancel()
	err := c.control.DeleteApp(ctx, c.actor, c.id)
	if err != nil && platform.CodeOf(err) != platform.NotFound {
		return fmt.Errorf("remove: %w", err)
	}
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		there, err := c.cluster.NamespaceExists(ctx, c.id)
		if err == nil && !there {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("remove: the namespace is still there: %w", errors.Join(err, ctx.Err()))
		case <-tick.C:
		}
	}
}

// readCanary reads what a canary's handler answers.
func readCanary(body io.ReadCloser) (string, error) {
	text, err := io.ReadAll(io.LimitReader(body, 4<<10))
	return string(text), errors.Join(err, body.Close())
}
