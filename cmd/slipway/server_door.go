package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/join"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
)

const (
	lineDoor  = "node door"
	doorRetry = 10 * time.Second
)

// runDoor lets nodes in. The platform runs without it, so what keeps it from
// opening is shown and tried again.
func (s *server) runDoor(ctx context.Context) error {
	s.board.Set(lineDoor, lifecycle.Waiting, "")
	if err := k3s.WaitAPI(ctx, s.paths.Kubeconfig); err != nil {
		return ignoreEnd(ctx, err)
	}
	for {
		err := s.serveDoor(ctx)
		if ctx.Err() != nil {
			return err
		}
		s.log.WithError(err).Error("nodes cannot join")
		s.board.Set(lineDoor, lifecycle.Failed, err.Error())
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(doorRetry):
		}
	}
}

func (s *server) serveDoor(ctx context.Context) error {
	tokens, err := k3s.OpenTokens(s.paths.Kubeconfig, s.settings.DataDir)
	if err != nil {
		return err
	}
	tls := filepath.Join(s.settings.DataDir, "server", "tls")
	offers := &offers{settings: s.settings, paths: s.paths, registry: s.secrets.RegistryNode, tokens: tokens}
	door := &join.Door{
		Addr: ":" + strconv.Itoa(join.Port),
		Identity: &join.Identity{
			CAFile: filepath.Join(tls, "server-ca.crt"), KeyFile: filepath.Join(tls, "server-ca.key"),
			Hosts: append([]string{s.address, s.nodeName, "localhost", "127.0.0.1"}, s.settings.APIHosts...), Clock: time.Now,
		},
		ClientCA: filepath.Join(tls, "client-ca.crt"), Cluster: tokens,
		// The file that runs, also when a newer one has taken its place.
		Program: "/proc/self/exe", Offer: offers.make, Logger: s.log,
	}
	s.board.Set(lineDoor, lifecycle.Ready, "")
	return door.Run(ctx)
}

// offers says what a node gets from this server.
type offers struct {
	settings bootstrap.Settings
	paths    bootstrap.Paths
	registry string // the nodes' password
	tokens   *k3s.Tokens
}

func (o *offers) make(_ context.Context, _ join.Caller, r join.Request) (join.Offer, error) {
	offer := join.Offer{
		Version: version, Kubernetes: k3s.Version(), Arch: runtime.GOARCH,
		Settings: o.settings.Shared(bootstrap.Role(r.Role)), RegistryPassword: o.registry,
	}
	if r.Role != join.Server {
		return offer, nil
	}
	if _, err := os.Stat(filepath.Join(o.settings.DataDir, "server", "db", "etcd")); err != nil {
		return join.Offer{}, join.Refuse(http.StatusConflict, "the datastore of this cluster is not etcd, so that it stays with one server: join this host as an agent")
	}
	var err error
	if offer.Token, err = o.tokens.ServerToken(); err != nil {
		return join.Offer{}, err
	}
	if offer.Files, err = o.platformFiles(); err != nil {
		return join.Offer{}, err
	}
	return offer, nil
}

// platformFiles are those that any server has to have, byte for byte, to run
// the controller: keys that encrypt the database, passwords of the platform's
// parts, certificates, and the host keys of git push.
func (o *offers) platformFiles() ([]join.File, error) {
	paths := []string{o.paths.SecretKey, secretsFile(o.paths)}
	for _, dir := range []string{o.paths.CA, o.paths.GitKeys} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				paths = append(paths, path)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("files for another server: %w", err)
		}
	}
	var files []join.File
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // not made yet, so there is nothing to agree on
		}
		if err != nil {
			return nil, fmt.Errorf("files for another server: %w", err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("files for another server: %w", err)
		}
		files = append(files, join.File{Path: path, Perm: info.Mode().Perm(), Data: data})
	}
	return files, nil
}
