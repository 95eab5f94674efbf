package diagnose

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// reply is what name servers say of one name and type.
type reply struct {
	rcode         int
	authoritative bool
	records       []dns.RR
}

// errNoServer says that no name server answered.
var errNoServer = errors.New("no name server answers")

// query asks the resolvers in turn.
func (d *Doctor) query(ctx context.Context, name string, qtype uint16) (reply, error) {
	var last error
	for _, server := range d.o.Resolvers {
		r, err := d.ask(ctx, server, name, qtype, true)
		if err == nil {
			return r, nil
		}
		last = fmt.Errorf("%s: %w", server, err)
	}
	return reply{}, fmt.Errorf("%w: %w", errNoServer, last)
}

// ask asks one server, over TCP when the answer does not fit.
func (d *Doctor) ask(ctx context.Context, server, name string, qtype uint16, recursive bool) (reply, error) {
	question := new(dns.Msg)
	question.SetQuestion(dns.Fqdn(name), qtype)
	question.RecursionDesired = recursive
	question.SetEdns0(1232, false)
	var answer *dns.Msg
	for _, network := range []string{"udp", "tcp"} {
		var err error
		if answer, err = d.exchange(ctx, network, server, question); err != nil {
			return reply{}, err
		}
		if !answer.Truncated {
			break
		}
	}
	return reply{rcode: answer.Rcode, authoritative: answer.Authoritative, records: answer.Answer}, nil
}

func (d *Doctor) exchange(ctx context.Context, network, server string, question *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, d.o.Patience/2)
	defer cancel()
	raw, err := d.o.Dial(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	if end, ok := ctx.Deadline(); ok {
		if err := raw.SetDeadline(end); err != nil {
			return nil, err
		}
	}
	conn := &dns.Conn{Conn: raw, UDPSize: 1232}
	if err := conn.WriteMsg(question); err != nil {
		return nil, err
	}
	for {
		answer, err := conn.ReadMsg()
		if err != nil {
			return nil, err
		}
		if answer.Id == question.Id && len(answer.Question) == 1 && strings.EqualFold(answer.Question[0].Name, question.Question[0].Name) {
			return answer, nil
		}
	}
}

// resolution is where a name leads.
type resolution struct {
	aliases []string // the chain of CNAMEs
	v4, v6  []netip.Addr
	rcode   int
	ttl     time.Duration // of the addresses
	local   bool          // the name is the machine's own by definition
}

func (r resolution) all() []netip.Addr { return slices.Concat(r.v4, r.v6) }

// text is the resolution as evidence.
func (r resolution) text() string {
	var parts []string
	if len(r.aliases) > 0 {
		parts = append(parts, "CNAME "+strings.Join(r.aliases, " → "))
	}
	if len(r.v4) > 0 {
		parts = append(parts, "A "+join(r.v4))
	}
	if len(r.v6) > 0 {
		parts = append(parts, "AAAA "+join(r.v6))
	}
	if len(parts) == 0 {
		return dns.RcodeToString[r.rcode]
	}
	return strings.Join(parts, "; ")
}

// lookup finds the addresses of a name.
func (d *Doctor) lookup(ctx context.Context, name string) (resolution, error) {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return resolution{local: true}, nil
	}
	var out resolution
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		r, err := d.query(ctx, name, qtype)
		if err != nil {
			return resolution{}, err
		}
		out.rcode = cmp.Or(out.rcode, r.rcode)
		out.take(r.records)
	}
	return out, nil
}

// take adds records of an answer.
func (r *resolution) take(records []dns.RR) {
	for _, rr := range records {
		switch v := rr.(type) {
		case *dns.CNAME:
			if target := strings.TrimSuffix(v.Target, "."); !slices.Contains(r.aliases, target) {
				r.aliases = append(r.aliases, target)
			}
			continue
		case *dns.A:
			r.v4 = addAddr(r.v4, v.A)
		case *dns.AAAA:
			r.v6 = addAddr(r.v6, v.AAAA)
		default:
			continue
		}
		r.ttl = max(r.ttl, time.Duration(rr.Header().Ttl)*time.Second)
	}
}

func addAddr(list []netip.Addr, ip net.IP) []netip.Addr {
	const most = 8 // a name with more is nobody's honest mistake
	a, ok := netip.AddrFromSlice(ip)
	if a = a.Unmap(); !ok || slices.Contains(list, a) || len(list) >= most {
		return list
	}
	return append(list, a)
}

// parents are a name and the names above it, the root not among them.
func parents(name string) []string {
	labels := strings.Split(name, ".")
	var out []string
	for i := range labels {
		out = append(out, strings.Join(labels[i:], "."))
	}
	return out
}

// authority asks the name servers of the zone itself. Zone is empty when they
// cannot be found; answered is false when none of them gives an answer of its
// own.
func (d *Doctor) authority(ctx context.Context, e *exam) (zone string, r resolution, answered bool) {
	const most = 2 // servers that are asked
	for _, candidate := range parents(e.name) {
		found, err := d.query(ctx, candidate, dns.TypeNS)
		if err != nil {
			return "", r, false
		}
		var servers []string
		for _, rr := range found.records {
			if ns, ok := rr.(*dns.NS); ok {
				servers = append(servers, strings.TrimSuffix(ns.Ns, "."))
			}
		}
		if len(servers) == 0 {
			continue
		}
		for _, server := range servers[:min(most, len(servers))] {
			if r, ok := d.askAuthority(ctx, e, server); ok {
				return candidate, r, true
			}
		}
		return candidate, r, false
	}
	return "", r, false
}

func (d *Doctor) askAuthority(ctx context.Context, e *exam, server string) (r resolution, ok bool) {
	at, err := d.lookup(ctx, server)
	if err != nil {
		return r, false
	}
	for _, addr := range at.all() {
		if e.mayAsk(addr) != "" {
			continue
		}
		target := net.JoinHostPort(addr.String(), strconv.Itoa(int(d.o.DNSPort)))
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
			said, err := d.ask(ctx, target, e.name, qtype, false)
			if err != nil || !said.authoritative {
				return r, false
			}
			r.rcode = cmp.Or(r.rcode, said.rcode)
			r.take(said.records)
		}
		return r, true
	}
	return r, false
}
