package platform

import (
	"strings"
	"time"
)

// maxHostname is the length of a host name in the DNS.
const maxHostname = 253

// Domain is a host name that an app answers to besides its own.
type Domain struct {
	App     string
	Name    string // ACE form, lower case, no dot at its end; "*." may be in front
	Ptype   string // requests go to the Service of this process type
	Cert    string // name of the certificate it is served with; empty: none attached
	CertID  int64  // its id; 0: none
	Created time.Time
	Updated time.Time
}

// Wildcard reports whether the domain stands for all names one label below.
func (d Domain) Wildcard() bool { return strings.HasPrefix(d.Name, "*.") }

// ValidateHostname accepts a host name in ACE form: lower-case letters, digits
// and inner hyphens in labels of at most 63 characters, 253 in all, the last
// label not all digits. "*." is allowed in front.
func ValidateHostname(name string) error {
	rest := strings.TrimPrefix(name, "*.")
	if rest == "" || rest == "*" {
		return FieldErrorf("domain", "Hostname can't only be a wildcard")
	}
	if len(name) > maxHostname {
		return FieldErrorf("domain", "Ensure this field has no more than %d characters.", maxHostname)
	}
	labels := strings.Split(rest, ".")
	digits := true
	for i, label := range labels {
		if !isDNSLabel(label) {
			return FieldErrorf("domain", "Hostname does not look valid.")
		}
		for _, c := range []byte(label) {
			if i == len(labels)-1 && !isDigit(c) {
				digits = false
			}
		}
	}
	if digits {
		return FieldErrorf("domain", "Hostname does not look valid.")
	}
	return nil
}

// isDNSLabel accepts lower-case letters, digits and hyphens inside.
func isDNSLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if !isLower(c) && !isDigit(c) && c != '-' {
			return false
		}
	}
	return true
}

// CoversHost reports whether a certificate's name stands for host: it is the
// same, or a wildcard for the names one label below. Host may itself be a
// wildcard, which only the same wildcard covers. Upper and lower case are one.
func CoversHost(name, host string) bool {
	name, host = strings.ToLower(name), strings.ToLower(host)
	if name == host {
		return true
	}
	suffix, wild := strings.CutPrefix(name, "*")
	if !wild || len(suffix) < 2 || suffix[0] != '.' || strings.HasPrefix(host, "*") {
		return false
	}
	label, ok := strings.CutSuffix(host, suffix)
	return ok && label != "" && !strings.Contains(label, ".")
}

// HostsMeet reports whether some host name is covered by both, each of which
// may be a wildcard.
func HostsMeet(a, b string) bool { return CoversHost(a, b) || CoversHost(b, a) }
