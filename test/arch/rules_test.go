package arch

import "strings"

const module = "github.com/slipway-paas/slipway"

// rooms allow an import in a few packages only. A path means the package and
// everything below it; one that ends in "." means exactly that package. Import
// paths of this module are written without the module.
type room struct {
	imports string   // what is imported
	only    []string // who may
	reason  string
}

var rooms = []room{
	{"github.com/k3s-io/k3s", []string{"bootstrap/k3s", "cmd/slipway"},
		"k3s takes ten minutes to compile; everything else has to build and test in seconds"},
	{"k8s.io/kubernetes", []string{"bootstrap/k3s", "cmd/slipway"},
		"Kubernetes itself comes with k3s only"},
	{"k8s.io/client-go", []string{"bootstrap/helm", "bootstrap/k3s", "platform/kube", "cmd/slipway", "test"},
		"the cluster is behind two doors: charts (helm) and apps (kube)"},
	{"k8s.io/api", []string{"bootstrap/helm", "bootstrap/k3s", "platform/kube", "cmd/slipway", "test"},
		"Kubernetes types stay where objects are rendered"},
	{"k8s.io/apimachinery", []string{"bootstrap/helm", "bootstrap/k3s", "platform/kube", "cmd/slipway", "test"},
		"Kubernetes types stay where objects are rendered"},
	{"sigs.k8s.io/gateway-api", []string{"platform/kube", "bootstrap/helm"},
		"routes are rendered in one place"},
	{"helm.sh/helm/v3", []string{"bootstrap/helm", "charts"},
		"the Helm SDK is one way to apply a chart; nobody else needs to know (charts: its tests lint)"},
	{"github.com/caddyserver/certmagic", []string{"platform/edge", "cmd/slipway"},
		"ACME lives at the edge"},
	{"github.com/mattn/go-sqlite3", []string{"platform/store", "bootstrap/k3s/kine"},
		"the database is a detail of the store, and another one of k3s"},
	{"github.com/jackc/pgx/v5", []string{"platform/store"},
		"the database is a detail of the store"},
	{"database/sql", []string{"platform/store", "bootstrap/k3s/kine"},
		"SQL stays in the store; kine's only statement is for a stopped k3s"},
	{"golang.org/x/crypto/argon2", []string{"platform/identity"},
		"passwords are hashed in one place"},
	{"github.com/go-ldap/ldap/v3", []string{"platform/identity/ldap"},
		"the directory is asked in one place"},
	{"github.com/coreos/go-oidc/v3", []string{"platform/identity/oidc"},
		"identity providers are believed in one place"},
	{"golang.org/x/oauth2", []string{"platform/identity/oidc"},
		"identity providers are believed in one place"},
	{"net/smtp", []string{"platform/identity/mail"},
		"mail is sent in one place"},
	{"github.com/google/go-containerregistry", []string{"embedded", "scripts", "bootstrap/k3s", "platform/build", "test"},
		"images are made at build time, staged on the node, and pushed by builds and tests"},
	{"github.com/moby/buildkit", []string{"platform/build"},
		"how images are built is known in one place"},
	{"filippo.io/age", []string{"bootstrap/backup", "cmd/slipway"},
		"backups are sealed in one place"},
	{"github.com/minio/minio-go/v7", []string{"bootstrap/backup", "test"},
		"S3 is spoken in one place"},
	{"golang.org/x/crypto/ssh", []string{"platform/control", "platform/gitssh", "test"},
		"SSH is one door (control: the form of public keys)"},
	{"github.com/spf13/cobra", []string{"cmd"},
		"commands are parsed in main packages only"},
	{"os/exec", []string{"bootstrap/host", "bootstrap/k3s/flannel", "bootstrap/k3s/cni", "cmd/slipway", "cmd/drycc", "scripts", "test", "embedded/src", "platform/platformtest/pgtest", "platform/gitssh", "platform/edge"},
		"every command run on the host goes through bootstrap/host, where it is journalled and can be faked; gitssh runs the carried git, which changes repositories only, and edge the operator's hook for DNS records, which changes a name server"},
	{"net/http/pprof", nil,
		"registers handlers on a global mux"},
	{"unsafe", []string{"embedded", "bootstrap/trim"}, "only giving pages back to the kernel needs it"},
}

