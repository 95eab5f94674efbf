package cis

import (
	"fmt"
	"strings"
)

// Stand is how we stand to a row.
type Stand string

// The stands. Of a row that passes every question has to be answered well, of
// one that differs by design at least one must not be: else the table is old.
const (
	Pass   Stand = "pass"
	Design Stand = "by design"
	NA     Stand = "not applicable"
)

// Row is one recommendation.
type Row struct {
	ID    string
	What  string // in our own words
	Stand Stand
	Why   string // how, or why not
	Asks  []Ask
}

// Rows returns the table, in the benchmark's order.
func Rows() []Row {
	var all []Row
	for _, part := range [][]Row{controlPlaneFiles(), apiServer(), apiServerMore(), otherControl(), etcd(), logging(), workerFiles(), kubelet(), policies()} {
		all = append(all, part...)
	}
	return all
}

// Markdown is the table for the documentation.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| id | what | how we stand | how, or why |\n| --- | --- | --- | --- |\n")
	for _, r := range Rows() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.ID, r.What, r.Stand, r.Why)
	}
	return b.String()
}

const (
	server = "/var/lib/rancher/k3s/server"
	agent  = "/var/lib/rancher/k3s/agent"
	inside = "k3s runs it inside its own process: there is no such file"
)

func controlPlaneFiles() []Row {
	return []Row{
		{"1.1.1–1.1.8", "manifests of API server, controller manager, scheduler and etcd are root's alone", NA, inside, nil},
		{"1.1.9", "files of the pod network are for root to write", Design, "k3s writes the CNI configuration with 0644; it holds no secret", []Ask{Mode(agent+"/etc/cni/net.d/*", 0o600)}},
		{"1.1.10", "files of the pod network are owned by root", Pass, "", []Ask{Owned(agent + "/etc/cni/net.d/*")}},
		{"1.1.11", "etcd's data folder has mode 0700", Pass, "of a single server the SQLite datastore, whose folder has that mode", []Ask{Mode(server+"/db", 0o700)}},
		{"1.1.12", "etcd's data folder belongs to a user etcd", Design, "it belongs to root: one process runs all of it, and another user would own nothing else", []Ask{OwnedBy("etcd", server+"/db")}},
		{"1.1.13", "the administrator's kubeconfig has mode 0600", Pass, "K3S_KUBECONFIG_MODE can loosen it", []Ask{Mode("/etc/rancher/k3s/k3s.yaml", 0o600)}},
		{"1.1.14", "the administrator's kubeconfig is root's", Pass, "", []Ask{Owned("/etc/rancher/k3s/k3s.yaml")}},
		{"1.1.15", "the scheduler's kubeconfig has mode 0600", Pass, "", []Ask{Mode(server+"/cred/scheduler.kubeconfig", 0o600)}},
		{"1.1.16", "the scheduler's kubeconfig is root's", Pass, "", []Ask{Owned(server + "/cred/scheduler.kubeconfig")}},
		{"1.1.17", "the controller manager's kubeconfig has mode 0600", Pass, "", []Ask{Mode(server+"/cred/controller.kubeconfig", 0o600)}},
		{"1.1.18", "the controller manager's kubeconfig is root's", Pass, "", []Ask{Owned(server + "/cred/controller.kubeconfig")}},
		{"1.1.19", "folder and files of the cluster's keys are root's", Pass, "", []Ask{Owned(server+"/tls", server+"/tls/*.crt", server+"/tls/*.key")}},
		{"1.1.20", "certificates have mode 0600", Design, "k3s writes them with 0644; nobody but root enters their folder, and certificates are public", []Ask{Mode(server+"/tls/*.crt", 0o600)}},
		{"1.1.21", "keys have mode 0600", Pass, "", []Ask{Mode(server+"/tls/*.key", 0o600)}},
	}
}

const apis = "kube-apiserver"

