package platform

import (
	"fmt"
	"io"
	"regexp"
)

// maxLabel is the length of a DNS label, which app ids and process types become.
const maxLabel = 63

// DefaultReserved lists the patterns of names that nobody may take, because
// the platform or a common cluster component already uses them as a namespace.
func DefaultReserved() []string {
	return []string{
		`^backup$`, `^catalog$`, `^cert-manager$`, `^default$`, `^drycc(?:-[\w-]+)?$`,
		`^istio(?:-[\w-]+)?$`, `^kube(?:-[\w-]+)?$`, `^longhorn-system$`, `^metallb$`,
		`^mount-s3$`, `^topolvm$`, `^rook-ceph$`, `^personal$`,
	}
}

// Reserved decides which names are refused. The zero value refuses none.
type Reserved struct{ patterns []*regexp.Regexp }

// NewReserved compiles the patterns; an invalid one is an error naming it.
func NewReserved(patterns []string) (Reserved, error) {
	var r Reserved
	for _, p := range patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			return Reserved{}, fmt.Errorf("reserved name pattern %q: %w", p, err)
		}
		r.patterns = append(r.patterns, re)
	}
	return r, nil
}

// Check returns an Invalid error for field when name is reserved.
func (r Reserved) Check(field, name string) error {
	for _, re := range r.patterns {
		if re.MatchString(name) {
			return FieldErrorf(field, "%s is a reserved name.", name)
		}
	}
	return nil
}

const nameMessage = "must start with an alphabetic character, cannot end with a hyphen " +
	"and can only contain a-z (lowercase), 0-9 and hyphens."

// ValidateAppID accepts 5 to 63 characters: a lower-case letter, then letters,
// digits and hyphens, not ending in a hyphen.
func ValidateAppID(id string) error {
	if len(id) > maxLabel {
		return FieldErrorf("id", "Ensure this field has no more than %d characters.", maxLabel)
	}
	ok := len(id) >= 5 && isLower(id[0]) && id[len(id)-1] != '-'
	for i := 0; ok && i < len(id); i++ {
		ok = isLower(id[i]) || isDigit(id[i]) || id[i] == '-'
	}
	if !ok {
		return FieldErrorf("id", "App name %s", nameMessage)
	}
	return nil
}

// ValidateWorkspaceID accepts at least 5 lower-case letters and digits.
func ValidateWorkspaceID(id string) error {
	if len(id) > maxLabel {
		return FieldErrorf("id", "Ensure this field has no more than %d characters.", maxLabel)
	}
	ok := len(id) >= 5
	for i := 0; ok && i < len(id); i++ {
		ok = isLower(id[i]) || isDigit(id[i])
	}
	if !ok {
		return FieldErrorf("id", "App name %s", nameMessage)
	}
	return nil
}

// ValidatePtype checks the name of a process type; field is where it was given.
func ValidatePtype(field, name string) error {
	ok := name != ""
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		// A hyphen joins two words: never first, last or doubled.
		hyphen := c == '-' && i > 0 && i < len(name)-1 && name[i-1] != '-'
		ok = isLower(c) || isDigit(c) || hyphen
	}
	if !ok {
		return FieldErrorf(field, `Process types can only supports: ^(?P<type>[a-z0-9]+(\-[a-z0-9]+)*)$`)
	}
	if len(name) < 3 || len(name) > maxLabel {
		return FieldErrorf(field, "The length of ptype must be between 3 and 63")
	}
	return nil
}

// ValidateUsername accepts a lower-case letter followed by at least two
// lower-case letters or digits.
func ValidateUsername(name string) error {
	ok := len(name) >= 3 && len(name) <= maxLabel && isLower(name[0])
	for i := 0; ok && i < len(name); i++ {
		ok = isLower(name[i]) || isDigit(name[i])
	}
	if !ok {
		return FieldErrorf("username", "Enter a valid username: a lower-case letter, then at least 2 lower-case letters or digits.")
	}
	return nil
}

// NewAppID makes a name of 6 letters, a hyphen and 8 letters. It reads random
// bytes from r and returns r's error.
func NewAppID(r io.Reader) (string, error) {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	out := make([]byte, 0, 15)
	buf := make([]byte, 1)
	for len(out) < 15 {
		if len(out) == 6 {
			out = append(out, '-')
			continue
		}
		if _, err := io.ReadFull(r, buf); err != nil {
			return "", fmt.Errorf("app id: random: %w", err)
		}
		// 234 is the largest multiple of 26 in a byte: above it, letters would
		// not be equally likely.
		if buf[0] < 234 {
			out = append(out, letters[buf[0]%26])
		}
	}
	return string(out), nil
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool { return isLower(c) || isUpper(c) || isDigit(c) }
