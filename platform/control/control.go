package control

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/sirupsen/logrus"

	"github.com/slipway-paas/slipway/platform"
)

// Options are what a Controller is made of. Store, Cluster, Identity and
// Domain are required.
type Options struct {
	Store    Store
	Cluster  Cluster
	Identity Identity
	Domain   string           // apps answer at <app>.<Domain>
	Former   []string         // domains before: nobody else may have names below them
	Clock    func() time.Time // default: the system's
	Random   io.Reader        // default: the system's
	Logger   *logrus.Logger   // default: none
	Reserved []string         // patterns of refused names; nil: platform.DefaultReserved
	Workers  int              // apps worked on at once; default 16
	Tuning   Tuning           // of deploys, for all apps
	Limits   platform.Catalog // specs and plans; empty: platform.DefaultCatalog
	// Backoff is the pause before try n (from 1) when the cluster or the store
	// is away; default 0.5 s doubled up to 15 s.
	Backoff func(n int) time.Duration
	// ServiceKey is what the platform's own services prove themselves with;
	// empty: no service is let in.
	ServiceKey string
	Hooks      DeployHooks // default: none
	// Registration says who may make accounts; empty: only administrators.
	Registration platform.RegistrationMode
	Directory    Directory // knows further users; nil: none
	SignOn       SignOn    // an identity provider for browsers; nil: none
	Mailer       Mailer    // sends invitations; nil: they count as accepted at once
	// OnRelease hears of every state that a release enters, superseded apart.
	// It must not block.
	OnRelease func(platform.ReleaseState)
	EdgeOptions
	Catalog Catalog // of backing services; default: an empty one
	Builder Builder // makes images of source trees; nil: there is none
	Builds  BuildOptions
	ImageOptions
	Fetcher Fetcher // gets source from repositories elsewhere; nil: none can be named
}

// Controller carries out the verbs. Safe for concurrent use. Without Run it
// records changes and does not deploy them.
type Controller struct {
	store    Store
	cluster  Cluster
	identity Identity
	domain   string
	former   []string
	clock    func() time.Time
	random   io.Reader
	log      *logrus.Logger
	reserved platform.Reserved
	workers  int
	tuning   Tuning
	plans    platform.Catalog
	backoff  func(n int) time.Duration
	entered  func(platform.ReleaseState)

	serviceKey string

	records  *keyed // held while an app's records are read and changed
	changes  *keyed // held while the cluster is being changed for an app
	filers   *keyed // held while the filer of a volume is being started
	checks   *keyed // held while the domains of an app are being checked
	catalog  Catalog
	builder  Builder
	fetcher  Fetcher
	building BuildOptions
	images   ImageOptions
	builds   *builds
	queue    *queue
	hooks    *dispatcher
	bell     *bell
	throttle *throttle
	logins   *logins
	edge     EdgeOptions
	accounts accounts
	certs    *certTimer

	resumed    chan struct{} // closed when Run has first made due what was left
	resumeOnce sync.Once

	mu      sync.Mutex
	running bool
	cancels map[string]context.CancelFunc // of the apps being worked on
	looks   map[string]bool               // apps that were scaled outside, to be looked at
	tries   map[string]int                // tries in a row that found something away
}

// New makes a Controller; it starts nothing. Missing options and broken
// patterns are errors.
func New(o Options) (*Controller, error) {
	if o.Store == nil || o.Cluster == nil || o.Identity == nil || o.Domain == "" {
		return nil, errors.New("control: Store, Cluster, Identity and Domain are required")
	}
	patterns := o.Reserved
	if patterns == nil {
		patterns = platform.DefaultReserved()
	}
	reserved, err := platform.NewReserved(append(slices.Clone(patterns), o.Tuning.reservedNames()...))
	if err != nil {
		return nil, err
	}
	events := newBell()
	c := &Controller{
		bell: events, store: ringing{o.Store, events}, cluster: o.Cluster, identity: o.Identity, domain: o.Domain, former: slices.Clone(o.Former),
		clock: o.Clock, random: o.Random, log: o.Logger, reserved: reserved,
		workers: o.Workers, tuning: o.Tuning, plans: o.Limits, backoff: o.Backoff, entered: o.OnRelease,
		records: newKeyed(), changes: newKeyed(), filers: newKeyed(), checks: newKeyed(), catalog: o.Catalog, builder: o.Builder, fetcher: o.Fetcher, queue: newQueue(), certs: newCertTimer(),
		resumed: make(chan struct{}), cancels: map[string]context.CancelFunc{}, looks: map[string]bool{}, tries: map[string]int{},
	}
	if c.plans.Default().ID == "" {
		c.plans = platform.DefaultCatalog()
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	if c.random == nil {
		c.random = rand.Reader
	}
	if c.log == nil {
		c.log = logrus.New()
		c.log.SetOutput(io.Discard)
	}
	if c.workers <= 0 {
		c.workers = 16
	}
	if c.backoff == nil {
		c.backoff = defaultBackoff
	}
	if err := clearTrees(o.Builds.Folder); err != nil {
		return nil, fmt.Errorf("control: source trees of the past: %w", err)
	}
	c.building = o.Builds.withDefaults()
	c.builds, c.images = newBuilds(c.building.AtOnce), o.ImageOptions.withDefaults()
	c.edge = o.EdgeOptions.withDefaults()
	if c.entered == nil {
		c.entered = func(platform.ReleaseState) {}
	}
	c.serviceKey = o.ServiceKey
	if c.hooks, err = newDispatcher(o.Hooks, c.store, c.log, c.now); err != nil {
		return nil, err
	}
	c.store = noticing{Store: c.store, notice: c.hooks.wake}
	if c.catalog == nil {
		c.catalog = emptyCatalog{}
	}
	// Later, not at once: a worker that has the app waits for its own next try.
	c.store = recorder{Store: c.store, look: func(app string) { c.queue.addAfter(app, c.backoff(1)) }}
	c.throttle = newThrottle(c.clock)
	c.logins = newLogins(c.clock)
	if c.accounts, err = newAccounts(o); err != nil {
		return nil, err
	}
	return c, nil
}

func defaultBackoff(n int) time.Duration {
	return min(500*time.Millisecond<<min(n-1, 10), 15*time.Second)
}

// Ready reports whether requests can be served: the store answers and its
// schema is current.
func (c *Controller) Ready(ctx context.Context) error {
	if err := c.store.Ping(ctx); err != nil {
		return &platform.Error{Code: platform.Unavailable, Op: "control.Ready", Message: "the store does not answer", Err: err}
	}
	return nil
}

// Host is the default host name of an app.
func (c *Controller) Host(app string) string { return app + "." + c.domain }

// domains are the platform's, that of now first.
func (c *Controller) domains() []string { return append([]string{c.domain}, c.former...) }

func (c *Controller) now() time.Time { return c.clock().UTC() }

func newUUID() string { return uuid.NewString() }
