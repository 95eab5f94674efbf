package drycc

import (
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// memberWire is a user in a workspace.
type memberWire struct {
	ID        int64  `json:"id"`
	User      string `json:"user"`
	Email     string `json:"email"`
	Role      string `json:"role"`
	Alerts    bool   `json:"alerts"`
	Workspace string `json:"workspace"`
	Created   stamp  `json:"created"`
	Updated   stamp  `json:"updated"`
}

func toMember(m platform.WorkspaceMember) memberWire {
	return memberWire{m.ID, m.Username, m.Email, m.Role.String(), m.Alerts, m.Workspace, stamp(m.Created), stamp(m.Updated)}
}

// invitationWire is an invitation into a workspace.
type invitationWire struct {
	ID        int64  `json:"id"`
	Email     string `json:"email"`
	Token     string `json:"token"`
	Inviter   string `json:"inviter"`
	Accepted  bool   `json:"accepted"`
	Workspace string `json:"workspace"`
	Created   stamp  `json:"created"`
}

func toInvitation(i platform.Invitation) invitationWire {
	return invitationWire{i.ID, i.Email, i.Token, i.Inviter, i.Accepted, i.Workspace, stamp(i.Created)}
}

// acceptedWire is the answer to who accepts an invitation.
type acceptedWire struct {
	WorkspaceID string `json:"workspace_id"`
	UserExists  bool   `json:"user_exists"`
	RegisterURL string `json:"register_url"`
}

// adminWire is an administrator in a list of them.
type adminWire struct {
	Username    string `json:"username"`
	IsSuperuser bool   `json:"is_superuser"`
}

func toAdmin(u platform.User) adminWire { return adminWire{u.Username, u.IsSuperuser} }

// switched is true or false, which may also come as a string.
type switched bool

// UnmarshalJSON reads true, false, "true" and "false".
func (s *switched) UnmarshalJSON(data []byte) error {
	switch strings.Trim(string(data), `"`) {
	case "true":
		*s = true
	case "false":
		*s = false
	default:
		return &valueError{"Must be a valid boolean."}
	}
	return nil
}

// grantRole reads "view,change,delete" as the role that includes it all. The
// guide's requests name none and mean what members may.
func grantRole(permissions string) (platform.Role, error) {
	if permissions == "" {
		return platform.Member, nil
	}
	role := platform.NoRole
	for _, p := range split(permissions) {
		switch p {
		case "view":
			role = max(role, platform.Viewer)
		case "change":
			role = max(role, platform.Member)
		case "delete":
			role = max(role, platform.Admin)
		default:
			return role, platform.FieldErrorf("permissions", "%q is not a permission: view, change or delete.", p)
		}
	}
	if role == platform.NoRole {
		return role, platform.FieldErrorf("permissions", "Name at least one of view, change and delete.")
	}
	return role, nil
}
