// Package order is what the platform and the builder say to each other over the
// pipes of one command: first a line of JSON, the Order, then the source tree as
// a tar of the size it names; back come lines of JSON, each an Event. The
// platform has its own copy of these shapes: platform/build/protocol.go. Both
// are tested with the same golden file.
package order

// Order asks for the images of one source tree.
type Order struct {
	ID         string   `json:"id"`
	Tenant     string   `json:"tenant"`     // nothing that is cached is shared between tenants
	Registry   string   `json:"registry"`   // "10.43.0.20:5000", spoken to over plain HTTP
	Aliases    []string `json:"aliases"`    // other names of the registry in Dockerfiles
	Repository string   `json:"repository"` // of all images, "web/web"
	Username   string   `json:"username"`
	Password   string   `json:"password"`
	SSHKey     string   `json:"sshKey,omitempty"` // private key for RUN --mount=type=ssh
	NoCache    bool     `json:"noCache,omitempty"`
	Images     []Image  `json:"images"`
	Packs      *Packs   `json:"packs,omitempty"` // nil: only Dockerfiles
	TarBytes   int64    `json:"tarBytes"`
	DiskBytes  int64    `json:"diskBytes"` // that the build may write
	FreeBytes  int64    `json:"freeBytes"` // that have to stay free on the builder's disk
}

// Image is one image to build.
type Image struct {
	Ptype      string            `json:"ptype"`
	Dockerfile string            `json:"dockerfile"` // path in the tree
	Args       map[string]string `json:"args,omitempty"`
}

// Event is a line from the builder. One member is set.
type Event struct {
	Log    *string  `json:"log,omitempty"` // a line for the pusher
	Done   *Done    `json:"done,omitempty"`
	Failed *Failure `json:"failed,omitempty"`
}

// Done ends a build that went well.
type Done struct {
	Digests map[string]string `json:"digests"` // process type → "sha256:…", pushed without a tag
	Packed  *Packed           `json:"packed,omitempty"`
}

// Failure ends a build that did not.
type Failure struct {
	// Fault is "source" when the pusher can mend it, "disk" when the builder's
	// disk is too full, else "builder".
	Fault   string `json:"fault"`
	Message string `json:"message"`
}
