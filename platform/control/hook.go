package control

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the documented signature
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/slipway-paas/slipway/platform"
)

// DeployHooks say who is told of every new release. The zero value tells
// nobody; with URLs, Poster is required.
type DeployHooks struct {
	URLs   []string // http or https, without user name and fragment
	Secret string   // signs the requests; empty: they are not signed
	Poster Poster
	// Backoff is the pause after try n (from 1) in vain; default 2 s doubled up
	// to 10 minutes.
	Backoff func(n int) time.Duration
}

// The settings of deploy hooks: addresses with commas between, and the key
// that signs the requests.
const (
	settingHookURLs   = "DRYCC_DEPLOY_HOOK_URLS"
	settingHookSecret = "DRYCC_DEPLOY_HOOK_SECRET_KEY"
)

// DeployHookNames lists the settings that ParseDeployHooks reads.
func DeployHookNames() []string { return []string{settingHookURLs, settingHookSecret} }

// ParseDeployHooks reads the settings by name; New checks the addresses.
func ParseDeployHooks(get func(name string) string, poster Poster) DeployHooks {
	return DeployHooks{URLs: strings.Split(get(settingHookURLs), ","), Secret: get(settingHookSecret), Poster: poster}
}

const (
	hookTries = 9 // some 17 minutes with the default pauses
	// hookAge is how old a release may be when its hook is tried again, so that
	// a receiver that was away for long is not told all of the past.
	hookAge   = time.Hour
	hookBatch = 500
)

// hookTarget is one address.
type hookTarget struct {
	id   string // SHA-256 of the address
	url  string
	show string // what logs and events may hold of it: scheme and host
}

// dispatcher tells of releases by way of the outbox. Deploys never wait for it.
//
//	event log ──feed──► outbox ──deliver, one for each target──► Poster
//	             │                  attempt recorded, sent, end recorded
//	             └ cursor
//
// A release is told at least once to every target that answers: a process
// killed between sending and recording sends again.
type dispatcher struct {
	store   Store
	poster  Poster
	secret  []byte
	backoff func(n int) time.Duration
	log     *logrus.Logger
	now     func() time.Time
	targets []hookTarget
	parts   *parts // feed first, then the targets
	made    time.Time
}

func newDispatcher(o DeployHooks, store Store, log *logrus.Logger, now func() time.Time) (*dispatcher, error) {
	d := &dispatcher{store: store, poster: o.Poster, secret: []byte(o.Secret), backoff: o.Backoff, log: log, now: now, made: now()}
	if d.backoff == nil {
		d.backoff = func(n int) time.Duration { return min(2*time.Second<<min(n-1, 10), 10*time.Minute) }
	}
	seen := map[string]bool{}
	for i, raw := range o.URLs {
		raw = strings.TrimSpace(raw)
		if raw == "" || seen[raw] {
			continue
		}
		seen[raw] = true
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.Fragment != "" {
			// The address itself may hold a secret and stays out of the error.
			return nil, fmt.Errorf("control: deploy hook %d is no address of the form http(s)://host/path without user name and fragment", i+1)
		}
		sum := sha256.Sum256([]byte(raw))
		d.targets = append(d.targets, hookTarget{hex.EncodeToString(sum[:]), raw, u.Scheme + "://" + u.Host})
	}
	if len(d.targets) > 0 && o.Poster == nil {
		return nil, fmt.Errorf("control: deploy hooks need a Poster")
	}
	d.parts = newParts(0)
	if len(d.targets) > 0 {
		d.parts = newParts(1 + len(d.targets))
	}
	return d, nil
}

// open tells the store which targets there are.
func (d *dispatcher) open(ctx context.Context) error {
	ids := make([]string, len(d.targets))
	for i, t := range d.targets {
		ids[i] = t.id
	}
	return d.store.OpenOutbox(ctx, ids, d.made)
}

// wake says that there may be a new release.
func (d *dispatcher) wake() { d.parts.due(0) }

