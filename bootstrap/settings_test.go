package bootstrap

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/slipway-paas/slipway/bootstrap/host/hosttest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file, or rewrites the file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run the test with -update if this is meant")
}

// guideNames are the names in the table of the Drycc installation guide.
const guideNames = `PLATFORM_DOMAIN DRYCC_ADMIN_USERNAME DRYCC_ADMIN_PASSWORD CERT_MANAGER_ENABLED CHANNEL
KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT METALLB_CONFIG_FILE LONGHORN_CONFIG_FILE INSTALL_DRYCC_MIRROR
BUILDER_REPLICAS CONTROLLER_API_REPLICAS CONTROLLER_CELERY_REPLICAS CONTROLLER_METRIC_REPLICAS CONTROLLER_MUTATE_REPLICAS
CONTROLLER_WEBHOOK_REPLICAS CONTROLLER_APP_RUNTIME_CLASS CONTROLLER_APP_GATEWAY_CLASS CONTROLLER_APP_STORAGE_CLASS
VALKEY_PERSISTENCE_SIZE VALKEY_PERSISTENCE_STORAGE_CLASS STORAGE_PERSISTENCE_SIZE STORAGE_PERSISTENCE_STORAGE_CLASS
MONITOR_GRAFANA_PERSISTENCE_SIZE MONITOR_GRAFANA_PERSISTENCE_STORAGE_CLASS DATABASE_PERSISTENCE_SIZE
DATABASE_PERSISTENCE_STORAGE_CLASS TIMESERIES_REPLICAS TIMESERIES_PERSISTENCE_SIZE TIMESERIES_PERSISTENCE_STORAGE_CLASS
PASSPORT_REPLICAS REGISTRY_REPLICAS HELMBROKER_API_REPLICAS HELMBROKER_CELERY_REPLICAS HELMBROKER_PERSISTENCE_SIZE
HELMBROKER_PERSISTENCE_STORAGE_CLASS VICTORIAMETRICS_CONFIG_FILE VICTORIAMETRICS_VMAGENT_PERSISTENCE_SIZE
VICTORIAMETRICS_VMAGENT_PERSISTENCE_STORAGE_CLASS VICTORIAMETRICS_VMSTORAGE_PERSISTENCE_SIZE
VICTORIAMETRICS_VMSTORAGE_PERSISTENCE_STORAGE_CLASS K3S_DATA_DIR ACME_SERVER ACME_EAB_KEY_ID ACME_EAB_KEY_SECRET`

func TestSettingsTable(t *testing.T) {
	rows := map[string]Setting{}
	keys := map[string]string{}
	for _, row := range SettingsTable() {
		assert.NotContains(t, rows, row.Name, "a name has one row")
		rows[row.Name] = row
		assert.NotEmpty(t, row.Meaning, row.Name)
		assert.Contains(t, []Verdict{Honoured, Mapped, Refused}, row.Verdict, row.Name)
		if row.Verdict != Honoured {
			assert.NotEmpty(t, row.Effect, "%s says what it does, or why it does nothing", row.Name)
		}
		assert.Equal(t, row.Verdict == Refused, row.apply == nil && row.Verdict == Refused, row.Name)
		if row.Key != "" {
			assert.Empty(t, keys[row.Key], "%s and %s share a key", row.Name, keys[row.Key])
			keys[row.Key] = row.Name
			assert.False(t, row.Secret, "%s is secret and would be in config.yaml", row.Name)
			assert.NotNil(t, row.show, "%s could not be kept", row.Name)
		}
	}
	names := strings.Fields(guideNames)
	require.Len(t, names, 45)
	for _, name := range names {
		assert.Equal(t, groupGuide, rows[name].Group, name)
	}
	inGroup := 0
	for _, row := range rows {
		if row.Group == groupGuide {
			inGroup++
		}
	}
	assert.Equal(t, 45, inGroup)
}

func TestSettingsMarkdown(t *testing.T) {
	golden(t, filepath.Join("..", "docs", "settings.md"), SettingsMarkdown())
}

