package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

const (
	firstLook = 100 * time.Millisecond
	lastLook  = 2 * time.Second
)

func waitFlag(cmd *cobra.Command) {
	cmd.Flags().Bool("no-wait", false, "Return when the controller has accepted, not when it is done")
}

// every calls look until it is done, at growing intervals.
func (k *call) every(look func() (done bool, err error)) error {
	for pause := firstLook; ; pause = min(pause*3/2, lastLook) {
		done, err := look()
		if done || err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-k.ctx().Done():
			return k.ctx().Err()
		}
	}
}

// rollout waits for the release that fits and returns its name. A release that
// is not deployed by itself is not waited for.
func (k *call) rollout(api *client.Client, app string, fits func(client.Release) bool) (string, error) {
	release, err := findRelease(k, api, app, fits)
	if err != nil || release.Version == 0 {
		return "", err
	}
	name := fmt.Sprintf("v%d", release.Version)
	if k.on("no-wait") || release.Build == "" { // without a build nothing is deployed
		return name, nil
	}
	settings, err := api.Settings(k.ctx(), app)
	if err != nil || !settings.Autodeploy {
		return name, err
	}
	return name, k.settle(api, app, release.Version)
}

// settle waits until a release runs or has failed.
func (k *call) settle(api *client.Client, app string, version int) error {
	err := k.every(func() (bool, error) {
		release, err := api.Release(k.ctx(), app, version)
		if err != nil {
			return false, err
		}
		if release.State == "crashed" || release.Failed {
			return true, deployError(release)
		}
		return release.State != "created", nil
	})
	if errors.Is(err, k.ctx().Err()) && err != nil {
		fmt.Fprintf(k.err, "\nv%d goes on without us; `drycc releases -a %s` shows how it ends.\n", version, app)
	}
	return err
}

func deployError(r client.Release) error {
	reason := r.Exception
	for _, c := range r.Conditions {
		if reason == "" {
			reason = c.Exception
		}
	}
	if reason == "" {
		reason = "it did not start"
	}
	return curable(fmt.Errorf("v%d was not deployed: %s", r.Version, reason),
		fmt.Sprintf("What ran before runs on. See `drycc ps -a %[1]s`, `drycc logs -a %[1]s` and `drycc releases info v%[2]d -a %[1]s`.", r.App, r.Version))
}

// findRelease finds the newest release that fits; its version is 0 when none
// does.
func findRelease(k *call, api *client.Client, app string, fits func(client.Release) bool) (client.Release, error) {
	const recent = 20
	page, err := api.Releases(k.ctx(), app, nil, recent)
	if err != nil {
		return client.Release{}, err
	}
	for _, r := range page.Results {
		if fits(r) {
			return r, nil
		}
	}
	return client.Release{}, nil
}

// ofConfig and ofBuild recognise the release that a change made.
func ofConfig(uuid string) func(client.Release) bool {
	return func(r client.Release) bool { return r.Config == uuid }
}

func ofBuild(uuid string) func(client.Release) bool {
	return func(r client.Release) bool { return r.Build == uuid }
}

// changeConfig changes the config with progress and waits for its release.
func (k *call) changeConfig(api *client.Client, app, text string, change client.ConfigChange, merge bool) (client.Config, error) {
	var config client.Config
	err := k.progress(text, func() (note string, err error) {
		if config, err = api.ChangeConfig(k.ctx(), app, change, merge); err != nil {
			return "", err
		}
		return k.rollout(api, app, ofConfig(config.UUID))
	})
	return config, err
}
