// Command whoami stands in for the CoreDNS image among the suite's backends: it
// answers every question over UDP, on port 53, with the address of the asker,
// as CoreDNS does with its plugin of that name. That is all the suite needs of
// it, and our own CoreDNS is built without that plugin. Arguments are ignored.
package main

import (
	"fmt"
	"net"
	"os"

	"github.com/miekg/dns"
)

func main() {
	server := &dns.Server{Addr: ":53", Net: "udp", Handler: dns.HandlerFunc(answer)}
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, "answer DNS questions on port 53:", err)
		os.Exit(1)
	}
}

// answer puts the asker's address into the additional section.
func answer(w dns.ResponseWriter, question *dns.Msg) {
	reply := new(dns.Msg)
	reply.SetReply(question)
	reply.Authoritative = true
	if asker, ok := w.RemoteAddr().(*net.UDPAddr); ok && len(question.Question) == 1 {
		reply.Extra = append(reply.Extra, record(question.Question[0].Name, asker.IP))
	}
	_ = w.WriteMsg(reply) // an asker that is gone asks again
}

func record(name string, ip net.IP) dns.RR {
	header := dns.RR_Header{Name: name, Class: dns.ClassINET}
	if v4 := ip.To4(); v4 != nil {
		header.Rrtype = dns.TypeA
		return &dns.A{Hdr: header, A: v4}
	}
	header.Rrtype = dns.TypeAAAA
	return &dns.AAAA{Hdr: header, AAAA: ip}
}