func TestLoadDefaults(t *testing.T) {
	s, warnings, err := Load(Input{})
	require.NoError(t, err)
	assert.Empty(t, warnings)
	assert.Equal(t, DefaultSettings(), s)
	assert.Equal(t, "10.43.0.20", s.RegistryIP().String())
	assert.Equal(t, "10.43.0.10", s.ClusterDNS().String())
}

func TestLoadPrecedence(t *testing.T) {
	in := Input{
		Config:  []byte("domain: file.example.com\nadmin-username: fromfile\ndata-dir: /data/file\n"),
		Environ: []string{"PLATFORM_DOMAIN=env.example.com", "DRYCC_ADMIN_USERNAME=fromenv", "HOME=/root"},
		Flags:   map[string]string{"PLATFORM_DOMAIN": "flag.example.com"},
	}
	s, _, err := Load(in)
	require.NoError(t, err)
	assert.Equal(t, "flag.example.com", s.Domain)
	assert.Equal(t, "fromenv", s.AdminUsername)
	assert.Equal(t, "/data/file", s.DataDir)
}

func TestLoadWarnings(t *testing.T) {
	_, warnings, err := Load(Input{Environ: []string{
		"BUILDER_REPLICAS=3", "CONTROLLER_API_REPLICAS=1", "CERT_MANAGER_ENABLED=true", "ACME_SERVER=https://acme.example.com/dir", "CONTROLLER_APP_RUNTIME_CLASS=kata",
		"VALKEY_PERSISTENCE_SIZE=5Gi", "K3S_URLL=https://typo", "DRYCC_ADMIN_PASWORD=typo-secret", "PATH=/bin", "CHANNEL=stable", "METALLB_CONFIG_FILE="}})
	require.NoError(t, err)
	text := strings.Join(warnings, "\n")
	for _, want := range []string{"BUILDER_REPLICAS has no effect: ", "CONTROLLER_APP_RUNTIME_CLASS has no effect: ",
		"VALKEY_PERSISTENCE_SIZE has no effect: there is no Valkey", "K3S_URLL is not a setting", "DRYCC_ADMIN_PASWORD is not a setting"} {
		assert.Contains(t, text, want)
	}
	assert.Len(t, warnings, 5, text)
	assert.NotContains(t, text, "typo-secret")
}

// TestEveryRefusedNameWarns sets each name to a value that asks for something.
func TestEveryRefusedNameWarns(t *testing.T) {
	for _, row := range SettingsTable() {
		if row.Verdict != Refused {
			continue
		}
		_, warnings, err := Load(Input{Environ: []string{row.Name + "=something"}})
		require.NoError(t, err)
		assert.Equal(t, []string{row.Name + " has no effect: " + row.Effect}, warnings)
	}
}

