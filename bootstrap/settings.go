package bootstrap

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sort"
	"strings"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"sigs.k8s.io/yaml"
)

// Role is what a node does in the cluster.
type Role string

// The roles. A server runs the control plane and the platform.
const (
	RoleServer Role = "server"
	RoleAgent  Role = "agent"
)

// Volume is the size and class of a persistent volume. An empty class is the
// cluster's default.
type Volume struct {
	Size  string // a Kubernetes quantity, "5Gi"
	Class string
}

// Settings are what the operator asked for, complete and valid. The table in
// settings_table.go says where each field comes from.
type Settings struct {
	Domain        string   // of the platform: apps are at <app>.<Domain>
	FormerDomains []string // that the platform had before, never Domain itself
	AdminUsername string
	AdminPassword Secret // empty until Credentials fills it
	DatabaseURL   Secret // of PostgreSQL; empty: SQLite in the state folder

	Role        Role
	JoinURL     string // of the server to join, "" for the first server
	JoinToken   Secret
	TokenFile   string
	NodeName    string // "" is the host name
	NodeIP      string // "" lets k3s choose
	ClusterCIDR netip.Prefix
	ServiceCIDR netip.Prefix
	APIHosts    []string // more names of the Kubernetes API, for its certificate
	DataDir     string   // of k3s
	KubeMode    string   // permission of the kubeconfig, octal
	ResolvConf  string
	K3sArgs     []string          // more arguments for k3s
	K3sEnv      map[string]Secret // names handed on to k3s as they are

	BinDir         string
	SystemdDir     string
	ServiceManager string // systemd, openrc, none; "" is what the host has
	SkipStart      bool
	SkipEnable     bool
	ForceRestart   bool
	Proxy          map[string]Secret // HTTP_PROXY and its family; may hold passwords

	Controller map[string]Secret // what the controller reads by name

	StorageVolume  Volume
	RegistryVolume Volume
	MetricsVolume  Volume
	AppClass       string // StorageClass of the volumes of apps; empty: the cluster's default

	Hardening string // "default" or "cis"; "" is default

	GatewayPorts []GatewayPort // beside 80 and 443
	AccessLog    bool          // of the gateway
	HTTP3        bool          // of the gateway
}

// DefaultSettings are the settings of a host where nobody said anything.
func DefaultSettings() Settings {
	return Settings{
		Domain: "slipway.localhost", AdminUsername: "admin", Role: RoleServer,
		ClusterCIDR: netip.MustParsePrefix("10.42.0.0/16"), ServiceCIDR: netip.MustParsePrefix("10.43.0.0/16"),
		DataDir: "/var/lib/rancher/k3s", KubeMode: "0600", BinDir: "/usr/local/bin", SystemdDir: "/etc/systemd/system",
		StorageVolume: Volume{Size: "5Gi"}, RegistryVolume: Volume{Size: "10Gi"}, MetricsVolume: Volume{Size: "10Gi"},
		Proxy: map[string]Secret{}, K3sEnv: map[string]Secret{}, Controller: map[string]Secret{},
	}
}

// RegistryIP is the fixed address of the registry's Service: the 20th of the
// service range.
func (s Settings) RegistryIP() netip.Addr { return nth(s.ServiceCIDR, 20) }

// GatewayIP is the fixed address by which pods reach the nearest gateway: the
// 21st of the service range.
func (s Settings) GatewayIP() netip.Addr { return nth(s.ServiceCIDR, 21) }

// GitIP is the fixed address by which pods reach the door for git push: the 22nd
// of the service range.
func (s Settings) GitIP() netip.Addr { return nth(s.ServiceCIDR, 22) }

// ClusterDNS is the address of the cluster's name server: the 10th of the
// service range, as Kubernetes users expect.
func (s Settings) ClusterDNS() netip.Addr { return nth(s.ServiceCIDR, 10) }

func nth(p netip.Prefix, n int) netip.Addr {
	a := p.Masked().Addr()
	for range n {
		a = a.Next()
	}
	return a
}

// Input is where settings come from.
type Input struct {
	Flags       map[string]string // by the setting's name; wins
	Environ     []string          // NAME=value
	Config      []byte            // of /etc/slipway/config.yaml, may be empty
	Credentials []byte            // of /etc/slipway/credentials, may be empty
}

// FieldError is a setting that cannot be used.
type FieldError struct {
	Name    string
	Value   string // "" when it is secret
	Problem string
	Cure    string
}

// Error implements error.
func (e *FieldError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s %s: %s", e.Name, e.Problem, e.Cure)
	}
	return fmt.Sprintf("%s=%s %s: %s", e.Name, e.Value, e.Problem, e.Cure)
}

// Load reads settings from all sources: flags win over the environment, that
// over the credentials and configuration files, those over the defaults. The
// warnings name each setting that was given and has no effect, with the reason.
// The error joins a FieldError for each setting that cannot be used.
func Load(in Input) (Settings, []string, error) {
	values, warnings, err := in.collect()
	if err != nil {
		return Settings{}, nil, err
	}
	s := DefaultSettings()
	var errs []error
	for _, row := range SettingsTable() {
		v, given := values[row.Name]
		if !given || row.apply == nil {
			continue
		}
		if problem, cure := row.apply(&s, v); problem != "" {
			e := &FieldError{Name: row.Name, Value: v, Problem: problem, Cure: cure}
			if row.Secret {
				e.Value = ""
			}
			errs = append(errs, e)
		}
	}
	if len(errs) == 0 {
		errs = s.validate(values["INSTALL_ROLE"] != "")
	}
	if err := errors.Join(errs...); err != nil {
		return Settings{}, warnings, err
	}
	return s, warnings, nil
}

