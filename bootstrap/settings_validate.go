package bootstrap

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// check reads a text into a field. It returns "" or the problem with the cure.
type check func(s *Settings, v string) (problem, cure string)

func domain(s *Settings, v string) (string, string) {
	v = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(v), "."))
	if _, err := netip.ParseAddr(v); err == nil {
		return "is an address, not a name", "use a name such as " + v + ".nip.io"
	}
	if strings.Contains(v, "://") || strings.ContainsAny(v, "/:") {
		return "is not a bare name", "leave out the scheme, port and path, as in apps.example.com"
	}
	if strings.HasPrefix(v, "*.") {
		return "begins with a wildcard", "give the name without it: " + strings.TrimPrefix(v, "*.")
	}
	labels := strings.Split(v, ".")
	if len(labels) < 2 {
		return "has one label", "give a name with a dot in it, such as apps.example.com or slipway.localhost"
	}
	// An app's name of 63 characters and a dot have to fit before it.
	if len(v) > 253-64 {
		return "is too long", "give a name of at most 189 characters"
	}
	label := regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	for _, l := range labels {
		if !label.MatchString(l) {
			return fmt.Sprintf("is not a DNS name (%q)", l), "use letters, digits and hyphens between dots, as in apps.example.com"
		}
	}
	s.Domain = v
	return "", ""
}

func username(s *Settings, v string) (string, string) {
	if !regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9@.+_-]{0,149}$`).MatchString(v) {
		return "is not a user name", "use 1 to 150 letters, digits and @ . + - _, beginning with a letter or digit"
	}
	s.AdminUsername = v
	return "", ""
}

func password(s *Settings, v string) (string, string) {
	if len(v) < 8 {
		return "is too short", "use at least 8 characters, or leave it out to have one made"
	}
	if len(v) > 512 || strings.ContainsAny(v, "\n\r\x00") {
		return "cannot be used", "use at most 512 characters without line breaks"
	}
	s.AdminPassword = NewSecret(v)
	return "", ""
}

func databaseURL(s *Settings, v string) (string, string) {
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Host == "" && u.Query().Get("host") == "":
		return "is no URL of a database", "use postgres://user:password@host:5432/name; in the password write @ as %40, / as %2F and the like"
	case u.Scheme != "postgres" && u.Scheme != "postgresql":
		return "names no PostgreSQL database", "begin it with postgres://, or leave it out for SQLite"
	case strings.ContainsAny(v, "\n\r\x00"):
		return "cannot be used", "use no line breaks"
	}
	s.DatabaseURL = NewSecret(v)
	return "", ""
}

func role(s *Settings, v string) (string, string) {
	switch Role(v) {
	case RoleServer, RoleAgent:
		s.Role = Role(v)
		return "", ""
	}
	return "is not a role", "choose server or agent"
}

func joinURL(s *Settings, v string) (string, string) {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return "is not the address of a server", "use https://<address of a server>:6443"
	}
	s.JoinURL = strings.TrimSuffix(v, "/")
	return "", ""
}

func cidr(field func(*Settings) *netip.Prefix, largest, smallest int) check {
	return func(s *Settings, v string) (string, string) {
		p, err := netip.ParsePrefix(v)
		if err != nil || !p.Addr().Is4() {
			return "is not an IPv4 network", "write it as 10.42.0.0/16"
		}
		if p != p.Masked() {
			return "has host bits", "write it as " + p.Masked().String()
		}
		if p.Bits() < largest || p.Bits() > smallest {
			return "has the wrong size", fmt.Sprintf("use a prefix from /%d to /%d", largest, smallest)
		}
		*field(s) = p
		return "", ""
	}
}

// folder accepts an absolute path that is no folder of the system itself.
func folder(field func(*Settings) *string) check {
	return func(s *Settings, v string) (string, string) {
		if !filepath.IsAbs(v) || strings.ContainsAny(v, " \t\n\"'$\\") {
			return "is not a usable folder", "give an absolute path without spaces, quotes and the like"
		}
		v = filepath.Clean(v)
		switch v {
		case "/", "/etc", "/usr", "/var", "/var/lib", "/run", "/home", "/root", "/boot", "/proc", "/sys", "/dev", "/tmp":
			return "is a folder of the system", "give a folder of its own, such as " + filepath.Join(v, "slipway")
		}
		*field(s) = v
		return "", ""
	}
}

func quantity(field func(*Settings) *string) check {
	return func(s *Settings, v string) (string, string) {
		if !regexp.MustCompile(`^[1-9][0-9]*(Mi|Gi|Ti|M|G|T)$`).MatchString(v) {
			return "is not a size", "write it as 5Gi or 500Mi"
		}
		*field(s) = v
		return "", ""
	}
}

func kubeName(field func(*Settings) *string) check {
	return func(s *Settings, v string) (string, string) {
		if len(v) > 253 || !regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`).MatchString(v) {
			return "is not a Kubernetes name", "use lower-case letters, digits, hyphens and dots"
		}
		*field(s) = v
		return "", ""
	}
}