func TestLoadRefusesBadValues(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"PLATFORM_DOMAIN", "192.168.1.10", "use a name such as 192.168.1.10.nip.io"},
		{"PLATFORM_DOMAIN", "https://apps.example.com", "leave out the scheme"},
		{"PLATFORM_DOMAIN", "*.example.com", "give the name without it: example.com"},
		{"PLATFORM_DOMAIN", "localhost", "give a name with a dot"},
		{"PLATFORM_DOMAIN", "under_score.example.com", `is not a DNS name ("under_score")`},
		{"PLATFORM_DOMAIN", "-a.example.com", "is not a DNS name"},
		{"PLATFORM_DOMAIN", "a..example.com", "is not a DNS name"},
		{"PLATFORM_DOMAIN", strings.Repeat("a.", 100) + "com", "is too long"},
		{"PLATFORM_DOMAIN", "exa mple.com", "is not a DNS name"},
		{"DRYCC_ADMIN_USERNAME", "a b", "is not a user name"},
		{"DRYCC_ADMIN_PASSWORD", "short", "use at least 8 characters"},
		{"DRYCC_DEPLOY_HOOK_URLS", "http://fine.example.com,drycc.rocks", "http://host/path"},
		{"DRYCC_DEPLOY_HOOK_URLS", "https://u:pw@host/", "without user name"},
		{"DRYCC_THROTTLE_ANON", "30", "such as 600/min"},
		{"CLUSTER_CIDR", "10.42.0.0", "write it as 10.42.0.0/16"},
		{"CLUSTER_CIDR", "10.42.1.0/16", "write it as 10.42.0.0/16"},
		{"CLUSTER_CIDR", "10.42.0.0/28", "use a prefix from /8 to /23"},
		{"SERVICE_CIDR", "fd00::/108", "is not an IPv4 network"},
		{"SERVICE_CIDR", "10.42.128.0/20", "overlaps CLUSTER_CIDR=10.42.0.0/16"},
		{"K3S_DATA_DIR", "relative/path", "give an absolute path"},
		{"K3S_DATA_DIR", "/var/lib", "is a folder of the system"},
		{"K3S_DATA_DIR", "/", "is a folder of the system"},
		{"K3S_URL", "http://10.0.0.1:6443", "use https://"},
		{"K3S_URL", "https://10.0.0.1:6443", "K3S_TOKEN is missing"},
		{"INSTALL_ROLE", "agent", "K3S_URL is missing"},
		{"INSTALL_ROLE", "master", "choose server or agent"},
		{"STORAGE_PERSISTENCE_SIZE", "5", "write it as 5Gi"},
		{"STORAGE_PERSISTENCE_STORAGE_CLASS", "No Class", "is not a Kubernetes name"},
		{"K3S_KUBECONFIG_MODE", "rw", "write it in octal"},
		{"SLIPWAY_SERVICE_MANAGER", "upstart", "choose systemd, openrc or none"},
		{"SLIPWAY_NODE_IP", "node1", "is not an IP address"},
		{"INSTALL_K3S_EXEC", "--flag 'open", "close the quote"},
		{"INSTALL_SLIPWAY_SKIP_START", "maybe", "use true or false"},
	} {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			_, _, err := Load(Input{Environ: []string{tt.name + "=" + tt.value}})
			require.ErrorContains(t, err, tt.want)
			var field *FieldError
			require.ErrorAs(t, err, &field)
			assert.NotEmpty(t, field.Cure)
		})
	}
}

func TestLoadReportsAllAtOnceAndNoSecrets(t *testing.T) {
	_, _, err := Load(Input{Environ: []string{"PLATFORM_DOMAIN=localhost", "DRYCC_ADMIN_PASSWORD=geheim", "CLUSTER_CIDR=x"}})
	require.Error(t, err)
	for _, name := range []string{"PLATFORM_DOMAIN", "DRYCC_ADMIN_PASSWORD", "CLUSTER_CIDR"} {
		assert.ErrorContains(t, err, name)
	}
	assert.NotContains(t, err.Error(), "geheim")
}

func TestLoadRefusesUnknownKeys(t *testing.T) {
	_, _, err := Load(Input{Config: []byte("domian: apps.example.com\n")})
	require.EqualError(t, err, `config.yaml: unknown key "domian"`)
}

func TestRoles(t *testing.T) {
	join := []string{"K3S_URL=https://10.0.0.1:6443", "K3S_TOKEN=K10::server:x"}
	for _, tt := range []struct {
		name string
		env  []string
		want Role
	}{
		{"first server", nil, RoleServer},
		{"joins as an agent", join, RoleAgent},
		{"joins as a server", append([]string{"INSTALL_ROLE=server"}, join...), RoleServer},
		{"joins as a server, as k3s is told", append([]string{"INSTALL_K3S_EXEC=server --tls-san=x"}, join...), RoleServer},
	} {
		s, _, err := Load(Input{Environ: tt.env})
		require.NoError(t, err, tt.name)
		assert.Equal(t, tt.want, s.Role, tt.name)
	}
}