func apiServer() []Row {
	return []Row{
		{"1.2.1", "nobody asks the API without a name", Pass, "", []Ask{Flag(apis, "anonymous-auth", "false")}},
		{"1.2.2", "no tokens from a file", Pass, "", []Ask{NoFlag(apis, "token-auth-file")}},
		{"1.2.3", "services may not claim outside addresses (DenyServiceExternalIPs)", Design, "apps get no Services from users; who may write Services with kubectl is an administrator", []Ask{Flag(apis, "enable-admission-plugins", "*DenyServiceExternalIPs*")}},
		{"1.2.4", "the API server shows kubelets a certificate", Pass, "", []Ask{Flag(apis, "kubelet-client-certificate", "*"), Flag(apis, "kubelet-client-key", "*")}},
		{"1.2.5", "the API server checks the kubelets' certificates", Pass, "", []Ask{Flag(apis, "kubelet-certificate-authority", "*")}},
		{"1.2.6", "not everything is allowed", Pass, "", []Ask{Flag(apis, "authorization-mode", "!*AlwaysAllow*")}},
		{"1.2.7", "kubelets may do what their node needs (Node)", Pass, "", []Ask{Flag(apis, "authorization-mode", "*Node*")}},
		{"1.2.8", "others what their roles say (RBAC)", Pass, "", []Ask{Flag(apis, "authorization-mode", "*RBAC*")}},
		{"1.2.9", "events are limited (EventRateLimit)", Design, "with SLIPWAY_HARDENING=cis; without it a busy day of deploys must not lose its events", []Ask{Flag(apis, "enable-admission-plugins", "*EventRateLimit*")}},
		{"1.2.10", "not everything is admitted (AlwaysAdmit)", Pass, "", []Ask{Flag(apis, "enable-admission-plugins", "!*AlwaysAdmit*")}},
		{"1.2.11", "images are pulled anew each time (AlwaysPullImages)", Design, "carried images are never pulled, and a registry that is away must not keep apps from restarting; each image is named by digest", []Ask{Flag(apis, "enable-admission-plugins", "*AlwaysPullImages*")}},
		{"1.2.12", "service accounts are given (ServiceAccount)", Pass, "", []Ask{NoFlagOr(apis, "disable-admission-plugins", "!*ServiceAccount*")}},
		{"1.2.13", "nothing is made in namespaces that end (NamespaceLifecycle)", Pass, "", []Ask{NoFlagOr(apis, "disable-admission-plugins", "!*NamespaceLifecycle*")}},
		{"1.2.14", "kubelets change their own node only (NodeRestriction)", Pass, "", []Ask{Flag(apis, "enable-admission-plugins", "*NodeRestriction*")}},
		{"1.2.15", "no profiling", Pass, "", []Ask{Flag(apis, "profiling", "false")}},
	}
}

func apiServerMore() []Row {
	return []Row{
		{"1.2.16", "an audit log is written", Pass, "below the data folder of k3s; every change, never its contents", []Ask{Flag(apis, "audit-log-path", "*"), Exists(server + "/logs/audit.log")}},
		{"1.2.17", "it is kept for 30 days", Pass, "", []Ask{Flag(apis, "audit-log-maxage", "30")}},
		{"1.2.18", "ten old files are kept", Design, "with SLIPWAY_HARDENING=cis; otherwise four, so that a small disk stays usable", []Ask{Flag(apis, "audit-log-maxbackup", "10")}},
		{"1.2.19", "a file has 100 MB", Design, "with SLIPWAY_HARDENING=cis; otherwise 10 MB", []Ask{Flag(apis, "audit-log-maxsize", "100")}},
		{"1.2.20", "requests end after a time", Pass, "after a minute, Kubernetes' default; after five with SLIPWAY_HARDENING=cis", []Ask{NoFlagOr(apis, "request-timeout", "!0")}},
		{"1.2.21", "tokens of deleted service accounts are refused", Pass, "Kubernetes' default", []Ask{NoFlagOr(apis, "service-account-lookup", "true")}},
		{"1.2.22", "service accounts have a key of their own", Pass, "", []Ask{Flag(apis, "service-account-key-file", "*")}},
		{"1.2.23", "the datastore is asked over TLS with a certificate", Pass, "etcd; SQLite is asked over a Unix socket that only root opens", []Ask{Mode(server+"/kine.sock", 0o755)}},
		{"1.2.24", "the API is served over TLS", Pass, "", []Ask{Flag(apis, "tls-cert-file", "*"), Flag(apis, "tls-private-key-file", "*")}},
		{"1.2.25", "clients are known by certificates", Pass, "", []Ask{Flag(apis, "client-ca-file", "*")}},
		{"1.2.26", "etcd's authority is checked", NA, "no etcd on a single server; with more of them k3s sets it", nil},
		{"1.2.27", "Secrets are encrypted in the datastore", Pass, "", []Ask{Flag(apis, "encryption-provider-config", "*")}},
		{"1.2.28", "with a good cipher", Pass, "AES-CBC, k3s's own rotation of keys: `slipway k3s secrets-encrypt` is not needed for it to be on", []Ask{Contains(server+"/cred/encryption-config.json", `"aescbc"`)}},
		{"1.2.29", "TLS uses good ciphers only", Pass, "", []Ask{Flag(apis, "tls-cipher-suites", "!*_CBC_*")}},
	}
}

