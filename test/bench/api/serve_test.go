//go:build e2e

package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"testing"

	"github.com/sirupsen/logrus"

	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/api/drycc"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/identity"
	"github.com/slipway-paas/slipway/platform/platformtest"
	"github.com/slipway-paas/slipway/platform/store"
)

// roleVariable makes this binary one of the servers.
const (
	roleVariable = "SLIPWAY_BENCH_ROLE"
	fileVariable = "SLIPWAY_BENCH_FILE"
	// profileVariable is set by hand: where the servers write CPU profiles.
	profileVariable = "SLIPWAY_BENCH_PROFILE"
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	if path := os.Getenv(profileVariable); path != "" {
		if f, err := os.Create(path + "." + role); err == nil && pprof.StartCPUProfile(f) == nil {
			fmt.Fprintln(os.Stderr, "profile:", f.Name())
		}
	}
	err := serve(ctx, role, os.Getenv(fileVariable))
	pprof.StopCPUProfile()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, role+":", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve runs one of the servers on a free port, which it prints.
func serve(ctx context.Context, role, file string) error {
	start := ours
	if role == "bare" {
		start = bare
	}
	h, finish, err := start(ctx, file)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	server := &http.Server{Handler: h}
	go func() {
		<-ctx.Done()
		_ = server.Close() // nobody asks any more
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return finish()
}

// ours is the controller as the appliance has it, over a cluster in memory and
// with rate limits that a bench does not meet.
func ours(ctx context.Context, file string) (http.Handler, func() error, error) {
	db, err := store.Open(ctx, file, secret())
	if err != nil {
		return nil, nil, err
	}
	cluster := platformtest.NewCluster()
	list, _, err := db.ListApps(ctx, control.AppFilter{}, control.Page{Limit: apps})
	for _, a := range list {
		err = errors.Join(err, cluster.EnsureApp(ctx, a))
	}
	if err != nil {
		return nil, nil, err
	}
	logger := logrus.New()
	logger.SetOutput(io.Discard) // lines are made, and go where a log costs nothing
	core, err := control.New(control.Options{
		Store: db, Cluster: cluster, Identity: identity.New(), Domain: "slipway.localhost", Logger: logger,
	})
	if err != nil {
		return nil, nil, err
	}
	plenty := api.Rate{PerSecond: 1e9, Burst: 1e9}
	h, err := api.NewHandler(api.HandlerOptions{
		Mounts: []api.Mount{{Dialect: drycc.New(core)}}, Logger: logger,
		Limits: api.Limits{Anonymous: plenty, Token: plenty, Remote: plenty},
	})
	if err != nil {
		return nil, nil, err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- core.Run(run) }()
	return h, func() error { stop(); return errors.Join(<-ended, db.Close()) }, nil
}