// collect merges the sources and gathers warnings.
func (in Input) collect() (map[string]string, []string, error) {
	values, err := parseConfig(in.Config)
	if err != nil {
		return nil, nil, err
	}
	secrets, err := host.ParseEnvFile(string(in.Credentials))
	if err != nil {
		return nil, nil, fmt.Errorf("credentials: %w", err)
	}
	for _, v := range secrets {
		values[v.Name] = v.Value
	}
	rows := map[string]Setting{}
	for _, row := range SettingsTable() {
		rows[row.Name] = row
	}
	var warnings []string
	for _, entry := range in.Environ {
		name, v, ok := strings.Cut(entry, "=")
		if !ok || v == "" {
			continue
		}
		row, known := rows[name]
		switch {
		case !known && looksLikeSetting(name):
			warnings = append(warnings, name+" is not a setting of slipway and has no effect")
		case known && row.Verdict == Refused && v != row.Harmless:
			warnings = append(warnings, name+" has no effect: "+row.Effect)
		case known:
			values[name] = v
		}
	}
	for name, v := range in.Flags {
		values[name] = v
	}
	sort.Strings(warnings)
	return values, warnings, nil
}

// looksLikeSetting recognises names that only make sense for us, to catch
// misspelt ones.
func looksLikeSetting(name string) bool {
	for _, p := range []string{"INSTALL_K3S_", "INSTALL_DRYCC_", "INSTALL_SLIPWAY_", "K3S_", "DRYCC_", "SLIPWAY_", "ACME_", "PLATFORM_"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return strings.HasSuffix(name, "_REPLICAS") || strings.Contains(name, "_PERSISTENCE_")
}

// parseConfig reads config.yaml into values by setting name. A key that is not
// known is an error, since it is most likely misspelt.
func parseConfig(data []byte) (map[string]string, error) {
	var raw map[string]any
	if err := yaml.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("config.yaml: %w", err)
	}
	names := map[string]string{}
	for _, row := range SettingsTable() {
		if row.Key != "" {
			names[row.Key] = row.Name
		}
	}
	values := map[string]string{}
	var errs []error
	for key, v := range raw {
		name, ok := names[key]
		if !ok {
			errs = append(errs, fmt.Errorf("config.yaml: unknown key %q", key))
			continue
		}
		if v != nil {
			values[name] = fmt.Sprint(v)
		}
	}
	sort.Slice(errs, func(i, j int) bool { return errs[i].Error() < errs[j].Error() })
	return values, errors.Join(errs...)
}

// ConfigFile is the config.yaml that holds these settings, without secrets.
func (s Settings) ConfigFile() ([]byte, error) {
	values := map[string]string{}
	for _, row := range SettingsTable() {
		if row.Key == "" || row.Secret || row.show == nil {
			continue
		}
		if v := row.show(s); v != "" {
			values[row.Key] = v
		}
	}
	body, err := yaml.Marshal(values)
	if err != nil {
		return nil, err
	}
	const head = "# Settings of this host, written by `slipway install`. Change them here and run it again.\n"
	return append([]byte(head), body...), nil
}

// CredentialsFile is the file with the secrets among these settings.
func (s Settings) CredentialsFile() ([]byte, error) {
	values := []host.EnvValue{{Name: "DRYCC_ADMIN_USERNAME", Value: s.AdminUsername}}
	for _, row := range SettingsTable() {
		if !row.Secret || row.show == nil {
			continue
		}
		if v := row.show(s); v != "" {
			values = append(values, host.EnvValue{Name: row.Name, Value: v})
		}
	}
	text, err := host.FormatEnvFile(values)
	return []byte(text), err
}

// Environment is the content of slipway.env: what the server process needs that
// k3s or a library reads from its environment by itself.
func (s Settings) Environment(more ...host.EnvValue) ([]byte, error) {
	var values []host.EnvValue
	for _, from := range []map[string]Secret{s.Proxy, s.K3sEnv} {
		names := make([]string, 0, len(from))
		for name := range from {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			values = append(values, host.EnvValue{Name: name, Value: from[name].Reveal()})
		}
	}
	text, err := host.FormatEnvFile(append(values, more...))
	return []byte(text), err
}

// Credentials fills in what was not given: a generated password.
func (s *Settings) Credentials() error {
	if !s.AdminPassword.Empty() || s.Role == RoleAgent {
		return nil
	}
	p, err := GeneratePassword()
	s.AdminPassword = p
	return err
}

// LoadHost loads the settings with the files of a host.
func LoadHost(h host.Files, flags map[string]string, environ []string) (Settings, []string, error) {
	in := Input{Flags: flags, Environ: environ}
	p := NewPaths(DefaultSettings())
	for _, f := range []struct {
		path string
		into *[]byte
	}{{p.Config, &in.Config}, {p.Credentials, &in.Credentials}} {
		data, err := h.ReadFile(f.path)
		if err != nil && !isAbsent(err) {
			return Settings{}, nil, fmt.Errorf("settings: %w", asRoot(err))
		}
		*f.into = data
	}
	return Load(in)
}

// Unit is the service these settings ask for.
func (s Settings) Unit() host.Unit {
	p := NewPaths(s)
	return host.Unit{
		Name: "slipway", Description: "Slipway platform (" + string(s.Role) + ")", Binary: filepath.Clean(p.Binary),
		Args: []string{string(s.Role)}, EnvFile: p.EnvFile, UnitDir: p.UnitDir, LogFile: p.LogFile, RunDir: p.RunDir,
	}
}