const (
	manager   = "kube-controller-manager"
	scheduler = "kube-scheduler"
)

func otherControl() []Row {
	return []Row{
		{"1.3.1", "ended pods are removed beyond a number", Design, "with SLIPWAY_HARDENING=cis; otherwise Kubernetes' 12,500", []Ask{Flag(manager, "terminated-pod-gc-threshold", "*")}},
		{"1.3.2", "no profiling", Pass, "", []Ask{Flag(manager, "profiling", "false")}},
		{"1.3.3", "each controller has its own account", Pass, "", []Ask{Flag(manager, "use-service-account-credentials", "true")}},
		{"1.3.4", "it signs tokens with a key", Pass, "", []Ask{Flag(manager, "service-account-private-key-file", "*")}},
		{"1.3.5", "pods know the cluster's authority", Pass, "", []Ask{Flag(manager, "root-ca-file", "*")}},
		{"1.3.6", "kubelets get new certificates", Pass, "k3s renews them at each start within 120 days of their end; `slipway doctor` tells of it", []Ask{NoFlagOr(manager, "feature-gates", "!*RotateKubeletServerCertificate=false*")}},
		{"1.3.7", "it listens on loopback", Pass, "", []Ask{Flag(manager, "bind-address", "127.0.0.1")}},
		{"1.4.1", "no profiling of the scheduler", Pass, "", []Ask{Flag(scheduler, "profiling", "false")}},
		{"1.4.2", "it listens on loopback", Pass, "", []Ask{Flag(scheduler, "bind-address", "127.0.0.1")}},
	}
}

func etcd() []Row {
	return []Row{
		{"2.1–2.7", "etcd speaks TLS with certificates of its own authority, to clients and peers", NA, "a single server has no etcd; with more of them k3s makes all of these certificates by itself and refuses others", nil},
	}
}

func logging() []Row {
	return []Row{
		{"3.1.1", "people do not use client certificates", Pass, "developers come through the platform's API with tokens that can be withdrawn; the one kubeconfig is root's", nil},
		{"3.1.2", "people do not use service accounts' tokens", Pass, "the platform gives none to people", nil},
		{"3.1.3", "people do not use bootstrap tokens", Pass, "tokens to join are for nodes and end", nil},
		{"3.2.1", "there is an audit policy", Pass, "", []Ask{Flag(apis, "audit-policy-file", "*"), Contains("/etc/slipway/audit-policy.yaml", "level: Metadata")}},
		{"3.2.2", "it covers what matters and holds no contents", Pass, "all changes; reads of Secrets with SLIPWAY_HARDENING=cis", []Ask{Lacks("/etc/slipway/audit-policy.yaml", "level: Request")}},
	}
}

func workerFiles() []Row {
	return []Row{
		{"4.1.1", "the kubelet's service file has mode 0600", NA, "k3s runs the kubelet inside its own process; our unit holds no secret", nil},
		{"4.1.2", "the kubelet's service file is root's", Pass, "that of the one service", []Ask{Owned("/etc/systemd/system/slipway.service")}},
		{"4.1.3", "the proxy's kubeconfig has mode 0600", Pass, "", []Ask{Mode(agent+"/kubeproxy.kubeconfig", 0o600)}},
		{"4.1.4", "the proxy's kubeconfig is root's", Pass, "", []Ask{Owned(agent + "/kubeproxy.kubeconfig")}},
		{"4.1.5", "the kubelet's kubeconfig has mode 0600", Pass, "", []Ask{Mode(agent+"/kubelet.kubeconfig", 0o600)}},
		{"4.1.6", "the kubelet's kubeconfig is root's", Pass, "", []Ask{Owned(agent + "/kubelet.kubeconfig")}},
		{"4.1.7", "the clients' authority has mode 0600", Pass, "", []Ask{Mode(agent+"/client-ca.crt", 0o600)}},
		{"4.1.8", "the clients' authority is root's", Pass, "", []Ask{Owned(agent + "/client-ca.crt")}},
		{"4.1.9", "the kubelet's configuration has mode 0600", Design, "0644: it holds no secret, and people look at it", []Ask{Mode("/etc/slipway/kubelet.yaml", 0o600)}},
		{"4.1.10", "the kubelet's configuration is root's", Pass, "", []Ask{Owned("/etc/slipway/kubelet.yaml")}},
	}
}

