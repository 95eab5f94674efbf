package platform

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// ImageRef is a parsed image reference.
//
//	registry.example.com:5000 / team/app : v1 @ sha256:…
//	└─ Registry ────────────┘   └ Repo ┘   └Tag  └ Digest
type ImageRef struct {
	Registry   string // host[:port], empty when the reference names none
	Repository string
	Tag        string
	Digest     string
}

// maxImageName is the longest registry plus repository that registries accept.
const maxImageName = 255

// ParseImage reads an image reference by the grammar that registries use. The
// error is Invalid with field "image" and says which part is wrong.
func ParseImage(s string) (ImageRef, error) {
	var ref ImageRef
	if s == "" {
		return ref, FieldErrorf("image", "This field may not be blank.")
	}
	rest := s
	if i := strings.IndexByte(rest, '@'); i >= 0 {
		ref.Digest, rest = rest[i+1:], rest[:i]
		if !validDigest(ref.Digest) {
			return ImageRef{}, imageErrorf(s, "the digest has to be sha256: or sha512: and lower-case hex digits")
		}
	}
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, '/') {
		ref.Tag, rest = rest[i+1:], rest[:i]
		if !validTag(ref.Tag) {
			return ImageRef{}, imageErrorf(s, "the tag has to be 1 to 128 letters, digits, '_', '.' or '-', not starting with '.' or '-'")
		}
	}
	ref.Repository = rest
	if i := strings.IndexByte(rest, '/'); i >= 0 && looksLikeHost(rest[:i]) {
		ref.Registry, ref.Repository = rest[:i], rest[i+1:]
		if !validRegistry(ref.Registry) {
			return ImageRef{}, imageErrorf(s, "the registry has to be a host name with an optional port")
		}
	}
	if len(rest) > maxImageName {
		return ImageRef{}, imageErrorf(s[:40]+"…", "the name has more than 255 characters")
	}
	for _, part := range strings.Split(ref.Repository, "/") {
		if !validPathPart(part) {
			return ImageRef{}, imageErrorf(s, "a name is made of lower-case letters and digits, joined by single '.', '_', '__' or '-'")
		}
	}
	if ref.Registry == "" && isHex(ref.Repository, 64) {
		return ImageRef{}, imageErrorf(s, "64 hex digits alone are an image id, not a name")
	}
	return ref, nil
}

// IsLoopback reports whether the reference's registry is this machine as seen
// from a node, which is never the machine the user means.
func (r ImageRef) IsLoopback() bool {
	host := hostOf(r.Registry)
	if strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && (addr.Unmap().IsLoopback() || addr.IsUnspecified())
}

// String puts the reference together again.
func (r ImageRef) String() string {
	s := r.Repository
	if r.Registry != "" {
		s = r.Registry + "/" + s
	}
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}

// ValidateImage checks an image that a user wants to deploy: it has to parse
// and must not be on a loopback address. A name below one of the platform's own
// domains, of now or before, is no loopback address even if that domain ends in
// .localhost.
func ValidateImage(s string, domains ...string) error {
	ref, err := ParseImage(s)
	if err != nil {
		return err
	}
	host := hostOf(ref.Registry)
	ours := func(d string) bool { return d != "" && (host == d || strings.HasSuffix(host, "."+d)) }
	if ref.IsLoopback() && !slices.ContainsFunc(domains, ours) {
		return Errorf(Invalid, "image must not use the loopback address")
	}
	return nil
}

func imageErrorf(image, why string) error {
	return FieldErrorf("image", "%q is not an image reference: %s.", image, why)
}

// looksLikeHost tells a registry from the first part of a repository: it has a
// dot or a port, an upper-case letter, or is localhost.
func looksLikeHost(s string) bool {
	return s == "localhost" || strings.ContainsAny(s, ".:[") || s != strings.ToLower(s)
}

func hostOf(registry string) string {
	if strings.HasPrefix(registry, "[") {
		if end := strings.IndexByte(registry, ']'); end > 0 {
			return registry[:end+1]
		}
	}
	host, _, _ := strings.Cut(registry, ":")
	return host
}

func validRegistry(s string) bool {
	host := hostOf(s)
	if port, ok := strings.CutPrefix(s[len(host):], ":"); ok {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 || len(port) > 5 || !isDigit(port[0]) {
			return false
		}
	} else if len(s) != len(host) {
		return false
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && addr.Is6() && addr.Zone() == ""
	}
	for _, label := range strings.Split(host, ".") {
		if label == "" || len(label) > maxLabel || !isAlnum(label[0]) || !isAlnum(label[len(label)-1]) {
			return false
		}
		for i := range len(label) {
			if !isAlnum(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return true
}

func validPathPart(s string) bool {
	for i := 0; i < len(s); {
		if !isLower(s[i]) && !isDigit(s[i]) {
			return false
		}
		for i < len(s) && (isLower(s[i]) || isDigit(s[i])) {
			i++
		}
		if i == len(s) {
			return true
		}
		start := i
		for i < len(s) && (s[i] == '.' || s[i] == '_' || s[i] == '-') {
			i++
		}
		if sep := s[start:i]; sep != "." && sep != "_" && sep != "__" && strings.Trim(sep, "-") != "" {
			return false
		}
	}
	return false
}

func validTag(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		word := isAlnum(s[i]) || s[i] == '_'
		if !word && (i == 0 || (s[i] != '.' && s[i] != '-')) {
			return false
		}
	}
	return true
}

func validDigest(s string) bool {
	if hex, ok := strings.CutPrefix(s, "sha256:"); ok {
		return isHex(hex, 64)
	}
	hex, ok := strings.CutPrefix(s, "sha512:")
	return ok && isHex(hex, 128)
}

func isHex(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return true
}
