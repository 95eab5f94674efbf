package control

import (
	"context"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// accounts is how people come to have accounts.
type accounts struct {
	mode      platform.RegistrationMode
	directory Directory
	signOn    SignOn
	mailer    Mailer
}

func newAccounts(o Options) (accounts, error) {
	mode, err := platform.ParseRegistrationMode(string(o.Registration))
	return accounts{mode: mode, directory: o.Directory, signOn: o.SignOn, mailer: o.Mailer}, err
}

// decoy is asked of the directory when its answer does not matter.
const decoy = "nobody-of-this-name"

// checkPassword finds out whether username and password belong together. It
// takes the same time whether the user exists or not, here or in the
// directory: everybody's password is compared with some hash, and the
// directory is asked in every case but that of a local user's right password.
// Users of this platform are never logged in by the directory's word, so a
// directory can't take over an account by having somebody of the same name.
func (c *Controller) checkPassword(ctx context.Context, username, password, remote string) (platform.User, error) {
	refused := platform.Errorf(platform.Unauthenticated, badLogin)
	username = strings.ToLower(strings.TrimSpace(username))
	if username == "" || password == "" || len(username) > maxSecret || len(password) > maxSecret {
		return platform.User{}, refused
	}
	if err := c.throttle.allow(username, remote); err != nil {
		return platform.User{}, err
	}
	u, ok, err := c.provePassword(ctx, username, password)
	if err != nil {
		c.throttle.pardon(username, remote) // nobody has judged it
		return platform.User{}, err
	}
	if !ok {
		return platform.User{}, refused
	}
	c.throttle.succeed(username, remote)
	if !u.IsActive {
		return platform.User{}, platform.Errorf(platform.Unauthenticated, inactive)
	}
	return u, nil
}

func (c *Controller) provePassword(ctx context.Context, username, password string) (platform.User, bool, error) {
	u, hash, err := c.store.FindUser(ctx, username)
	if err != nil && platform.CodeOf(err) != platform.NotFound {
		return platform.User{}, false, err
	}
	local := err == nil && u.Origin == platform.OriginLocal
	if !local {
		hash = ""
	}
	ok, err := c.identity.VerifyPassword(ctx, hash, password)
	if err != nil || ok || c.accounts.directory == nil {
		return u, ok, err
	}
	if local {
		// The time it takes is all that is wanted; an outage is not this user's.
		_, _, _ = c.accounts.directory.CheckPassword(ctx, decoy, decoy)
		return platform.User{}, false, nil
	}
	person, ok, err := c.accounts.directory.CheckPassword(ctx, username, password)
	if err != nil || !ok {
		return platform.User{}, false, err
	}
	u, err = c.admit(ctx, person)
	return u, err == nil, err
}

// admit finds the user whom a directory or provider vouches for, or makes one,
// and takes over what is known there today.
func (c *Controller) admit(ctx context.Context, p platform.Person) (platform.User, error) {
	p.Username = platform.ForeignUsername(p.Username)
	if p.Subject == "" || p.Username == "" {
		return platform.User{}, platform.Errorf(platform.Forbidden, "Your account has no user name that can be used here. Ask an administrator.")
	}
	u, err := c.store.FindPerson(ctx, p.Origin, p.Subject)
	if platform.CodeOf(err) != platform.NotFound {
		if err != nil {
			return platform.User{}, err
		}
		return c.refresh(ctx, u, p)
	}
	made, err := c.store.CreatePerson(ctx, p, c.now())
	if platform.CodeOf(err) != platform.Conflict {
		return made, err
	}
	// Either the same person was faster with another login, or the name is
	// somebody else's.
	if u, err := c.store.FindPerson(ctx, p.Origin, p.Subject); err == nil {
		return u, nil
	}
	return platform.User{}, platform.Errorf(platform.Forbidden,
		"The user name %s belongs to another account here. Ask an administrator to free it or to have yours renamed.", p.Username)
}

// refresh writes what has changed since the last login.
func (c *Controller) refresh(ctx context.Context, u platform.User, p platform.Person) (platform.User, error) {
	same := u.Email == p.Email && u.FirstName == p.FirstName && u.LastName == p.LastName && equalLists(u.Groups, p.Groups)
	if same {
		return u, nil
	}
	return c.store.UpdateUser(ctx, u.Username, platform.UserChange{
		Email: &p.Email, FirstName: &p.FirstName, LastName: &p.LastName, Groups: &p.Groups,
	}, c.now())
}

func equalLists(a, b []string) bool {
	return strings.Join(a, "\x00") == strings.Join(b, "\x00")
}

// PasswordChange is what ChangePassword needs.
type PasswordChange struct {
	Username string // whose; empty: the actor's own
	Old      string // not needed when an administrator changes another's
	New      string
}

// ChangePassword sets a password. Whoever changes their own has to know the
// old one; only administrators change another's. Tokens stay good.
func (c *Controller) ChangePassword(ctx context.Context, actor Actor, ch PasswordChange, remote string) error {
	name := actor.User.Username
	own := ch.Username == "" || ch.Username == name
	if !own {
		if err := superuser(actor); err != nil {
			return err
		}
		name = ch.Username
	}
	if err := platform.ValidatePassword("new_password", ch.New); err != nil {
		return err
	}
	u, hash, err := c.store.FindUser(ctx, name)
	if err != nil {
		return err
	}
	if u.Origin != platform.OriginLocal {
		return platform.Errorf(platform.Conflict, "The password of %s is kept in another system (%s): change it there.", name, u.Origin)
	}
	if own {
		if err := c.checkOld(ctx, name, hash, ch.Old, remote); err != nil {
			return err
		}
	}
	if hash, err = c.identity.HashPassword(ctx, ch.New); err != nil {
		return err
	}
	if err := c.store.SetPassword(ctx, name, hash); err != nil {
		return err
	}
	return c.logAccount(ctx, "user", "password", map[string]any{"username": name, "by": actor.User.Username})
}

// checkOld is as slow to guessers as a login: a stolen token must not be a way
// to try passwords.
func (c *Controller) checkOld(ctx context.Context, username, hash, old, remote string) error {
	if old == "" {
		return platform.FieldErrorf("password", "This field is required.")
	}
	if len(old) > maxSecret {
		return platform.Errorf(platform.Invalid, wrongOld)
	}
	if err := c.throttle.allow(username, remote); err != nil {
		return err
	}
	ok, err := c.identity.VerifyPassword(ctx, hash, old)
	if err != nil {
		c.throttle.pardon(username, remote)
		return err
	}
	if !ok {
		return platform.Errorf(platform.Invalid, wrongOld)
	}
	c.throttle.succeed(username, remote)
	return nil
}

const wrongOld = "Current password does not match"