func kubelet() []Row {
	return []Row{
		{"4.2.1", "nobody asks the kubelet without a name", Pass, "", []Ask{Kubelet("authentication.anonymous.enabled", "false")}},
		{"4.2.2", "the API server decides who may", Pass, "", []Ask{Kubelet("authorization.mode", "Webhook")}},
		{"4.2.3", "clients are known by certificates", Pass, "", []Ask{Kubelet("authentication.x509.clientCAFile", "*")}},
		{"4.2.4", "no port without authentication", Pass, "", []Ask{KubeletOr("readOnlyPort", "0")}},
		{"4.2.5", "streams end when nothing is said", Pass, "after four hours, so that a long `drycc run` survives; after five minutes with SLIPWAY_HARDENING=cis", []Ask{Kubelet("streamingConnectionIdleTimeout", "!0s")}},
		{"4.2.6", "it sets up its own packet filter chains", Pass, "", []Ask{Kubelet("makeIPTablesUtilChains", "true")}},
		{"4.2.7", "nodes keep their own names", Design, "K3S_NODE_NAME is told to it, so that a node keeps its name when its host is renamed", []Ask{NoFlag("kubelet", "hostname-override")}},
		{"4.2.8", "events are limited, not endless", Pass, "50 a second", []Ask{Kubelet("eventRecordQPS", "!0")}},
		{"4.2.9", "it is served over TLS", Pass, "", []Ask{Kubelet("tlsCertFile", "*"), Kubelet("tlsPrivateKeyFile", "*")}},
		{"4.2.10", "the kubelet renews its certificates itself", NA, "k3s renews them at each start, see 1.3.6", nil},
		{"4.2.11", "and those it serves with", NA, "the same", nil},
		{"4.2.12", "TLS uses good ciphers only", Pass, "", []Ask{Kubelet("tlsCipherSuites", "!*_CBC_*"), Kubelet("tlsCipherSuites", "*GCM*"), Kubelet("tlsMinVersion", "VersionTLS12")}},
		{"4.2.13", "processes of a pod are limited", Pass, "8,192", []Ask{Kubelet("podPidsLimit", "8192")}},
		{"4.2.14", "the kernel's settings are protected", Pass, "they are our own file in /etc/sysctl.d; where a container forbids to set them the kubelet goes on without, and the log says so", []Ask{Kubelet("protectKernelDefaults", "true"), Contains("/etc/sysctl.d/90-slipway.conf", "kernel.panic = 10")}},
	}
}

func policies() []Row {
	return []Row{
		{"5.1.1–5.1.13", "few are administrators, and roles are narrow", Pass, "the platform's parts have a role each that names what they use; apps have an account without rights whose token is not mounted", nil},
		{"5.2.1–5.2.12", "pods of apps are held to a level of pod security", Pass, "namespaces of apps enforce baseline, or restricted with SLIPWAY_POD_SECURITY; with SLIPWAY_HARDENING=cis also every other namespace but kube-system and drycc", nil},
		{"5.3.1", "the network plugin keeps NetworkPolicies", Pass, "k3s's own controller does", nil},
		{"5.3.2", "every namespace has a NetworkPolicy", Pass, "those of apps: others reach them through the gateway only", nil},
		{"5.4.1", "Secrets are files rather than environment", Design, "config of an app is its environment, as the Heroku way has it; values are in Secrets", nil},
		{"5.4.2", "Secrets are kept outside", Design, "they are encrypted in the datastore; a vault is another thing to run", nil},
		{"5.5.1", "only known images run", Design, "which images an app runs is the developer's to say; builds come from the platform's own builder", nil},
		{"5.6.1", "namespaces divide what belongs apart", Pass, "each app has its own", nil},
		{"5.6.2", "seccomp is on for pods", Pass, "RuntimeDefault for apps and the platform's parts but the builder", nil},
		{"5.6.3", "pods have a security context", Pass, "no new privileges, capabilities dropped", nil},
		{"5.6.4", "nothing is in the namespace default", Pass, "", []Ask{Empty("get all -n default -o name", "service/kubernetes")}},
	}
}
