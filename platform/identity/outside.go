package identity

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/identity/ldap"
	"github.com/slipway-paas/slipway/platform/identity/mail"
	"github.com/slipway-paas/slipway/platform/identity/oidc"
)

// Directory checks passwords of users who are kept elsewhere.
type Directory interface {
	CheckPassword(ctx context.Context, username, password string) (platform.Person, bool, error)
}

// SignOn sends browsers to an identity provider.
type SignOn interface {
	Name() string
	Begin(ctx context.Context, state, redirect string) (url, secret string, err error)
	Finish(ctx context.Context, code, redirect, secret string) (platform.Person, error)
	Verify(ctx context.Context, idToken string) (platform.Person, error)
}

// Mailer sends mail.
type Mailer interface {
	Send(ctx context.Context, to, subject, text string) error
}

// Outside is who else knows about users. What is not set up is nil.
type Outside struct {
	Directory Directory
	SignOn    SignOn
	Mailer    Mailer
}

// OutsideOptions are the settings. Without Endpoint, Issuer and Host that part
// is not set up.
type OutsideOptions struct {
	LDAP ldap.Options
	OIDC oidc.Options
	SMTP mail.Options
}

// NewOutside checks the settings of all parts and connects to none.
func NewOutside(o OutsideOptions) (Outside, error) {
	var out Outside
	if o.LDAP.Endpoint != "" {
		directory, err := ldap.New(o.LDAP)
		if err != nil {
			return Outside{}, err
		}
		out.Directory = directory
	}
	if o.OIDC.Issuer != "" {
		provider, err := oidc.New(o.OIDC)
		if err != nil {
			return Outside{}, err
		}
		out.SignOn = provider
	}
	if o.SMTP.Host != "" {
		sender, err := mail.New(o.SMTP)
		if err != nil {
			return Outside{}, err
		}
		out.Mailer = sender
	}
	return out, nil
}
