package join

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

// grace is how long answers may take when the door closes.
const grace = 2 * time.Second

// Caller is who stands at the door.
type Caller struct {
	Role Role
	Node string // name of the node, for one that has joined before; else ""
}

// Cluster is what the door asks of the cluster.
type Cluster interface {
	// CheckToken tells what the bearer of a credential may become. An unknown,
	// wrong or ended one is an *Refusal with status 401.
	CheckToken(ctx context.Context, credential string) (Role, error)
	// HasNode reports whether a node of that name is in the cluster.
	HasNode(ctx context.Context, name string) (bool, error)
}

// Refusal is an answer other than yes, in words for who asked.
type Refusal struct {
	Status int // of HTTP
	Text   string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Text }

// Refuse makes a refusal.
func Refuse(status int, format string, args ...any) *Refusal {
	return &Refusal{status, fmt.Sprintf(format, args...)}
}

// Door hands to nodes what they need to join. All paths need a
// token, or the certificate of a node:
//
//	GET  /v1/node?role=&name=&arch=  the Offer, as JSON
//	GET  /v1/binary                  the program; ranges work
//	GET  /v1/binary.sha256?arch=     its sum, as sha256sum writes it
//	POST /v1/datastore               have the datastore turned into etcd (servers)
type Door struct {
	Addr     string // ":9583"
	Identity *Identity
	ClientCA string // file of the authority that signs the nodes' certificates
	Cluster  Cluster
	Program  string // file of the running program
	// Offer fills in an offer, all but the program.
	Offer func(ctx context.Context, caller Caller, r Request) (Offer, error)
	// Convert begins to turn the datastore into etcd; nil when it cannot.
	Convert func(ctx context.Context) error
	Logger  *logrus.Logger

	once   sync.Once
	sum    Binary
	sumErr error
}

// Run serves until ctx ends.
func (d *Door) Run(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", d.Addr)
	if err != nil {
		return fmt.Errorf("node door: %w", err)
	}
	return d.Serve(ctx, listener)
}

// Serve is Run on a listener, which it closes.
func (d *Door) Serve(ctx context.Context, listener net.Listener) error {
	clients, err := pool(d.ClientCA)
	if err != nil {
		return errors.Join(fmt.Errorf("node door: %w", err), listener.Close())
	}
	server := &http.Server{
		Handler: d.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, GetCertificate: d.Identity.Certificate,
			ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clients,
		},
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		// Answers under way are finished; a download that is cut off is made again.
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		_ = server.Shutdown(bounded) // Close says what could not be ended
		stopped <- server.Close()
	}()
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("node door: %w", err)
	}
	return <-stopped
}

// Handler answers requests.
func (d *Door) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/node", d.guarded(d.node))
	mux.HandleFunc("GET /v1/binary", d.guarded(d.binary))
	mux.HandleFunc("GET /v1/binary.sha256", d.guarded(d.binarySum))
	mux.HandleFunc("POST /v1/datastore", d.guarded(d.datastore))
	return mux
}

// guarded lets nobody through who is not known.
func (d *Door) guarded(next func(http.ResponseWriter, *http.Request, Caller) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		log := d.Logger.WithField("path", r.URL.Path).WithField("from", r.RemoteAddr)
		caller, err := d.identify(r)
		if err == nil {
			err = next(w, r, caller)
		}
		var refusal *Refusal
		switch {
		case err == nil && caller.Node != "" && r.Method+r.URL.Path == "GET/v1/node":
			log.WithField("node", caller.Node).Debug("node door") // each node asks twice a minute
		case err == nil:
			log.WithField("role", string(caller.Role)).Info("node door")
		case errors.As(err, &refusal):
			log.WithField("status", refusal.Status).Warn("node door: " + refusal.Text)
			http.Error(w, refusal.Text, refusal.Status)
		default:
			log.WithError(err).Error("node door")
			http.Error(w, "the server cannot answer now; its log says why", http.StatusServiceUnavailable)
		}
	}
}

