package control

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// NewUser is what Register needs; the names may be empty.
type NewUser struct {
	Username, Password, Email, FirstName, LastName string
}

// registerAllowance is how many accounts may be made from one address in an
// hour before it gets slow.
const registerAllowance = 20

// Register makes an account. Who may depends on the registration mode; actor
// is empty for somebody without a token. The first user of all becomes an
// administrator.
func (c *Controller) Register(ctx context.Context, actor Actor, n NewUser, remote string) (platform.User, error) {
	unlock, err := c.records.lock(ctx, adminsLock)
	if err != nil {
		return platform.User{}, err
	}
	defer unlock()
	first, err := c.mayRegister(ctx, actor)
	if err != nil {
		return platform.User{}, err
	}
	if err := checkNewUser(n); err != nil {
		return platform.User{}, err
	}
	if _, _, err := c.store.FindUser(ctx, n.Username); platform.CodeOf(err) != platform.NotFound {
		if err != nil {
			return platform.User{}, err
		}
		return platform.User{}, platform.FieldErrorf("username", "A user with that username already exists.")
	}
	if !actor.User.IsSuperuser {
		if err := c.throttle.attempt(counter{"new\x00" + network(remote), registerAllowance}); err != nil {
			return platform.User{}, err
		}
	}
	hash, err := c.identity.HashPassword(ctx, n.Password)
	if err != nil {
		return platform.User{}, err
	}
	u, err := c.store.CreateUser(ctx, platform.User{
		Username: n.Username, Email: n.Email, FirstName: n.FirstName, LastName: n.LastName,
		IsSuperuser: first, IsStaff: first, IsActive: true, DateJoined: c.now(),
	}, hash)
	if err != nil {
		return platform.User{}, err
	}
	// A login would make the workspace too; an invitation may come before it.
	if _, err := c.ownWorkspace(ctx, u); err != nil {
		return platform.User{}, err
	}
	return u, c.logAccount(ctx, "user", "create", map[string]any{"username": u.Username, "by": actor.User.Username})
}

// adminsLock is held while accounts are made or administrators change, so that
// there is always one and never two firsts.
const adminsLock = "admins\x00"

// mayRegister reports whether the account to be made is the first.
func (c *Controller) mayRegister(ctx context.Context, actor Actor) (first bool, err error) {
	if c.accounts.mode == platform.RegistrationDisabled {
		return false, platform.Errorf(platform.Forbidden, "Registration is disabled.")
	}
	_, total, err := c.store.ListUsers(ctx, UserFilter{}, Page{Limit: 1})
	if err != nil || total == 0 {
		return total == 0, err
	}
	if c.accounts.mode == platform.RegistrationEnabled || actor.User.IsSuperuser {
		return false, nil
	}
	if actor.User.Username == "" {
		return false, platform.Errorf(platform.Unauthenticated, anonymous)
	}
	return false, denied()
}