func boolean(field func(*Settings) *bool) check {
	return func(s *Settings, v string) (string, string) {
		b, err := strconv.ParseBool(v)
		if err != nil {
			return "is neither true nor false", "use true or false"
		}
		*field(s) = b
		return "", ""
	}
}

func address(s *Settings, v string) (string, string) {
	if _, err := netip.ParseAddr(v); err != nil {
		return "is not an IP address", "give one address of this host"
	}
	s.NodeIP = v
	return "", ""
}

func octal(s *Settings, v string) (string, string) {
	if n, err := strconv.ParseUint(v, 8, 32); err != nil || n > 0o777 {
		return "is not a permission", "write it in octal, as 0600 or 644"
	}
	s.KubeMode = v
	return "", ""
}

func manager(s *Settings, v string) (string, string) {
	switch v {
	case "systemd", "openrc", "none":
		s.ServiceManager = v
		return "", ""
	}
	return "is not a service manager", "choose systemd, openrc or none, or leave it out"
}

// arguments cuts the text as a shell would, quotes included. A leading role is
// the role, as in k3s's installer.
func arguments(s *Settings, v string) (string, string) {
	words, err := splitWords(v)
	if err != nil {
		return "cannot be read", err.Error()
	}
	if len(words) > 0 && (words[0] == "server" || words[0] == "agent") {
		s.Role, words = Role(words[0]), words[1:]
	}
	s.K3sArgs = words
	return "", ""
}

func splitWords(v string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	started := false
	for _, c := range v {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, started = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if started {
				words = append(words, word.String())
				word.Reset()
				started = false
			}
		default:
			word.WriteRune(c)
			started = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("close the quote %c", quote)
	}
	if started {
		words = append(words, word.String())
	}
	return words, nil
}

// joinWords undoes splitWords.
func joinWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		switch {
		case w != "" && !strings.ContainsAny(w, " \t\n'\""):
			quoted[i] = w
		case !strings.Contains(w, "'"):
			quoted[i] = "'" + w + "'"
		default:
			quoted[i] = `"` + w + `"`
		}
	}
	return strings.Join(quoted, " ")
}

// validate checks what concerns several settings. roleGiven says that the role
// was asked for in so many words; without it an address to join makes an agent,
// as in k3s's installer.
func (s *Settings) validate(roleGiven bool) []error {
	var errs []error
	s.forgetPresent()
	if s.ClusterCIDR.Overlaps(s.ServiceCIDR) {
		errs = append(errs, &FieldError{Name: "SERVICE_CIDR", Value: s.ServiceCIDR.String(),
			Problem: "overlaps CLUSTER_CIDR=" + s.ClusterCIDR.String(), Cure: "give two networks that share no address"})
	}
	if !roleGiven && s.JoinURL != "" && s.Role == RoleServer && len(s.K3sArgs) == 0 {
		s.Role = RoleAgent
	}
	if s.JoinURL != "" && s.JoinToken.Empty() && s.TokenFile == "" {
		errs = append(errs, &FieldError{Name: "K3S_TOKEN", Problem: "is missing",
			Cure: "K3S_URL joins a cluster: set the token of its server too (on the server: slipway token create)"})
	}
	if err := s.validateBackups(); err != nil {
		errs = append(errs, err)
	}
	if s.Role == RoleAgent && s.JoinURL == "" {
		errs = append(errs, &FieldError{Name: "K3S_URL", Problem: "is missing",
			Cure: "an agent joins a cluster: set https://<address of a server>:6443"})
	}
	return errs
}