// TestSettingsAreKept writes the files of full settings and reads them back.
func TestSettingsAreKept(t *testing.T) {
	s, _, err := Load(Input{Environ: []string{
		"PLATFORM_DOMAIN=Apps.Example.com.", "DRYCC_ADMIN_USERNAME=root@x", `DRYCC_ADMIN_PASSWORD=pa"ss $HOME \n 'x`, "K3S_DATA_DIR=/data/k3s/",
		"CLUSTER_CIDR=10.52.0.0/16", "SERVICE_CIDR=10.53.0.0/16", "STORAGE_PERSISTENCE_SIZE=20Gi", "REGISTRY_PERSISTENCE_STORAGE_CLASS=fast", "CONTROLLER_APP_STORAGE_CLASS=shared",
		"INSTALL_K3S_EXEC=server --node-label 'a=b c'", "K3S_TOKEN=secret-token", "K3S_DATASTORE_ENDPOINT=postgres://u:pw@h/db", "K3S_DEBUG=true",
		"HTTPS_PROXY=http://u:pw@proxy:3128", "NO_PROXY=10.0.0.0/8", "KUBERNETES_SERVICE_HOST=api.example.com,10.0.0.5", "K3S_KUBECONFIG_MODE=644",
		"DRYCC_DEPLOY_HOOK_URLS=https://one.example.com/in?token=u:pw, http://two.example.com", "DRYCC_DEPLOY_HOOK_SECRET_KEY=secret-token", "DRYCC_THROTTLE_ANON=30/min"}})
	require.NoError(t, err)
	assert.Equal(t, "apps.example.com", s.Domain)
	assert.Equal(t, "/data/k3s", s.DataDir)
	assert.Equal(t, "shared", s.AppClass)
	assert.Equal(t, "30/min", s.ControllerSetting("DRYCC_THROTTLE_ANON"))
	assert.Equal(t, "secret-token", s.ControllerSetting("DRYCC_DEPLOY_HOOK_SECRET_KEY"))
	assert.Empty(t, s.ControllerSetting("DRYCC_THROTTLE_USER"))
	assert.Equal(t, []string{"--node-label", "a=b c"}, s.K3sArgs)
	config, err := s.ConfigFile()
	require.NoError(t, err)
	for _, secret := range []string{"pa\"ss", "secret-token", "u:pw"} {
		assert.NotContains(t, string(config), secret)
	}
	credentials, err := s.CredentialsFile()
	require.NoError(t, err)
	again, warnings, err := Load(Input{Config: config, Credentials: credentials})
	require.NoError(t, err)
	assert.Empty(t, warnings)
	assert.Equal(t, s, again)
	env, err := s.Environment()
	require.NoError(t, err)
	assert.Equal(t, "HTTPS_PROXY=\"http://u:pw@proxy:3128\"\nNO_PROXY=\"10.0.0.0/8\"\nK3S_DATASTORE_ENDPOINT=\"postgres://u:pw@h/db\"\nK3S_DEBUG=\"true\"\n", string(env))
}

func TestLoadHostReadsItsFiles(t *testing.T) {
	h := hosttest.New()
	h.Put("/etc/slipway/config.yaml", "domain: kept.example.com\n")
	h.Put("/etc/slipway/credentials", "DRYCC_ADMIN_USERNAME=\"admin\"\nDRYCC_ADMIN_PASSWORD=\"kept-password\"\n")
	s, _, err := LoadHost(h, nil, nil)
	require.NoError(t, err)
	require.NoError(t, s.Credentials())
	assert.Equal(t, "kept.example.com", s.Domain)
	assert.Equal(t, "kept-password", s.AdminPassword.Reveal(), "a password is generated once")
}

func TestSecretsDoNotShow(t *testing.T) {
	s := DefaultSettings()
	require.NoError(t, s.Credentials())
	p := s.AdminPassword.Reveal()
	assert.Regexp(t, regexp.MustCompile(`^[A-Za-z2-9]{20}$`), p)
	doc, err := json.Marshal(s)
	require.NoError(t, err)
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s.AdminPassword), string(doc)} {
		assert.NotContains(t, shown, p)
	}
	another, err := GeneratePassword()
	require.NoError(t, err)
	assert.NotEqual(t, p, another.Reveal())
}

// The fixed addresses are k3s's and the registry's, also in another range.
func TestServiceAddresses(t *testing.T) {
	for cidr, want := range map[string][2]string{
		"10.43.0.0/16":  {"10.43.0.10", "10.43.0.20"},
		"10.43.7.9/16":  {"10.43.0.10", "10.43.0.20"},
		"fd00:43::/112": {"fd00:43::a", "fd00:43::14"},
	} {
		s := Settings{ServiceCIDR: netip.MustParsePrefix(cidr)}
		assert.Equal(t, want, [2]string{s.ClusterDNS().String(), s.RegistryIP().String()}, cidr)
	}
}
