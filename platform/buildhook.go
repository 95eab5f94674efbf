package platform

import "time"

// BuildHook is an address at which a host of git repositories tells of pushes,
// upon which the app is built from the repository. An app has one or none.
type BuildHook struct {
	UUID      string // part of the address
	App       string
	User      string // who set it up, and for whom it builds
	URL       string // of the repository, see ParseGitURL
	Branch    string
	Username  string // with which the repository is read over HTTPS; empty for none
	CA        string // certificates of further authorities for that host, in PEM
	PublicKey string // which has to be allowed to read the repository over SSH
	HostKey   string // of the SSH server, in the form of authorized_keys
	Created   time.Time
}

// BuildHookSecrets are what a BuildHook is proven and works with.
type BuildHookSecrets struct {
	Secret     string // which the host of the repository signs with
	Password   string // for HTTPS
	PrivateKey string // for SSH, PEM
}
