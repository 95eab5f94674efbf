package bootstrap

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ufw plays the tool: rules by their text.
type ufw struct{ rules []string }

func (u *ufw) run(c host.Command) (host.Output, error) {
	line := strings.Join(c.Args, " ")
	switch {
	case c.Name != "ufw":
		return host.Output{}, nil
	case line == "show added":
		return host.Output{Stdout: []byte("Added user rules:\nufw " + strings.Join(u.rules, "\nufw ") + "\n")}, nil
	case strings.HasPrefix(line, "--force delete "):
		u.rules = dropped(u.rules, strings.TrimPrefix(line, "--force delete "))
	case strings.HasPrefix(line, "allow "):
		rule, _, _ := strings.Cut(line, " comment ")
		u.rules = append(u.rules, rule)
	default:
		return host.Output{}, errors.New("exit status 2")
	}
	return host.Output{}, nil
}

func dropped(list []string, drop string) []string {
	var kept []string
	for _, s := range list {
		if s != drop {
			kept = append(kept, s)
		}
	}
	return kept
}

func (w *world) repair(steps ...Step) error {
	r := Repair{Host: w.host, Service: w.svc, Settings: w.deps.Settings, Progress: w.quiet(), Clock: fixedClock}
	return r.Run(context.Background(), steps)
}

// TestRepairsAreTakenBack mends a bare host, installs, and uninstalls: what the
// repairs added is gone, and what was there before is not.
func TestRepairsAreTakenBack(t *testing.T) {
	w := newWorld(t)
	tool := &ufw{rules: []string{"allow 80/tcp"}}
	w.host.OnRun = tool.run
	w.host.SysctlMap["fs/inotify/max_user_instances"] = "128"
	files, machine := w.files(), w.machine()
	mend := Step{Name: "doctor", Do: func(ctx context.Context, j *Journal) error {
		if err := j.Sysctl("fs/inotify/max_user_instances", "512"); err != nil {
			return err
		}
		if err := j.WriteFile("/etc/sysctl.d/91-slipway-inotify.conf", []byte("x"), 0o644); err != nil {
			return err
		}
		for _, o := range []host.Opening{{Manager: host.FirewallUFW, Port: 80, Protocol: "tcp"}, {Manager: host.FirewallUFW, Source: "10.42.0.0/16"}} {
			if err := j.OpenFirewall(ctx, o); err != nil {
				return err
			}
		}
		return nil
	}}
	require.NoError(t, w.repair(mend))
	assert.Equal(t, []string{"allow 80/tcp", "allow from 10.42.0.0/16"}, tool.rules)
	ledger, err := OpenLedger(w.host, "/var/lib/slipway/ledger", fixedClock)
	require.NoError(t, err)
	assert.False(t, ledger.Installed(), "a repair is no install")

	require.NoError(t, w.repair(mend), "again is no change")
	assert.Equal(t, []string{"allow 80/tcp", "allow from 10.42.0.0/16"}, tool.rules)
	require.NoError(t, w.install())
	res, err := w.uninstall(false)
	require.NoError(t, err)
	assert.False(t, Counts(res.Diff), "%v", res.Diff)
	assert.Equal(t, []string{"allow 80/tcp"}, tool.rules, "the owner's rule stays")
	assert.Equal(t, files, w.files())
	assert.Equal(t, machine, w.machine())
}

func TestAFailedRepairIsUndoneAndStopsNothing(t *testing.T) {
	w := newWorld(t)
	tool := &ufw{}
	w.host.OnRun = tool.run
	open := func(port int, err error) Step {
		return Step{Name: "doctor", Do: func(ctx context.Context, j *Journal) error {
			return errors.Join(j.OpenFirewall(ctx, host.Opening{Manager: host.FirewallUFW, Port: port, Protocol: "tcp"}), err)
		}}
	}
	err := w.repair(open(80, errors.New("no luck")), open(443, nil))
	require.ErrorContains(t, err, "no luck")
	assert.Equal(t, []string{"allow 443/tcp"}, tool.rules)
}
