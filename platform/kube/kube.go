package kube

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	gatewayclient "sigs.k8s.io/gateway-api/pkg/client/clientset/versioned/typed/apis/v1"
	streamclient "sigs.k8s.io/gateway-api/pkg/client/clientset/versioned/typed/apis/v1alpha2"

	"github.com/slipway-paas/slipway/platform/control"
)

var _ control.Cluster = (*Cluster)(nil)

// Options say where the cluster is and how it is laid out.
type Options struct {
	Config           *rest.Config   // wins over Kubeconfig
	Kubeconfig       string         // path of a file
	GatewayName      string         // default "drycc"
	GatewayNamespace string         // default "drycc"
	GatewayClass     string         // of gateways that carry certificates; default "traefik"
	ClusterCIDRs     []string       // networks of pods; default 10.42.0.0/16
	Logger           *logrus.Logger // default: discards
	StorageClass     string         // of volumes; default: the cluster's
	FilerImage       string         // serves the files of volumes; default: none does

	// PublicPorts are the ports of nodes that apps may connect to; default 80,
	// 443 and 2222, where the gateway and the door for git listen.
	PublicPorts []int
	// MorePublicPorts come beside these.
	MorePublicPorts []int
	// HostAddresses are more addresses of nodes than Kubernetes knows of; apps
	// reach no other port there either. Default: those of this machine.
	HostAddresses func() []string
	PodSecurity   string                    // default PodSecurityBaseline
	Quota         *corev1.ResourceQuotaSpec // of each app; nil: none
	LimitRange    *corev1.LimitRangeSpec    // of each app; nil: none
	Controller    netip.AddrPort            // where the controller listens for the gateway; zero: it answers no challenges
	Git           GitDoor                   // zero: there is none

	// Guard is asked before every request that may change something; its error
	// refuses the request. Nil: nothing is refused.
	Guard func() error
}

// GitDoor is where git push is taken: on the node whose controller works, and
// handed on to it by all others.
type GitDoor struct {
	Port      int    // on every node
	ServiceIP string // by which pods reach it; of the service network
}

// Cluster is a control.Cluster on Kubernetes. Make it with New.
type Cluster struct {
	core     kubernetes.Interface
	gateway  gatewayclient.GatewayV1Interface
	streams  streamclient.GatewayV1alpha2Interface // TCPRoute and TLSRoute
	config   *rest.Config                          // for connections that are upgraded, which make their own transport
	opts     Options
	log      *logrus.Logger
	now      func() time.Time
	patience patience

	direct                   *http.Client // to pods
	filerPort, filerPingPort int
}

// patience says how long trouble may last that sometimes passes by itself.
type patience struct {
	config      time.Duration // a container that cannot be made
	unscheduled time.Duration // no node has room: an ending pod may leave some
	creation    time.Duration // the API server admits no pod
	registry    time.Duration // a registry does not answer
	pulling     time.Duration // added once to a deadline that meets a running pull
	route       time.Duration // until the gateway takes a new route
	restore     time.Duration // until what served before is alone again
	deletion    time.Duration // until a namespace is gone
	claim       time.Duration // until the claim of a volume is gone
	filer       time.Duration // until a volume's filer serves
}

func defaultPatience() patience {
	return patience{
		config:      10 * time.Second,
		unscheduled: 30 * time.Second,
		creation:    10 * time.Second,
		registry:    time.Minute,
		pulling:     10 * time.Minute,
		route:       30 * time.Second,
		restore:     15 * time.Second,
		deletion:    30 * time.Second,
		claim:       10 * time.Second,
		filer:       60 * time.Second,
	}
}

// New makes a Cluster. It reads the kubeconfig and makes no request.
func New(opts Options) (*Cluster, error) {
	opts = withDefaults(opts)
	config := opts.Config
	if config == nil {
		if opts.Kubeconfig == "" {
			return nil, errors.New("kube: neither a config nor a kubeconfig path given")
		}
		var err error
		if config, err = clientcmd.BuildConfigFromFlags("", opts.Kubeconfig); err != nil {
			return nil, fmt.Errorf("kube: reading %s: %w", opts.Kubeconfig, err)
		}
	}
	config = rest.CopyConfig(config)
	config.UserAgent = fieldManager
	// The server queues fairly by itself; a limit here would only make many
	// deploys at once wait for each other.
	config.QPS, config.Burst = 500, 1000
	config.WarningHandlerWithContext = rest.NoWarnings{} // ours, about pods of users

	config.Wrap(guarded(opts.Guard))
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("kube: making a client: %w", err)
	}
	gateway, err := gatewayclient.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("kube: making a gateway client: %w", err)
	}
	streams, err := streamclient.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("kube: making a gateway client: %w", err)
	}
	upgrading := rest.CopyConfig(config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	core, err := kubernetes.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("kube: making a client: %w", err)
	}
	return &Cluster{
		core: core, gateway: gateway, streams: streams, config: upgrading, opts: opts, log: opts.Logger,
		now: time.Now, patience: defaultPatience(),
		// Pods are never behind the proxy that the node may use for the internet.
		direct:    &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}},
		filerPort: filerPort, filerPingPort: filerPingPort,
	}, nil
}

func withDefaults(o Options) Options {
	if o.GatewayName == "" {
		o.GatewayName = "drycc"
	}
	if o.GatewayNamespace == "" {
		o.GatewayNamespace = "drycc"
	}
	if o.GatewayClass == "" {
		o.GatewayClass = "traefik"
	}
	if len(o.ClusterCIDRs) == 0 {
		o.ClusterCIDRs = []string{"10.42.0.0/16"}
	}
	if len(o.PublicPorts) == 0 {
		o.PublicPorts = []int{80, 443, 2222}
	}
	o.PublicPorts = slices.Concat(o.PublicPorts, o.MorePublicPorts)
	if o.HostAddresses == nil {
		o.HostAddresses = HostAddresses
	}
	if o.Logger == nil {
		o.Logger = logrus.New()
		o.Logger.SetOutput(io.Discard)
	}
	return o
}

// HostAddresses are those of this machine's interfaces. One that cannot be
// read is left out: the addresses that Kubernetes knows remain.
func HostAddresses() []string {
	var out []string
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p.Addr().String())
		}
	}
	return out
}