// edge forbids one room to import another of this module.
type edge struct{ from, to, reason string }

var edges = []edge{
	{"bootstrap", "platform", "the host half installs any controller; they meet in cmd/slipway and in files"},
	{"platform", "bootstrap", "the platform runs on any cluster; it does not know how the host was made"},
	{"platform", "charts", "charts are installed by bootstrap"},
	{"platform", "embedded", "the payload is the node's"},
	{"platform/store", "platform/api", "the store knows no dialect"},
	{"platform/store", "platform/kube", "adapters do not know each other"},
	{"platform/kube", "platform/store", "adapters do not know each other"},
	{"platform/kube", "platform/api", "adapters do not know each other"},
	{"platform/build", "platform/store", "adapters do not know each other"},
	{"platform/build", "platform/api", "adapters do not know each other"},
	{"platform/gitssh", "platform/store", "a door makes calls to control"},
	{"platform/gitssh", "platform/kube", "a door makes calls to control"},
	{"platform/gitssh", "platform/build", "a door makes calls to control"},
	{"platform/control", "platform/build", "the verbs own the port; the wiring picks the builder"},
	{"platform/control", "platform/gitssh", "doors call the verbs, never the other way round"},
	{"platform/control", "platform/store.", "the verbs own the port; the wiring picks the store"},
	{"platform/control", "platform/kube", "the verbs own the port; the wiring picks the cluster"},
	{"platform/control", "platform/api", "dialects call the verbs, never the other way round"},
	{"platform/api/drycc", "platform/api/dockercloud", "dialects never import each other"},
	{"platform/api/drycc", "platform/api/flynn", "dialects never import each other"},
	{"platform/api/drycc", "platform/api/dray", "dialects never import each other"},
	{"platform/api", "platform/store", "a handler makes one call to control"},
	{"platform/api", "platform/kube", "a handler makes one call to control"},
	{"platform/api/drycc/client", "platform", "the client is a program of its own and speaks the wire only"},
	{"platform/api/download", "platform/control", "files are given out, nothing is decided"},
	{"platform/api/download", "platform/api/drycc", "dialects never import each other"},
	{"cmd/drycc", "bootstrap", "the client is small and runs anywhere"},
	{"cmd/drycc", "embedded", "the client is small and runs anywhere"},
	{"cmd/drycc", "cmd/slipway", "programs share packages, not each other"},
	{"platform/identity", "platform/store", "hashing and tokens need no database"},
	{"platform/identity", "platform/control", "who vouches for people is a port of the verbs; the wiring joins them"},
	{"bootstrap/host", "bootstrap", "the host adapter is the bottom of the house"},
	{"bootstrap/backup", "bootstrap", "a backup is trees and documents; the wiring knows which"},
	{"bootstrap/preflight", "bootstrap/k3s", "checks look at the host only"},
	{"bootstrap/doctor", "bootstrap/preflight", "the registry knows no check"},
	{"bootstrap/doctor", "bootstrap/k3s", "checks look at the host only"},
	{"bootstrap/join", "bootstrap/k3s", "the door hands out files; who may come in is asked through a port, so that it builds and tests in seconds"},
	{"bootstrap/join", "bootstrap.", "the door knows no settings; the wiring fills in the offer"},
	{"bootstrap/helm", "bootstrap/k3s", "a chart is applied to any cluster"},
	{"charts", "bootstrap", "charts are data"},
	{"embedded", "bootstrap", "the payload is data"},
	{"cmd", "test", "tests are not shipped"},
	{"bootstrap", "test", "tests are not shipped"},
	{"platform", "test", "tests are not shipped"},
	{"cmd", "platform/platformtest", "tests are not shipped"},
	{"bootstrap", "scripts", "build-time code is not shipped"},
	{"platform", "scripts", "build-time code is not shipped"},
	{"cmd", "scripts", "build-time code is not shipped"},
}

// within reports whether path is the room or below it; a trailing dot in room
// means exactly it.
func within(path, room string) bool {
	if exact, ok := strings.CutSuffix(room, "."); ok {
		return path == exact
	}
	return path == room || strings.HasPrefix(path, room+"/")
}

// short is an import path of this module without the module.
func short(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}
