package appliance

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Servers lists the processes that run "slipway server" or "slipway supervise"
// (role) on the machine, found without its help.
func (m *Machine) Servers(ctx context.Context, role string) ([]int, error) {
	// argument 0 tells the server from its children, which are the same file
	// under other names.
	const script = `for p in /proc/[0-9]*; do
  [ "$(readlink "$p/exe" 2>/dev/null | sed 's/ (deleted)$//')" = "$1" ] || continue
  set -- "$1" "$2" $(tr '\0' '\n' <"$p/cmdline" 2>/dev/null | sed -n '1,2p')
  case "${3##*/} ${4:-}" in "slipway $2") echo "${p#/proc/}" ;; esac
  set -- "$1" "$2"
done`
	out, err := m.Output(ctx, "sh", "-c", script, "sh", Binary, role)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, w := range strings.Fields(out) {
		pid, err := strconv.Atoi(w)
		if err != nil {
			return nil, fmt.Errorf("process number %q: %w", w, err)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// KillServer ends the server at once, as a crash does, and returns its number.
func (m *Machine) KillServer(ctx context.Context) (int, error) {
	pids, err := m.Servers(ctx, "server")
	if err != nil {
		return 0, err
	}
	if len(pids) != 1 {
		return 0, fmt.Errorf("%d servers run (%v), want one", len(pids), pids)
	}
	_, err = m.Output(ctx, "sh", "-c", "kill -9 "+strconv.Itoa(pids[0]))
	return pids[0], err
}

// Report gathers what explains a failure, as much as can be had.
func (m *Machine) Report(ctx context.Context) string {
	var b strings.Builder
	for _, c := range [][]string{
		{"sh", "-c", "{ cat /var/log/slipway/slipway.log 2>/dev/null || journalctl -u slipway --no-pager; } | grep -v 'api: request' | tail -n 60"},
		{Binary, "status"},
		{Binary, "kubectl", "get", "pods", "-A", "-o", "wide"},
		{Binary, "kubectl", "get", "events", "-A", "--sort-by=.lastTimestamp"},
		{"sh", "-c", "df -h / /var/lib/rancher 2>/dev/null; free -m; uptime"},
	} {
		r, err := m.Run(ctx, c[0], c[1:]...)
		fmt.Fprintf(&b, "---- %s\n%s\n%s\n", strings.Join(c, " "), lastLines(r.Stdout, 60), lastLines(r.Stderr, 10))
		if err != nil {
			fmt.Fprintln(&b, err)
		}
	}
	return b.String()
}