// identify finds out who asks: a token goes before a certificate, since a node
// that is to become a server comes with both.
func (d *Door) identify(r *http.Request) (Caller, error) {
	var caller Caller
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		subject := r.TLS.VerifiedChains[0][0].Subject
		name, ok := strings.CutPrefix(subject.CommonName, "system:node:")
		if ok && slices.Contains(subject.Organization, "system:nodes") {
			there, err := d.Cluster.HasNode(r.Context(), name)
			if err != nil {
				return Caller{}, err
			}
			if there {
				caller = Caller{Role: Agent, Node: name}
			}
		}
	}
	credential, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !given {
		if caller.Role != "" {
			return caller, nil
		}
		return Caller{}, Refuse(http.StatusUnauthorized, "a token is needed: make one on a server with \"slipway token create\"")
	}
	role, err := d.Cluster.CheckToken(r.Context(), credential)
	var refusal *Refusal
	if errors.As(err, &refusal) && caller.Role != "" {
		return caller, nil // the token has ended since; the node is known
	}
	caller.Role = role
	return caller, err
}

// fitsArch refuses a host for which this server has no program.
func fitsArch(arch string) error {
	if arch == "" || arch == runtime.GOARCH {
		return nil
	}
	return Refuse(http.StatusConflict, "this server's program is for %s, the host is %s: bring a slipway for %s there and join with it (SLIPWAY_BINARY)",
		runtime.GOARCH, arch, arch)
}

func (d *Door) node(w http.ResponseWriter, r *http.Request, caller Caller) error {
	q := r.URL.Query()
	want := Request{Role: Role(q.Get("role")), Name: q.Get("name"), Arch: q.Get("arch")}
	if want.Role == "" {
		want.Role = Agent
	}
	if want.Role != Agent && want.Role != Server {
		return Refuse(http.StatusBadRequest, "role %q is neither agent nor server", want.Role)
	}
	if !caller.Role.Allows(want.Role) {
		return Refuse(http.StatusForbidden, "this token lets agents in, not servers: make another with \"slipway token create --role server\"")
	}
	if want.Name != "" && want.Name != caller.Node {
		taken, err := d.Cluster.HasNode(r.Context(), want.Name)
		if err != nil {
			return err
		}
		if taken {
			return Refuse(http.StatusConflict, "a node called %s is in the cluster already: give this one another name (K3S_NODE_NAME), "+
				"or remove the old one on a server with \"slipway node remove %s\"", want.Name, want.Name)
		}
	}
	offer, err := d.Offer(r.Context(), caller, want)
	if err != nil {
		return err
	}
	if offer.Binary, err = d.program(); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(offer)
}

// program is the sum and size of the program, read once.
func (d *Door) program() (Binary, error) {
	d.once.Do(func() {
		f, err := os.Open(d.Program)
		if err != nil {
			d.sumErr = err
			return
		}
		defer f.Close()
		h := sha256.New()
		d.sum.Size, d.sumErr = io.Copy(h, f)
		d.sum.SHA256 = hex.EncodeToString(h.Sum(nil))
	})
	return d.sum, d.sumErr
}

func (d *Door) binary(w http.ResponseWriter, r *http.Request, _ Caller) error {
	f, err := os.Open(d.Program)
	if err != nil {
		return err
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

func (d *Door) binarySum(w http.ResponseWriter, r *http.Request, _ Caller) error {
	if err := fitsArch(r.URL.Query().Get("arch")); err != nil {
		return err
	}
	b, err := d.program()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s  slipway\n", b.SHA256)
	return err
}

func (d *Door) datastore(w http.ResponseWriter, r *http.Request, caller Caller) error {
	if caller.Role != Server {
		return Refuse(http.StatusForbidden, "only a token for servers may change the datastore: make one with \"slipway token create --role server\"")
	}
	if d.Convert == nil {
		return Refuse(http.StatusConflict, "the datastore of this cluster is not one that Slipway can change")
	}
	if err := d.Convert(r.Context()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
