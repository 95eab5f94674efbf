package identity

import (
	"strconv"
	"strings"

	"github.com/slipway-paas/slipway/platform/identity/ldap"
	"github.com/slipway-paas/slipway/platform/identity/mail"
	"github.com/slipway-paas/slipway/platform/identity/oidc"
)

// ParseOutside reads the settings of directory, identity provider and mail
// host by their names, LDAP_…, OIDC_… and SMTP_…; get returns an empty string
// for what is not set.
func ParseOutside(get func(name string) string) OutsideOptions {
	port, _ := strconv.Atoi(get("SMTP_PORT")) // 0, the default, when it is not set
	return OutsideOptions{
		LDAP: ldap.Options{
			Endpoint: get("LDAP_ENDPOINT"), BindDN: get("LDAP_BIND_DN"), BindPassword: get("LDAP_BIND_PASSWORD"),
			UserBase: get("LDAP_USER_BASEDN"), UserFilter: get("LDAP_USER_FILTER"),
			GroupBase: get("LDAP_GROUP_BASEDN"), GroupFilter: get("LDAP_GROUP_FILTER"),
			StartTLS: get("LDAP_START_TLS") == "true", CAFile: get("LDAP_CA_FILE"),
		},
		OIDC: oidc.Options{
			Issuer: get("OIDC_ISSUER"), ClientID: get("OIDC_CLIENT_ID"), ClientSecret: get("OIDC_CLIENT_SECRET"),
			Name: get("OIDC_NAME"), Scopes: strings.Fields(get("OIDC_SCOPES")), UsernameClaim: get("OIDC_USERNAME_CLAIM"),
		},
		SMTP: mail.Options{
			Host: get("SMTP_HOST"), Port: port, Security: mail.Security(get("SMTP_SECURITY")),
			Username: get("SMTP_USERNAME"), Password: get("SMTP_PASSWORD"), From: get("SMTP_FROM"), CAFile: get("SMTP_CA_FILE"),
		},
	}
}
