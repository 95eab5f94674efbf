package main

import (
	"log"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// zone is one DNS zone that takes signed updates (RFC 2136) of TXT records.
// All names in it are here.
type zone struct {
	name, key string

	mu  sync.Mutex
	txt map[string][]dns.RR
}

func serveZone(o options, logger *log.Logger) (string, error) {
	z := &zone{name: dns.Fqdn(o.zone), key: dns.Fqdn(o.tsig), txt: map[string][]dns.RR{}}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	stream, err := net.Listen("tcp", packets.LocalAddr().String())
	if err != nil {
		return "", err
	}
	secrets := map[string]string{z.key: o.tkey}
	for _, s := range []*dns.Server{
		{PacketConn: packets, Handler: z, TsigSecret: secrets, MsgAcceptFunc: acceptUpdates},
		{Listener: stream, Handler: z, TsigSecret: secrets, MsgAcceptFunc: acceptUpdates},
	} {
		go func() { logger.Print(s.ActivateAndServe()) }()
	}
	return packets.LocalAddr().String(), nil
}

func acceptUpdates(h dns.Header) dns.MsgAcceptAction {
	if op := int(h.Bits>>11) & 0xF; op == dns.OpcodeUpdate {
		return dns.MsgAccept
	}
	return dns.DefaultMsgAcceptFunc(h)
}

// ServeDNS answers one message.
func (z *zone) ServeDNS(w dns.ResponseWriter, r *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(r)
	m.Authoritative = true
	if r.Opcode == dns.OpcodeUpdate {
		m.Rcode = z.update(w, r)
		if t := r.IsTsig(); t != nil && w.TsigStatus() == nil {
			m.SetTsig(t.Hdr.Name, t.Algorithm, 300, time.Now().Unix())
		}
	} else {
		z.answer(m, r.Question[0])
	}
	_ = w.WriteMsg(m) // who asked is gone
}

func (z *zone) update(w dns.ResponseWriter, r *dns.Msg) int {
	t := r.IsTsig()
	if t == nil || w.TsigStatus() != nil || t.Hdr.Name != z.key {
		return dns.RcodeNotAuth
	}
	if len(r.Question) != 1 || r.Question[0].Name != z.name {
		return dns.RcodeNotZone
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, rr := range r.Ns {
		name := strings.ToLower(rr.Header().Name)
		switch rr.Header().Class {
		case dns.ClassINET:
			z.txt[name] = append(z.txt[name], rr)
		case dns.ClassNONE:
			z.remove(name, rr)
		case dns.ClassANY:
			delete(z.txt, name)
		}
	}
	return dns.RcodeSuccess
}

func (z *zone) remove(name string, rr dns.RR) {
	var left []dns.RR
	for _, have := range z.txt[name] {
		if data(have) != data(rr) {
			left = append(left, have)
		}
	}
	z.txt[name] = left
}

func data(rr dns.RR) string {
	if t, ok := rr.(*dns.TXT); ok {
		return strings.Join(t.Txt, "")
	}
	return ""
}

func (z *zone) answer(m *dns.Msg, q dns.Question) {
	name := strings.ToLower(q.Name)
	header := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: 1}
	soa := &dns.SOA{Hdr: dns.RR_Header{Name: z.name, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 1},
		Ns: "ns." + z.name, Mbox: "root." + z.name, Serial: 1, Refresh: 60, Retry: 60, Expire: 60, Minttl: 1}
	if !dns.IsSubDomain(z.name, name) {
		m.Rcode = dns.RcodeNameError
		return
	}
	switch {
	case q.Qtype == dns.TypeA:
		m.Answer = append(m.Answer, &dns.A{Hdr: header, A: net.IPv4(127, 0, 0, 1)})
	case q.Qtype == dns.TypeSOA && name == z.name:
		m.Answer = append(m.Answer, soa)
	case q.Qtype == dns.TypeNS && name == z.name:
		m.Answer = append(m.Answer, &dns.NS{Hdr: header, Ns: "ns." + z.name})
	case q.Qtype == dns.TypeTXT:
		z.mu.Lock()
		m.Answer = append(m.Answer, z.txt[name]...)
		z.mu.Unlock()
	}
	if len(m.Answer) == 0 {
		m.Ns = append(m.Ns, soa)
	}
}
