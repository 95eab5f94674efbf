package edge_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/edge"
)

func parse(set map[string]string) (edge.ACMESettings, error) {
	set["CERT_MANAGER_ENABLED"] = "true"
	return edge.ParseACME(func(name string) string { return set[name] }, func(string) ([]byte, error) { return nil, errors.New("no such file") })
}

func TestParseACME(t *testing.T) {
	off, err := edge.ParseACME(func(string) string { return "" }, nil)
	require.NoError(t, err)
	require.False(t, off.Enabled)

	s, err := parse(map[string]string{"ACME_DNS_PROVIDER": "rfc2136", "ACME_DNS_SERVER": "ns1.example.com", "ACME_DNS_TSIG_NAME": "k", "ACME_DNS_TSIG_SECRET": "s"})
	require.NoError(t, err)
	require.Equal(t, "https://acme-v02.api.letsencrypt.org/directory", s.Server)
	require.Equal(t, "ns1.example.com:53", s.DNS.Server)
	require.Equal(t, "hmac-sha256", s.DNS.KeyAlgorithm)
	require.Equal(t, []string{"ns1.example.com:53"}, s.DNS.Resolvers)
	s, err = parse(map[string]string{"ACME_DNS_PROVIDER": "webhook", "ACME_DNS_WEBHOOK_URL": "http://127.0.0.1:1/", "ACME_DNS_RESOLVERS": "[2001:db8::1]:5353, 192.0.2.1"})
	require.NoError(t, err)
	require.Equal(t, []string{"[2001:db8::1]:5353", "192.0.2.1:53"}, s.DNS.Resolvers)

	for says, set := range map[string]map[string]string{
		"belong together":                    {"ACME_EAB_KEY_ID": "kid"},
		"no such file":                       {"ACME_CA_FILE": "/nowhere"},
		"rfc2136 needs ACME_DNS_SERVER":      {"ACME_DNS_PROVIDER": "rfc2136"},
		"exec needs ACME_DNS_EXEC":           {"ACME_DNS_PROVIDER": "exec"},
		"webhook needs ACME_DNS_WEBHOOK_URL": {"ACME_DNS_PROVIDER": "webhook"},
		"is not known":                       {"ACME_DNS_PROVIDER": "other"},
	} {
		_, err := parse(set)
		require.ErrorContains(t, err, says)
	}
}
