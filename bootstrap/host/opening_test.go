package host_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/host/hosttest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOpeningsSpeakToEachTool(t *testing.T) {
	for _, tt := range []struct {
		opening     host.Opening
		open, close []string
	}{
		{host.Opening{Manager: host.FirewallUFW, Port: 80, Protocol: "tcp"},
			[]string{"ufw allow 80/tcp comment slipway"}, []string{"ufw --force delete allow 80/tcp"}},
		{host.Opening{Manager: host.FirewallUFW, Source: "10.42.0.0/16"},
			[]string{"ufw allow from 10.42.0.0/16 comment slipway"}, []string{"ufw --force delete allow from 10.42.0.0/16"}},
		{host.Opening{Manager: host.FirewallFirewalld, Port: 80, Protocol: "tcp", Zone: "public"},
			[]string{"firewall-cmd --permanent --zone=public --add-port=80/tcp", "firewall-cmd --zone=public --add-port=80/tcp"},
			[]string{"firewall-cmd --state", "firewall-cmd --permanent --zone=public --remove-port=80/tcp", "firewall-cmd --zone=public --remove-port=80/tcp"}},
		{host.Opening{Manager: host.FirewallFirewalld, Source: "10.42.0.0/16"},
			[]string{"firewall-cmd --permanent --zone=trusted --add-source=10.42.0.0/16", "firewall-cmd --zone=trusted --add-source=10.42.0.0/16"},
			[]string{"firewall-cmd --state", "firewall-cmd --permanent --zone=trusted --remove-source=10.42.0.0/16", "firewall-cmd --zone=trusted --remove-source=10.42.0.0/16"}},
	} {
		t.Run(tt.opening.String(), func(t *testing.T) {
			h := hosttest.New()
			require.NoError(t, tt.opening.Open(t.Context(), h))
			assert.Equal(t, runs(tt.open), h.Changes())
			h.Forget()
			require.NoError(t, tt.opening.Close(t.Context(), h))
			assert.Equal(t, runs(tt.close), h.Changes())
		})
	}
}

func runs(lines []string) []string {
	var list []string
	for _, l := range lines {
		list = append(list, "run "+l)
	}
	return list
}

func TestIPTablesRulesAreNotDoubled(t *testing.T) {
	h, there := hosttest.New(), false
	h.OnRun = func(c host.Command) (host.Output, error) {
		switch verb := c.Args[2]; {
		case verb == "-C" && !there:
			return host.Output{}, errors.New("exit status 1")
		case verb != "-C":
			there = verb == "-I"
		}
		return host.Output{}, nil
	}
	o := host.Opening{Manager: host.FirewallIPTables, Source: "10.42.0.0/16"}
	for range 2 {
		require.NoError(t, o.Open(t.Context(), h))
	}
	for range 2 {
		require.NoError(t, o.Close(t.Context(), h))
	}
	var verbs []string
	for _, c := range h.Changes() {
		verbs = append(verbs, strings.Fields(c)[4])
	}
	assert.Equal(t, []string{"-C", "-I", "-C", "-C", "-D", "-C"}, verbs)
}

// TestClosingWhatIsGone is an uninstall after the firewall was removed, or while
// its daemon is off.
func TestClosingWhatIsGone(t *testing.T) {
	h := hosttest.New()
	h.OnRun = func(c host.Command) (host.Output, error) { return host.Output{}, host.ErrNoCommand }
	for _, m := range []string{host.FirewallUFW, host.FirewallFirewalld} {
		require.NoError(t, host.Opening{Manager: m, Port: 80, Protocol: "tcp", Zone: "public"}.Close(t.Context(), h), m)
	}
	h.OnRun = func(c host.Command) (host.Output, error) {
		if c.Name == "firewall-cmd" {
			return host.Output{}, errors.New("exit status 252: not running")
		}
		return host.Output{}, nil
	}
	h.Forget()
	require.NoError(t, host.Opening{Manager: host.FirewallFirewalld, Port: 80, Protocol: "tcp", Zone: "public"}.Close(t.Context(), h))
	assert.Equal(t, runs([]string{"firewall-cmd --state", "firewall-offline-cmd --zone=public --remove-port=80/tcp"}), h.Changes())
}
