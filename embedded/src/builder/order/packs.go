package order

// Packs asks for the image that buildpacks make. All references are full; those
// of the platform's own images name digests in Order.Registry.
type Packs struct {
	Builder    string            `json:"builder"`       // image that holds the buildpacks
	Lifecycle  string            `json:"lifecycle"`     // image whose programs see the registry's password
	Run        string            `json:"run,omitempty"` // image that apps run in; empty: the one Builder names
	Env        map[string]string `json:"env,omitempty"` // of the buildpacks; may hold secrets
	ClearCache bool              `json:"clearCache,omitempty"`
}

// Packed is what buildpacks made.
type Packed struct {
	Digest    string            `json:"digest"`
	Processes map[string]string `json:"processes"` // process type → command line
}