func checkNewUser(n NewUser) error {
	for _, f := range []struct{ name, value string }{{"username", n.Username}, {"password", n.Password}, {"email", n.Email}} {
		if f.value == "" {
			return platform.FieldErrorf(f.name, "This field is required.")
		}
	}
	for _, err := range []error{
		platform.ValidateUsername(n.Username), platform.ValidatePassword("password", n.Password), platform.ValidateEmail("email", n.Email),
		platform.ValidateFullName("first_name", n.FirstName), platform.ValidateFullName("last_name", n.LastName),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func superuser(actor Actor) error {
	if !actor.User.IsSuperuser {
		return denied()
	}
	return nil
}

// ListUsers lists everybody, for administrators.
func (c *Controller) ListUsers(ctx context.Context, actor Actor, p Page) ([]platform.User, int, error) {
	if err := superuser(actor); err != nil {
		return nil, 0, err
	}
	return c.store.ListUsers(ctx, UserFilter{}, p)
}

// ListAdmins lists the administrators, for administrators.
func (c *Controller) ListAdmins(ctx context.Context, actor Actor, p Page) ([]platform.User, int, error) {
	if err := superuser(actor); err != nil {
		return nil, 0, err
	}
	return c.store.ListUsers(ctx, UserFilter{Superusers: true}, p)
}

// SetAdmin makes somebody an administrator, or an administrator none. One has
// to stay. It is a Conflict when nothing changes.
func (c *Controller) SetAdmin(ctx context.Context, actor Actor, username string, on bool) error {
	return c.changeUser(ctx, actor, username, func(u platform.User) (platform.UserChange, error) {
		switch {
		case u.IsSuperuser == on && on:
			return platform.UserChange{}, platform.Errorf(platform.Conflict, "%s is an administrator already.", username)
		case u.IsSuperuser == on:
			return platform.UserChange{}, platform.Errorf(platform.Conflict, "%s is no administrator.", username)
		}
		return platform.UserChange{IsSuperuser: &on}, nil
	})
}

// SetActive lets a user in again, or keeps them out at once with all their
// tokens. It is a Conflict when nothing changes.
func (c *Controller) SetActive(ctx context.Context, actor Actor, username string, on bool) error {
	return c.changeUser(ctx, actor, username, func(u platform.User) (platform.UserChange, error) {
		if u.IsActive == on {
			state := "disabled"
			if on {
				state = "enabled"
			}
			return platform.UserChange{}, platform.Errorf(platform.Conflict, "%s is %s already.", username, state)
		}
		return platform.UserChange{IsActive: &on}, nil
	})
}

// changeUser is a change by an administrator that may not leave the platform
// without one who can log in.
func (c *Controller) changeUser(ctx context.Context, actor Actor, username string, decide func(platform.User) (platform.UserChange, error)) error {
	if err := superuser(actor); err != nil {
		return err
	}
	if username == "" {
		return platform.FieldErrorf("username", "This field is required.")
	}
	unlock, err := c.records.lock(ctx, adminsLock)
	if err != nil {
		return err
	}
	defer unlock()
	u, _, err := c.store.FindUser(ctx, username)
	if err != nil {
		return err
	}
	ch, err := decide(u)
	if err != nil {
		return err
	}
	if off(ch.IsSuperuser) || off(ch.IsActive) {
		if err := c.keepAdmin(ctx, u); err != nil {
			return err
		}
	}
	_, err = c.store.UpdateUser(ctx, username, ch, c.now())
	return err
}

func off(b *bool) bool { return b != nil && !*b }

// keepAdmin refuses when u is the last administrator who can log in. The
// caller holds adminsLock.
func (c *Controller) keepAdmin(ctx context.Context, u platform.User) error {
	if !u.IsSuperuser || !u.IsActive {
		return nil
	}
	_, total, err := c.store.ListUsers(ctx, UserFilter{Superusers: true, Active: true}, Page{Limit: 1})
	if err != nil || total > 1 {
		return err
	}
	return platform.Errorf(platform.Conflict, "%s is the last administrator: make another user one first.", u.Username)
}

// CancelUser deletes an account with its tokens and memberships: the actor's
// own when username is empty, another's for administrators. It refuses while
// that would leave apps or people without an admin.
func (c *Controller) CancelUser(ctx context.Context, actor Actor, username string) error {
	if username == "" {
		username = actor.User.Username
	}
	if username != actor.User.Username {
		if err := superuser(actor); err != nil {
			return err
		}
	}
	unlock, err := c.records.lock(ctx, adminsLock)
	if err != nil {
		return err
	}
	defer unlock()
	u, _, err := c.store.FindUser(ctx, username)
	if err != nil {
		return err
	}
	if err := c.keepAdmin(ctx, u); err != nil {
		return err
	}
	soles, err := c.store.ListSole(ctx, username)
	if err != nil {
		return err
	}
	for _, s := range soles {
		if s.Apps > 0 || s.Members > 1 {
			return platform.Errorf(platform.Conflict, "%s", soleMessage(username, s))
		}
	}
	return c.store.DeleteUser(ctx, username, c.now())
}

func soleMessage(username string, s platform.Sole) string {
	var has, cure []string
	if s.Apps > 0 {
		has = append(has, count(s.Apps, "app"))
		cure = append(cure, "destroy the apps or transfer them to another workspace (drycc apps transfer)")
	}
	if s.Members > 1 {
		has = append(has, count(s.Members-1, "other member"))
		cure = append(cure, "make another member admin (drycc workspaces update)")
	}
	return fmt.Sprintf("%s is the only admin of the workspace %s, which has %s: %s first.",
		username, s.Workspace, strings.Join(has, " and "), strings.Join(cure, ", or "))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// logAccount appends an event that belongs to no app.
func (c *Controller) logAccount(ctx context.Context, object, action string, data map[string]any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	_, err = c.store.AppendEvent(ctx, Event{Object: object, Action: action, Data: text, Created: c.now()})
	return err
}
