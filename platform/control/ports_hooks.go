package control

import (
	"context"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// KeyStore keeps public SSH keys.
type KeyStore interface {
	// CreateKey adds a key of k.Owner's. The Conflict names the Field: public
	// when somebody has that key already, id when the owner has one so named.
	CreateKey(ctx context.Context, k platform.Key) (platform.Key, error)
	FindKey(ctx context.Context, owner, id string) (platform.Key, error)
	ListKeys(ctx context.Context, owner string, p Page) ([]platform.Key, int, error) // oldest first
	DeleteKey(ctx context.Context, owner, id string) error
	// FindKeyOwner finds by fingerprint, MD5 or "SHA256:…", the user of a key.
	FindKeyOwner(ctx context.Context, fingerprint string) (platform.User, error)
	// ListAppKeys lists the keys of an app's workspace's active members and of
	// those whom a grant lets push to the app, by user and age; username narrows
	// it to one of them unless empty.
	ListAppKeys(ctx context.Context, app, username string) ([]platform.Key, error)
}

// BuildLister lists an app's builds.
type BuildLister interface {
	ListBuilds(ctx context.Context, app string, p Page) ([]platform.Build, int, error) // newest first
}

// Outbox keeps the deploy hooks that are still to be sent.
type Outbox interface {
	// OpenOutbox says which targets there are. What waits for others is
	// forgotten, and so is what happened before since while there was none.
	OpenOutbox(ctx context.Context, targets []string, since time.Time) error
	// DeliveryCursor is the ID of the last event that was read.
	DeliveryCursor(ctx context.Context) (int64, error)
	// AddDeliveries adds list and moves the cursor, both or none.
	AddDeliveries(ctx context.Context, cursor int64, list []Delivery) error
	// ListDeliveries lists up to limit of those for a target, oldest first; of
	// all targets when empty.
	ListDeliveries(ctx context.Context, target string, limit int) ([]Delivery, error)
	// TriedDelivery records one more attempt.
	TriedDelivery(ctx context.Context, id int64) error
	// EndDelivery removes a delivery and appends the event that tells how it
	// ended, both or none. A missing ID is no error, and then nothing is told.
	EndDelivery(ctx context.Context, id int64, e Event) error
}

// Delivery is one deploy hook for one address.
type Delivery struct {
	ID       int64
	Target   string // SHA-256 of the address, hex
	App      string
	Version  int
	Query    string // "app=hello&release=v4&…", without secrets
	Attempts int    // how often it was tried in vain
	Created  time.Time
}

// Poster sends deploy hooks.
type Poster interface {
	// Post sends an empty POST to url with the Authorization header, none when
	// it is empty. It returns the status of the answer, or an error when there
	// was none. It follows no redirect and returns within half a minute.
	Post(ctx context.Context, url, authorization string) (status int, err error)
}
