package helm

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// maxHistory is how many revisions of a release are kept, as Secrets that the
// API server holds in memory.
const maxHistory = 3

// recordTimeout bounds reads and writes that a cancelled call still makes.
const recordTimeout = 15 * time.Second

// connector makes clusters from a kubeconfig file. What the API server can do
// is asked once and shared by all charts.
type connector struct {
	path  string
	guard func() error // asked before each request that may change something; may be nil

	mu   sync.Mutex
	base *session
}

type session struct {
	raw       clientcmdapi.Config
	config    *rest.Config // not bound to any call
	kube      kubernetes.Interface
	discovery discovery.CachedDiscoveryInterface
	mapper    meta.ResettableRESTMapper
}

func (c *connector) open() (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.base != nil {
		return c.base, nil
	}
	raw, err := clientcmd.LoadFromFile(c.path)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", c.path, err)
	}
	config, err := clientcmd.NewDefaultClientConfig(*raw, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", c.path, err)
	}
	config.QPS = -1 // one cluster, few requests: the server's own fairness is enough
	config.UserAgent = "slipway"
	if c.guard != nil {
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &guardTransport{c.guard, next} })
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", c.path, err)
	}
	found := memory.NewMemCacheClient(client.Discovery())
	c.base = &session{
		raw:       *raw,
		config:    config,
		kube:      client,
		discovery: found,
		mapper:    restmapper.NewDeferredDiscoveryRESTMapper(found),
	}
	return c.base, nil
}

func (c *connector) connect(ctx context.Context, namespace string) (*cluster, error) {
	s, err := c.open()
	if err != nil {
		return nil, err
	}
	bound := rest.CopyConfig(s.config)
	bound.Wrap(func(next http.RoundTripper) http.RoundTripper { return &boundTransport{ctx: ctx, next: next} })
	recorded := rest.CopyConfig(s.config)
	recorded.Timeout = recordTimeout
	records, err := kubernetes.NewForConfig(recorded)
	if err != nil {
		return nil, fmt.Errorf("release records: %w", err)
	}
	objects, err := dynamic.NewForConfig(bound)
	if err != nil {
		return nil, fmt.Errorf("cluster objects: %w", err)
	}
	get := &getter{session: s, config: bound, namespace: namespace}
	client := kube.New(get)
	client.Namespace = namespace
	store := storage.Init(driver.NewSecrets(records.CoreV1().Secrets(namespace)))
	store.MaxHistory = maxHistory
	return &cluster{
		helm: &action.Configuration{
			RESTClientGetter: get,
			KubeClient:       client,
			Releases:         store,
			Log:              func(string, ...any) {},
			HookOutputFunc:   func(_, _, _ string) io.Writer { return io.Discard },
		},
		kube:    s.kube,
		dynamic: objects,
		refresh: func() {
			s.discovery.Invalidate()
			s.mapper.Reset()
		},
	}, nil
}

// getter hands Helm the connection in the shape it asks for.
type getter struct {
	session   *session
	config    *rest.Config
	namespace string
}

func (g *getter) ToRESTConfig() (*rest.Config, error) { return rest.CopyConfig(g.config), nil }

func (g *getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return g.session.discovery, nil
}

func (g *getter) ToRESTMapper() (meta.RESTMapper, error) { return g.session.mapper, nil }

func (g *getter) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	overrides := &clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: g.namespace}}
	return clientcmd.NewDefaultClientConfig(g.session.raw, overrides)
}

// boundTransport ends requests with the call they belong to. Helm's verbs take
// no context for their requests, and cancelling the one they do take returns
// while they work on in the background; with their requests ended they return
// by themselves.
type boundTransport struct {
	ctx  context.Context // of one Apply, and this value lives no longer
	next http.RoundTripper
}

func (t *boundTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	stop := context.AfterFunc(t.ctx, func() { cancel(context.Cause(t.ctx)) })
	done := func() {
		stop()
		cancel(nil)
	}
	resp, err := t.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		done()
		return nil, err
	}
	resp.Body = &boundBody{ReadCloser: resp.Body, done: done}
	return resp, nil
}

type boundBody struct {
	io.ReadCloser
	done func()
}

func (b *boundBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}

// guardTransport refuses to change anything when guard says so.
type guardTransport struct {
	guard func() error
	next  http.RoundTripper
}

func (t *guardTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		if err := t.guard(); err != nil {
			if req.Body != nil {
				_ = req.Body.Close() // as the contract of RoundTrip says
			}
			return nil, err
		}
	}
	return t.next.RoundTrip(req)
}
