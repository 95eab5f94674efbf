package platform

import (
	"net/mail"
	"strings"
	"time"
)

// Where users come from. Users of this platform have a password here; the
// others are known elsewhere, and only there can they prove who they are.
const (
	OriginLocal = ""
	OriginLDAP  = "ldap"
	OriginOIDC  = "oidc"
)

// Person is somebody whom a directory or an identity provider vouches for.
type Person struct {
	Origin    string // OriginLDAP or OriginOIDC
	Subject   string // who it is there, for ever; unique with Origin
	Username  string // the name wanted here
	Email     string
	FirstName string
	LastName  string
	Groups    []string
}

// UserChange holds what to change of a user; nil fields stay.
type UserChange struct {
	Email       *string
	FirstName   *string
	LastName    *string
	Groups      *[]string
	IsSuperuser *bool // staff goes with it
	IsActive    *bool
}

// WorkspaceMember is a user in a workspace.
type WorkspaceMember struct {
	ID        int64
	Workspace string
	Username  string
	Email     string
	Role      Role
	Alerts    bool // wants mail about what happens in the workspace
	Created   time.Time
	Updated   time.Time
}

// Invitation asks the owner of a mail address to join a workspace.
type Invitation struct {
	ID        int64
	Workspace string
	Email     string
	Token     string // whoever has it may accept in the address's name
	Inviter   string
	Accepted  bool // the invited agreed, or nobody had to be asked
	Joined    bool // and became a member
	Created   time.Time
}

// Grant lets a user into one app of a workspace that is not theirs.
type Grant struct {
	Username string
	Role     Role
}

// Sole is a workspace that would be without admin if its only one left.
type Sole struct {
	Workspace string
	Members   int // with the admin
	Apps      int
}

// String names the role as users do; empty for none.
func (r Role) String() string {
	switch r {
	case Viewer:
		return "viewer"
	case Member:
		return "member"
	case Admin:
		return "admin"
	}
	return ""
}

// ParseRole reads the name of a role; field is where it was given.
func ParseRole(field, name string) (Role, error) {
	for _, r := range []Role{Viewer, Member, Admin} {
		if r.String() == name {
			return r, nil
		}
	}
	return NoRole, FieldErrorf(field, "%q is not a valid choice: viewer, member or admin.", name)
}

// RegistrationMode says who may make accounts.
type RegistrationMode string

// The modes. In any but RegistrationDisabled the first user of a platform
// without users may register, and becomes its administrator.
const (
	RegistrationEnabled   RegistrationMode = "enabled"    // anybody
	RegistrationDisabled  RegistrationMode = "disabled"   // nobody
	RegistrationAdminOnly RegistrationMode = "admin_only" // administrators, for others
)

// ParseRegistrationMode reads a mode; empty is RegistrationAdminOnly.
func ParseRegistrationMode(s string) (RegistrationMode, error) {
	switch m := RegistrationMode(s); m {
	case "":
		return RegistrationAdminOnly, nil
	case RegistrationEnabled, RegistrationDisabled, RegistrationAdminOnly:
		return m, nil
	}
	return "", Errorf(Invalid, "REGISTRATION_MODE is %q: use enabled, disabled or admin_only.", s)
}

const (
	maxEmail    = 254
	maxPassword = 512
	maxFullName = 150
)

// ValidateEmail accepts one plain mail address of at most 254 characters.
func ValidateEmail(field, address string) error {
	parsed, err := mail.ParseAddress(address)
	_, host, _ := strings.Cut(address, "@")
	if err != nil || parsed.Address != address || len(address) > maxEmail || strings.ContainsAny(address, " \"<>\r\n") ||
		!strings.Contains(host, ".") || strings.HasPrefix(host, "[") {
		return FieldErrorf(field, "Enter a valid email address.")
	}
	return nil
}

// ValidatePassword refuses what can't be a password: nothing but blanks, and
// more than 512 bytes, which would only keep the processor busy.
func ValidatePassword(field, password string) error {
	if strings.TrimSpace(password) == "" {
		return FieldErrorf(field, "This field may not be blank.")
	}
	if len(password) > maxPassword {
		return FieldErrorf(field, "Ensure this field has no more than %d characters.", maxPassword)
	}
	return nil
}

// ValidateFullName checks a first or last name.
func ValidateFullName(field, name string) error {
	if len(name) > maxFullName {
		return FieldErrorf(field, "Ensure this field has no more than %d characters.", maxFullName)
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return FieldErrorf(field, "Control characters are not allowed.")
	}
	return nil
}

// ForeignUsername makes the name that a directory knows somebody by fit for
// here: lower case, without what has no place in an address. Empty when
// nothing is left, or when the name is too long.
func ForeignUsername(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_', r == '-', r == '@', r == '+':
			return r
		}
		return -1
	}, strings.ToLower(strings.TrimSpace(name)))
	name = strings.TrimLeft(name, ".-_@+")
	if len(name) > maxFullName {
		return ""
	}
	return name
}
