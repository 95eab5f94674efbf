package diagnose

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Options are what a Doctor is made of. Nonces, and Resolvers or ResolvConf,
// are required.
type Options struct {
	// Resolvers are recursive name servers, host:port, asked in this order.
	Resolvers []string
	// Search are the domains that resolvers of pods try behind a name.
	Search []string
	// ResolvConf is a file that says both, read at each look.
	ResolvConf string
	Nonces     *Nonces
	// Forbidden are further networks that are never asked: the cluster's.
	Forbidden []netip.Prefix
	// AuthorityURL is where the platform's own authority can be downloaded.
	AuthorityURL string

	// Ports to ask; zero: 80, 443, and 53 of name servers.
	HTTPPort, HTTPSPort, DNSPort uint16
	Dial                         func(ctx context.Context, network, address string) (net.Conn, error) // nil: the system's
	Now                          func() time.Time                                                     // nil: time.Now
	// Directory asks an authority for its directory; nil: one that is guarded
	// as everything else is.
	Directory http.RoundTripper
	// Roots are who signs for authorities' own servers; nil: the system's.
	Roots *x509.CertPool
	// Timeout bounds one domain, Patience one question; zero: 15 s, 4 s.
	Timeout, Patience time.Duration
}

// Doctor looks at domains. Safe for concurrent use.
type Doctor struct {
	o     Options
	slots chan struct{}
}

var _ control.Diagnoser = (*Doctor)(nil)

// maxAtOnce bounds the domains that are looked at at the same time, over all
// who ask.
const maxAtOnce = 16

// New checks the options.
func New(o Options) (*Doctor, error) {
	if len(o.Resolvers) == 0 && o.ResolvConf == "" || o.Nonces == nil {
		return nil, errors.New("diagnose: resolvers and nonces are required")
	}
	if o.HTTPPort == 0 {
		o.HTTPPort = 80
	}
	if o.HTTPSPort == 0 {
		o.HTTPSPort = 443
	}
	if o.DNSPort == 0 {
		o.DNSPort = 53
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = 4 * time.Second
	}
	return &Doctor{o: o, slots: make(chan struct{}, maxAtOnce)}, nil
}

// today is the doctor with the host's resolvers as they are now.
func (d *Doctor) today() *Doctor {
	if d.o.ResolvConf == "" {
		return d
	}
	now := &Doctor{o: d.o, slots: d.slots}
	now.o.Resolvers, now.o.Search = []string{"127.0.0.1:53"}, nil // as the C library without one
	conf, err := dns.ClientConfigFromFile(d.o.ResolvConf)
	if err != nil {
		return now
	}
	if len(conf.Servers) > 0 {
		now.o.Resolvers = nil
	}
	for _, s := range conf.Servers {
		now.o.Resolvers = append(now.o.Resolvers, net.JoinHostPort(s, conf.Port))
	}
	now.o.Search = slices.DeleteFunc(conf.Search, func(s string) bool { return strings.Trim(s, ".") == "" })
	return now
}

// IDs of the links.
const (
	App       = "app"       // the gateway shows the app
	Directory = "directory" // the authority answers
	Clock     = "clock"     // the platform's is right
	Account   = "account"   // the authority takes the account
	DNS       = "dns"       // the name has addresses
	Points    = "points"    // these lead here
	Search    = "search"    // no search domain is in the way
	CAA       = "caa"       // the domain lets the authority issue
	HTTP      = "http"      // port 80 answers
	Challenge = "challenge" // the platform answers there for /.well-known
	Limit     = "limit"     // the authority is willing
	HTTPS     = "https"     // port 443 serves the right certificate
)

// exam is one look at one domain.
type exam struct {
	*Doctor
	s     control.DomainSubject
	name  string // that is asked for: the domain, or one below a wildcard
	links []platform.Link

	directory directory
	found     resolution
	here      []netip.Addr // addresses of the name that lead to the platform
	dark      bool         // whether they do cannot be seen from here
}

// Diagnose implements control.Diagnoser.
func (d *Doctor) Diagnose(ctx context.Context, s control.DomainSubject) platform.Diagnosis {
	e := &exam{Doctor: d.today(), s: s, name: s.Domain}
	if rest, wild := strings.CutPrefix(s.Domain, "*."); wild {
		e.name = "slipway-check." + rest
	}
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		e.fail(DNS, "", "too many domains are being looked at, so this one was not", "ask again in a moment")
		return platform.Diagnosis{App: s.App, Domain: s.Domain, Time: d.o.Now().UTC(), Links: e.links}
	}
	ctx, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	for _, look := range []func(context.Context){
		e.shown, e.askDirectory, e.compareClock, e.askAccount, e.resolve, e.pointsHere, e.searchDomains, e.mayIssue,
		e.plainPort, e.challenge, e.limits, e.served,
	} {
		look(ctx)
	}
	return platform.Diagnosis{App: s.App, Domain: s.Domain, Time: d.o.Now().UTC(), Links: e.links}
}

// shown looks whether there is anything to serve.
func (e *exam) shown(context.Context) {
	switch {
	case e.s.App == "":
		e.ok(App, "a name of the platform's own")
	case e.s.Hidden != "":
		e.fail(App, e.s.App, e.s.Hidden, e.s.HiddenCure)
	default:
		e.ok(App, e.s.App+" is shown")
	}
}

func (e *exam) add(id string, state platform.LinkState, evidence, reason, cure string) {
	e.links = append(e.links, platform.Link{ID: id, State: state, Evidence: clip(evidence), Reason: clip(reason), Cure: clip(cure)})
}

func (e *exam) ok(id, evidence string) { e.add(id, platform.LinkOK, evidence, "", "") }

func (e *exam) skip(id, reason string) { e.add(id, platform.LinkSkipped, "", reason, "") }

func (e *exam) warn(id, evidence, reason, cure string) {
	e.add(id, platform.LinkWarn, evidence, reason, cure)
}

func (e *exam) fail(id, evidence, reason, cure string) {
	e.add(id, platform.LinkFail, evidence, reason, cure)
}

// broken reports whether that link was found broken.
func (e *exam) broken(id string) bool {
	l, ok := platform.Diagnosis{Links: e.links}.Find(id)
	return ok && l.State == platform.LinkFail
}

// clip bounds a text that may hold what others said, and takes out what could
// trick a terminal.
func clip(s string) string {
	const longest = 600
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(clean) > longest {
		clean = strings.ToValidUTF8(clean[:longest], "") + "…"
	}
	return clean
}

// here says where the platform is, for people.
func (e *exam) ours() string { return join(e.s.Addresses) }

func join(list []netip.Addr) string {
	var out []string
	for _, a := range list {
		out = append(out, a.String())
	}
	return strings.Join(out, ", ")
}
