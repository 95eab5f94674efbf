package control

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/slipway-paas/slipway/platform"
)

// hostName brings a domain into the form in which it is kept: without a dot at
// its end, each label in ACE, lower case. A wildcard may be in front.
func hostName(name string) (string, error) {
	const longest = 4 * 253 // bytes: what is longer cannot become short enough
	if name == "" {
		return "", platform.FieldErrorf("domain", "This field may not be blank.")
	}
	if len(name) > longest {
		return "", platform.FieldErrorf("domain", "Ensure this field has no more than 253 characters.")
	}
	if !utf8.ValidString(name) {
		return "", platform.FieldErrorf("domain", "Hostname does not look valid, could not convert to ACE: it is not UTF-8")
	}
	name = strings.TrimSuffix(name, ".")
	rest, wild := strings.CutPrefix(name, "*.")
	if name == "*" || wild && rest == "" || name == "" {
		return "", platform.FieldErrorf("domain", "Hostname can't only be a wildcard: give the name below which it stands, such as *.example.com")
	}
	if strings.Contains(rest, "_") {
		return "", platform.FieldErrorf("domain", "Hostname does not look valid, could not convert to ACE: names of sites have no underscore; use a hyphen")
	}
	if why := notAName(rest); why != "" {
		return "", platform.FieldErrorf("domain", "Hostname does not look valid. %s", why)
	}
	profile := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true), idna.BidiRule())
	ace, err := profile.ToASCII(rest)
	if err != nil {
		return "", platform.FieldErrorf("domain", "Hostname does not look valid, could not convert to ACE: %s; "+
			"letters of any language, digits and inner hyphens are allowed", strings.TrimPrefix(err.Error(), "idna: "))
	}
	if why := badLabels(ace, wild); why != "" {
		return "", platform.FieldErrorf("domain", "Hostname does not look valid. %s", why)
	}
	if wild {
		ace = "*." + ace
	}
	return ace, platform.ValidateHostname(ace)
}

// notAName recognises what people give instead of a host name.
func notAName(s string) string {
	address := strings.Trim(s, "[]")
	host, port, _ := strings.Cut(s, ":")
	digits := port != "" && strings.Trim(port, "0123456789") == ""
	_, err := netip.ParseAddr(address)
	switch {
	case strings.Contains(s, "://"):
		return "It is an address of a page: give the name only, without http:// and path."
	case err == nil:
		return "It is an IP address, and domains are names: make a DNS record for a name, and add that."
	case strings.ContainsAny(s, "/?#"):
		return "It has a path: give the name only, up to the first slash."
	case digits && !strings.Contains(host, ":"):
		return "It has a port: leave it off; domains are served on the ports of the app's gateways."
	case strings.Contains(s, "@"):
		return "It is a mail address: give what is behind the @."
	case strings.ContainsAny(s, " \t\r\n"):
		return "It has white space in it: give one name."
	case strings.Contains(s, "*"):
		return "A wildcard can only be the whole first label: *.example.com."
	}
	for _, label := range strings.Split(s, ".") {
		if strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return "A part between dots begins or ends with a hyphen: take it off."
		}
	}
	return ""
}

// badLabels says what is wrong with the labels of a name in ACE.
func badLabels(ace string, wild bool) string {
	labels := strings.Split(ace, ".")
	for _, label := range labels {
		switch {
		case label == "":
			return "It has two dots in a row, or one in front: take one out."
		case len(label) > 63:
			return "A part between dots has " + strconv.Itoa(len(label)) + " characters, at most 63 are allowed: shorten it."
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return "The last part, " + last + ", is a number: names end in a word, such as com."
	}
	if wild && len(labels) == 1 {
		return "The wildcard stands for all of " + ace + ": give a name with a dot below which it stands, such as *.example." + ace + "."
	}
	return ""
}
