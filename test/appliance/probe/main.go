// Command probe is the web app that tests deploy. It answers with what it
// knows of itself, and can be told to misbehave:
//
//	CRASH=MESSAGE    prints the message and exits 1 at start
//
// It has no special shutdown: it stops accepting at SIGTERM, as ordinary
// servers do. Whoever routes to it has to cope.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run() error {
	if message := os.Getenv("CRASH"); message != "" {
		return errors.New(message)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	version, err := os.ReadFile("/version")
	if err != nil {
		return err
	}
	pod, err := os.Hostname()
	if err != nil {
		return err
	}
	answer, err := json.Marshal(map[string]string{
		"version": string(version), "pod": pod, "greeting": os.Getenv("GREETING"), "app": os.Getenv("DRYCC_APP"),
	})
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr:              ":" + os.Getenv("PORT"),
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer)
		}),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return server.Shutdown(grace)
	}
}