// wait returns when all that happened has been told or given up.
func (d *dispatcher) wait(ctx context.Context) error { return d.parts.wait(ctx) }

// run feeds and delivers until ctx ends.
func (d *dispatcher) run(ctx context.Context) {
	d.parts.run(ctx, func(ctx context.Context, i int) {
		if i == 0 {
			d.keepOn(ctx, "reading the event log", d.feed)
			return
		}
		t := d.targets[i-1]
		d.keepOn(ctx, "working on the outbox", func(ctx context.Context) (bool, error) { return d.deliver(ctx, t) })
	})
}

// keepOn calls step until it says that nothing is left, with pauses while the
// store is away.
func (d *dispatcher) keepOn(ctx context.Context, what string, step func(context.Context) (more bool, err error)) {
	tries := 0
	for ctx.Err() == nil {
		more, err := step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			tries++
			d.log.WithError(err).Warn("deploy hooks: " + what)
			pause(ctx, d.backoff(tries))
		case !more:
			return
		default:
			tries = 0
		}
	}
}

// pause waits, or less when ctx ends.
func pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// feed turns events into deliveries and moves the cursor past them.
func (d *dispatcher) feed(ctx context.Context) (more bool, err error) {
	cursor, err := d.store.DeliveryCursor(ctx)
	if err != nil {
		return false, err
	}
	events, err := d.store.ListEvents(ctx, "", cursor, hookBatch)
	if err != nil || len(events) == 0 {
		return false, err
	}
	var list []Delivery
	for _, e := range events {
		cursor = e.ID
		if e.Object != "release" || e.Action != "create" {
			continue
		}
		found, err := d.deliveries(ctx, e)
		if err != nil {
			return false, err
		}
		list = append(list, found...)
	}
	if err := d.store.AddDeliveries(ctx, cursor, list); err != nil {
		return false, err
	}
	if len(list) > 0 {
		for i := range d.targets {
			d.parts.due(i + 1)
		}
	}
	return true, nil
}

// deliveries makes what is to be sent for a new release. A release that is
// gone with its app is not told.
func (d *dispatcher) deliveries(ctx context.Context, e Event) ([]Delivery, error) {
	var data struct{ Version int }
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return nil, fmt.Errorf("event %d: %w", e.ID, err)
	}
	query, err := d.query(ctx, e.App, data.Version)
	if platform.CodeOf(err) == platform.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list := make([]Delivery, len(d.targets))
	for i, t := range d.targets {
		list[i] = Delivery{Target: t.id, App: e.App, Version: data.Version, Query: query, Created: e.Created}
	}
	return list, nil
}

func (d *dispatcher) query(ctx context.Context, app string, version int) (string, error) {
	a, err := d.store.FindApp(ctx, app)
	if err != nil {
		return "", err
	}
	r, err := d.store.FindRelease(ctx, app, version)
	if err != nil {
		return "", err
	}
	var b platform.Build
	if r.Build != "" {
		if b, err = d.store.FindBuild(ctx, r.Build); err != nil {
			return "", err
		}
	}
	return hookQuery(a, r, b), nil
}

// hookQuery is what receivers are told. The signature covers it, so its order
// is fixed: that of the names.
func hookQuery(a platform.App, r platform.Release, b platform.Build) string {
	q := url.Values{
		"app": {a.ID}, "release": {fmt.Sprintf("v%d", r.Version)}, "release_summary": {r.Summary},
		"sha": {b.SHA}, "user": {a.Workspace},
	}
	return strings.ReplaceAll(q.Encode(), "+", "%20")
}

// signature is the documented one: HMAC-SHA1 of the whole address, hex.
func signature(secret []byte, address string) string {
	if len(secret) == 0 {
		return ""
	}
	mac := hmac.New(sha1.New, secret)
	mac.Write([]byte(address))
	return hex.EncodeToString(mac.Sum(nil))
}
