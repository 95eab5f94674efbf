package bootstrap

import (
	"net/mail"
	"net/url"
	"strings"
)

// identitySettings say who else knows about users: a directory, an identity
// provider, a mail host.
func identitySettings() []Setting {
	rows := []Setting{
		tunable(Setting{Name: "REGISTRATION_MODE", Key: "registration-mode", Default: "admin_only",
			Meaning: "who may make accounts: enabled, anybody; admin_only, administrators; disabled, nobody"},
			oneOf("enabled", "disabled", "admin_only")),
	}
	rows = append(rows, ldapSettings()...)
	rows = append(rows, oidcSettings()...)
	return append(rows, smtpSettings()...)
}

func ldapSettings() []Setting {
	return []Setting{
		tunable(Setting{Name: "LDAP_ENDPOINT", Key: "ldap-endpoint",
			Meaning: "directory that passwords are checked with: ldap://host, ldaps://host or ldapi:///socket"}, addressWith("ldap", "ldaps", "ldapi")),
		tunable(Setting{Name: "LDAP_BIND_DN", Key: "ldap-bind-dn", Meaning: "who searches the directory; without it anybody may"}, anyText),
		tunable(Setting{Name: "LDAP_BIND_PASSWORD", Secret: true, Meaning: "the password of that, kept in /etc/slipway/credentials"}, anyText),
		tunable(Setting{Name: "LDAP_USER_BASEDN", Key: "ldap-user-basedn", Meaning: "where users are"}, anyText),
		tunable(Setting{Name: "LDAP_USER_FILTER", Key: "ldap-user-filter", Default: "username",
			Meaning: "attribute of the login name, or a filter in which %s stands for it"}, anyText),
		tunable(Setting{Name: "LDAP_GROUP_BASEDN", Key: "ldap-group-basedn", Meaning: "where groups are"}, anyText),
		tunable(Setting{Name: "LDAP_GROUP_FILTER", Key: "ldap-group-filter", Meaning: "which groups count"}, anyText),
		tunable(Setting{Name: "LDAP_START_TLS", Key: "ldap-start-tls", Default: "false",
			Meaning: "encrypt an ldap:// connection"}, oneOf("true", "false")),
		tunable(Setting{Name: "LDAP_CA_FILE", Key: "ldap-ca-file", Meaning: "PEM file of who signs the directory's certificate"}, anyText),
	}
}

func oidcSettings() []Setting {
	return []Setting{
		tunable(Setting{Name: "OIDC_ISSUER", Key: "oidc-issuer",
			Meaning: "OpenID Connect provider that the login page offers"}, addressWith("https", "http")),
		tunable(Setting{Name: "OIDC_CLIENT_ID", Key: "oidc-client-id", Meaning: "what the platform is called there"}, anyText),
		tunable(Setting{Name: "OIDC_CLIENT_SECRET", Secret: true, Meaning: "its secret, kept in /etc/slipway/credentials"}, anyText),
		tunable(Setting{Name: "OIDC_NAME", Key: "oidc-name", Default: "the issuer's host", Meaning: "the provider's name on the login page"}, anyText),
		tunable(Setting{Name: "OIDC_SCOPES", Key: "oidc-scopes", Default: "openid profile email",
			Meaning: "what is asked for, with spaces between"}, anyText),
		tunable(Setting{Name: "OIDC_USERNAME_CLAIM", Key: "oidc-username-claim", Default: "preferred_username",
			Meaning: "claim that is the user name"}, anyText),
	}
}

func smtpSettings() []Setting {
	return []Setting{
		tunable(Setting{Name: "SMTP_HOST", Key: "smtp-host",
			Meaning: "mail host for invitations; without one they are accepted at once"}, anyText),
		tunable(Setting{Name: "SMTP_PORT", Key: "smtp-port", Default: "by SMTP_SECURITY", Meaning: "its port"}, wholeBetween(1, 65535)),
		tunable(Setting{Name: "SMTP_SECURITY", Key: "smtp-security", Default: "starttls",
			Meaning: "how the connection is encrypted"}, oneOf("starttls", "tls", "none")),
		tunable(Setting{Name: "SMTP_USERNAME", Key: "smtp-username", Meaning: "who sends; empty: no login"}, anyText),
		tunable(Setting{Name: "SMTP_PASSWORD", Secret: true, Meaning: "the password of that, kept in /etc/slipway/credentials"}, anyText),
		tunable(Setting{Name: "SMTP_FROM", Key: "smtp-from", Meaning: "sender of the mail: Slipway <noreply@example.com>"}, mailAddress),
		tunable(Setting{Name: "SMTP_CA_FILE", Key: "smtp-ca-file", Meaning: "PEM file of who signs the mail host's certificate"}, anyText),
	}
}

func addressWith(schemes ...string) func(v string) (string, string) {
	return func(v string) (string, string) {
		u, err := url.Parse(v)
		if err == nil && (u.Host != "" || u.Scheme == "ldapi" && u.Path != "") && u.User == nil {
			for _, s := range schemes {
				if u.Scheme == s {
					return "", ""
				}
			}
		}
		return "is no address of that kind", "begin with " + strings.Join(schemes, ":// or ") + ":// and a host, without user name"
	}
}

func mailAddress(v string) (string, string) {
	if _, err := mail.ParseAddress(v); err != nil {
		return "is no mail address", "write noreply@example.com or Slipway <noreply@example.com>"
	}
	return "", ""
}
