package edge

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/caddyserver/certmagic"
)

// Ways to make DNS records.
const (
	ProviderRFC2136 = "rfc2136"
	ProviderWebhook = "webhook"
	ProviderExec    = "exec"
)

// ACMESettings say which public authority is asked, and how.
type ACMESettings struct {
	Enabled   bool
	Server    string // directory; default Let's Encrypt's
	Email     string // of the platform's account; may be empty
	KeyID     string // of the external account; empty: none
	KeySecret string // base64
	Roots     *x509.CertPool
	DNS       DNSSettings
}

// DNSSettings say how DNS records are made; without a Provider none are.
type DNSSettings struct {
	Provider     string // ProviderRFC2136, ProviderWebhook, ProviderExec
	Server       string // of rfc2136: host:port of the zone's primary server
	KeyName      string // of the TSIG key
	KeyAlgorithm string // "hmac-sha256"
	Key          string // base64; a secret
	URL          string // of the webhook
	Token        string // a secret
	File         string // of exec: the program
	FileSecret   string // what it gets in ACME_DNS_SECRET; a secret
	Resolvers    []string
}

// ParseACME reads the settings by their names. readFile reads ACME_CA_FILE.
func ParseACME(get func(name string) string, readFile func(path string) ([]byte, error)) (ACMESettings, error) {
	s := ACMESettings{
		Enabled: get("CERT_MANAGER_ENABLED") == "true",
		Server:  get("ACME_SERVER"), Email: get("ACME_EMAIL"),
		KeyID: get("ACME_EAB_KEY_ID"), KeySecret: get("ACME_EAB_KEY_SECRET"),
		DNS: DNSSettings{
			Provider: get("ACME_DNS_PROVIDER"), Server: get("ACME_DNS_SERVER"),
			KeyName: get("ACME_DNS_TSIG_NAME"), KeyAlgorithm: get("ACME_DNS_TSIG_ALGORITHM"), Key: get("ACME_DNS_TSIG_SECRET"),
			URL: get("ACME_DNS_WEBHOOK_URL"), Token: get("ACME_DNS_WEBHOOK_TOKEN"),
			File: get("ACME_DNS_EXEC"), FileSecret: get("ACME_DNS_EXEC_SECRET"),
		},
	}
	if s.Server == "" {
		s.Server = certmagic.LetsEncryptProductionCA
	}
	if !s.Enabled {
		return s, nil
	}
	if (s.KeyID == "") != (s.KeySecret == "") {
		return s, errors.New("ACME_EAB_KEY_ID and ACME_EAB_KEY_SECRET belong together: set both or none")
	}
	if file := get("ACME_CA_FILE"); file != "" {
		data, err := readFile(file)
		if err != nil {
			return s, fmt.Errorf("ACME_CA_FILE: %w", err)
		}
		if s.Roots, err = x509.SystemCertPool(); err != nil {
			s.Roots = x509.NewCertPool()
		}
		if !s.Roots.AppendCertsFromPEM(data) {
			return s, fmt.Errorf("ACME_CA_FILE: %s holds no certificate in PEM", file)
		}
	}
	for _, r := range strings.FieldsFunc(get("ACME_DNS_RESOLVERS"), func(r rune) bool { return r == ',' || r == ' ' }) {
		s.DNS.Resolvers = append(s.DNS.Resolvers, withPort(r))
	}
	return s, s.DNS.check()
}

// check completes what is needed for the provider.
func (d *DNSSettings) check() error {
	switch d.Provider {
	case "":
		return nil
	case ProviderRFC2136:
		if d.Server == "" || d.KeyName == "" || d.Key == "" {
			return errors.New("ACME_DNS_PROVIDER rfc2136 needs ACME_DNS_SERVER, ACME_DNS_TSIG_NAME and ACME_DNS_TSIG_SECRET")
		}
		d.Server = withPort(d.Server)
		if d.KeyAlgorithm == "" {
			d.KeyAlgorithm = "hmac-sha256"
		}
		if len(d.Resolvers) == 0 {
			d.Resolvers = []string{d.Server} // it knows its zones
		}
		return nil
	case ProviderWebhook:
		if d.URL == "" {
			return errors.New("ACME_DNS_PROVIDER webhook needs ACME_DNS_WEBHOOK_URL")
		}
		return nil
	case ProviderExec:
		if d.File == "" {
			return errors.New("ACME_DNS_PROVIDER exec needs ACME_DNS_EXEC")
		}
		return nil
	}
	return fmt.Errorf("ACME_DNS_PROVIDER %s is not known: use rfc2136, webhook or exec", d.Provider)
}

// withPort adds the port of DNS where none is given.
func withPort(server string) string {
	if _, _, err := net.SplitHostPort(server); err == nil {
		return server
	}
	return net.JoinHostPort(strings.Trim(server, "[]"), "53")
}
