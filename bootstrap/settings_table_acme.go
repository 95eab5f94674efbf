package bootstrap

import (
	"path/filepath"
)

// acmeSettings say which public authority gives certificates. Names of the
// guide stand in its table.
func acmeSettings() []Setting {
	rows := []Setting{
		tunable(Setting{Name: "CERT_MANAGER_ENABLED", Key: "cert-manager-enabled", Default: "false",
			Meaning: "get certificates of a public authority for domains with automatic certificates; else they are signed by an authority of the platform's own. See certificates.md"},
			oneOf("true", "false")),
		tunable(Setting{Name: "ACME_SERVER", Key: "acme-server", Default: "Let's Encrypt",
			Meaning: "directory of the public authority; an app can have another"}, addressWith("https")),
		tunable(Setting{Name: "ACME_EAB_KEY_ID", Key: "acme-eab-key-id", Meaning: "key id of the external account there"}, anyText),
		tunable(Setting{Name: "ACME_EAB_KEY_SECRET", Secret: true,
			Meaning: "key of the external account, base64, kept in /etc/slipway/credentials"}, anyText),
	}
	for i := range rows {
		rows[i].Group = groupGuide
	}
	return append(rows,
		tunable(Setting{Name: "ACME_EMAIL", Key: "acme-email", Meaning: "where the authority writes about certificates; an app can have another"}, mailAddress),
		tunable(Setting{Name: "ACME_CA_FILE", Key: "acme-ca-file",
			Meaning: "PEM file of who signs the certificate of the authority's own server, for private ones"}, fileText),
		tunable(Setting{Name: "ACME_DNS_PROVIDER", Key: "acme-dns-provider",
			Meaning: "how DNS records are made that prove the platform's wildcard: rfc2136, webhook or exec; without it the platform's own names keep a certificate of its own authority"},
			oneOf("rfc2136", "webhook", "exec")),
		tunable(Setting{Name: "ACME_DNS_SERVER", Key: "acme-dns-server", Meaning: "rfc2136: primary server of the zone, host or host:port"}, anyText),
		tunable(Setting{Name: "ACME_DNS_TSIG_NAME", Key: "acme-dns-tsig-name", Meaning: "rfc2136: name of the key that signs updates"}, anyText),
		tunable(Setting{Name: "ACME_DNS_TSIG_ALGORITHM", Key: "acme-dns-tsig-algorithm", Default: "hmac-sha256", Meaning: "rfc2136: its algorithm"},
			oneOf("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")),
		tunable(Setting{Name: "ACME_DNS_TSIG_SECRET", Secret: true, Meaning: "rfc2136: that key, base64, kept in /etc/slipway/credentials"}, anyText),
		tunable(Setting{Name: "ACME_DNS_WEBHOOK_URL", Key: "acme-dns-webhook-url",
			Meaning: "webhook: address that makes and removes a record, see certificates.md"}, addressWith("https", "http")),
		tunable(Setting{Name: "ACME_DNS_WEBHOOK_TOKEN", Secret: true,
			Meaning: "webhook: token that it gets as Bearer, kept in /etc/slipway/credentials"}, anyText),
		tunable(Setting{Name: "ACME_DNS_EXEC", Key: "acme-dns-exec",
			Meaning: "exec: program on the host that makes and removes a record, see certificates.md"}, fileText),
		tunable(Setting{Name: "ACME_DNS_EXEC_SECRET", Secret: true,
			Meaning: "exec: what it gets as ACME_DNS_SECRET in its environment, kept in /etc/slipway/credentials"}, anyText),
		tunable(Setting{Name: "ACME_DNS_RESOLVERS", Key: "acme-dns-resolvers", Default: "rfc2136: the server; else those of the host",
			Meaning: "name servers that are asked for the zone and whether the record is there, with commas between"}, anyText),
	)
}

func fileText(v string) (string, string) {
	if !filepath.IsAbs(v) {
		return "is no path of a file", "give the whole path, from / on"
	}
	return anyText(v)
}
