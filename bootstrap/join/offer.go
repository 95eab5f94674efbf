package join

import "io/fs"

// Role is what a caller may become. A server may do all that an agent may.
type Role string

// The roles.
const (
	Agent  Role = "agent"
	Server Role = "server"
)

// Allows reports whether who has the role may join as want.
func (r Role) Allows(want Role) bool { return r == want || r == Server }

// Binary is the server's program, which a node runs too.
type Binary struct {
	SHA256 string `json:"sha256"` // hex
	Size   int64  `json:"size"`   // bytes
}

// Offer is what the door tells a node: all it needs to know of the cluster.
type Offer struct {
	Version    string `json:"version"`    // of Slipway
	Kubernetes string `json:"kubernetes"` // "v1.35.1+k3s1"
	Arch       string `json:"arch"`       // "amd64"
	Binary     Binary `json:"binary"`
	// Unsettled says that the server may yet go back to the program it had
	// before: an upgrade of it is not committed.
	Unsettled bool `json:"unsettled,omitempty"`

	// Settings are those that nodes share with the cluster, by name.
	Settings map[string]string `json:"settings"`
	// RegistryPassword is the nodes' password for pulling from the registry.
	RegistryPassword string `json:"registryPassword"`
	// Datastore is what the cluster keeps its objects in: "sqlite", "converting"
	// (to etcd), "etcd" or "external". A server can join with the last two;
	// Client.Convert asks for it.
	Datastore string `json:"datastore,omitempty"`
	// DatastoreProblem is why the last conversion failed.
	DatastoreProblem string `json:"datastoreProblem,omitempty"`
	// Token is the one with which the node's k3s joins, when it is not the
	// caller's own: for servers, that of the cluster.
	Token string `json:"token,omitempty"`
	// Files are what a server must have for the platform to run on it when the
	// first one is gone. None for agents.
	Files []File `json:"files,omitempty"`
}

// File is one file of an offer.
type File struct {
	Path string      `json:"path"` // absolute
	Perm fs.FileMode `json:"perm"`
	Data []byte      `json:"data"`
}

// Request is what a host says of itself at the door.
type Request struct {
	Role Role
	Name string // of the node it wants to be
	Arch string // "amd64"
}
