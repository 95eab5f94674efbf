// Acmeserver is a public certificate authority for tests: Pebble with its own
// DNS, HTTP and nonce troubles, and a DNS server that it asks. It prints one
// line of JSON about itself and runs until its input ends, so that it never
// outlives the test that started it.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// about is what the program prints.
type about struct {
	Address string `json:"address"` // of Pebble, HTTPS
	Roots   string `json:"roots"`   // PEM: what Pebble's own HTTPS is trusted by
	DNS     string `json:"dns"`
}

type options struct {
	httpPort         int
	validity         uint64
	keyID, key       string
	zone, tsig, tkey string
	listen, dnsPort  string
	resolver         string            // that is asked in place of an own one
	host             net.IP            // where names lead
	names            map[string]net.IP // that lead elsewhere
	verbose          bool
}

func main() {
	var o options
	flag.IntVar(&o.httpPort, "http", 80, "port at which hosts are asked back")
	flag.Uint64Var(&o.validity, "validity", 0, "seconds that certificates are good for")
	flag.StringVar(&o.keyID, "eab-id", "", "external account without which no account is made")
	flag.StringVar(&o.key, "eab-key", "", "its key, base64")
	flag.StringVar(&o.zone, "zone", "", "serve this zone, which takes updates, in place of the challenge test server's DNS")
	flag.StringVar(&o.tsig, "tsig", "", "name of the key for updates")
	flag.StringVar(&o.tkey, "tsig-key", "", "that key, base64")
	flag.StringVar(&o.listen, "listen", "127.0.0.1", "address that is served on")
	flag.StringVar(&o.dnsPort, "dns", "0", "port of the DNS server; 0: a free one")
	flag.StringVar(&o.resolver, "resolver", "", "host:port of a DNS server to ask in place of an own one")
	o.host, o.names = net.IPv4(127, 0, 0, 1), map[string]net.IP{}
	flag.Func("host", "address of all names", func(s string) error {
		o.host = net.ParseIP(s)
		return checkIP(o.host, s)
	})
	flag.Func("name", "name=address of one that leads elsewhere", func(s string) error {
		name, address, _ := strings.Cut(s, "=")
		o.names[name] = net.ParseIP(address)
		return checkIP(o.names[name], s)
	})
	flag.BoolVar(&o.verbose, "v", false, "log to stderr")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func checkIP(ip net.IP, s string) error {
	if ip == nil {
		return fmt.Errorf("no address: %s", s)
	}
	return nil
}

func run(o options) error {
	out := io.Discard
	if o.verbose {
		out = os.Stderr
	}
	logger := log.New(out, "", log.LstdFlags)
	address, err := serveDNS(o, logger)
	if err != nil {
		return err
	}
	handler, err := pebble(o, address, logger)
	if err != nil {
		return err
	}
	certificate, roots, err := selfSigned(net.ParseIP(o.listen))
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", net.JoinHostPort(o.listen, "0"), &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: logger}
	go func() { logger.Print(server.Serve(listener)) }()
	line, err := json.Marshal(about{Address: listener.Addr().String(), Roots: string(roots), DNS: address})
	if err != nil {
		return err
	}
	if _, err := fmt.Println(string(line)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func pebble(o options, dnsServer string, logger *log.Logger) (http.Handler, error) {
	store := db.NewMemoryStore()
	if o.keyID != "" {
		if err := store.AddExternalAccountKeyByID(o.keyID, o.key); err != nil {
			return nil, err
		}
	}
	profiles := map[string]ca.Profile{"default": {Description: "the only one", ValidityPeriod: o.validity}}
	authority := ca.New(logger, store, "", "ecdsa", 0, 1, profiles)
	validator := va.New(logger, o.httpPort, 1, true, dnsServer, store)
	front := wfe.New(logger, store, validator, authority, []string{"pebble.letsencrypt.org"}, true, o.keyID != "", 1, 1)
	return front.Handler(), nil
}

// serveDNS starts the DNS server that Pebble asks; every host is here, unless
// the options say otherwise.
func serveDNS(o options, logger *log.Logger) (string, error) {
	if o.resolver != "" {
		return o.resolver, nil
	}
	if o.zone != "" {
		return serveZone(o, logger)
	}
	free, err := net.ListenPacket("udp", net.JoinHostPort(o.listen, o.dnsPort))
	if err != nil {
		return "", err
	}
	address := free.LocalAddr().String()
	if err := free.Close(); err != nil {
		return "", err
	}
	server, err := challtestsrv.New(challtestsrv.Config{DNSAddrs: []string{address}, Log: logger})
	if err != nil {
		return "", err
	}
	server.SetDefaultDNSIPv4(o.host.String())
	for name, address := range o.names {
		server.AddDNSARecord(name, []string{address.String()})
	}
	server.SetDefaultDNSIPv6("")
	server.AddDNSServFailRecord("broken.example.com")
	go server.Run()
	return address, nil
}

func selfSigned(address net.IP) (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{address},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}
