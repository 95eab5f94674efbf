package control

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// line is a queue whose builds are known by app and number: "a1".
type line struct {
	t       *testing.T
	q       *buildQueue
	counts  map[string]int
	names   map[*buildTicket]string
	tickets []*buildTicket
}

func newLine(t *testing.T, limit int) *line {
	return &line{t: t, q: newBuildQueue(limit), counts: map[string]int{}, names: map[*buildTicket]string{}}
}

// enter lets builds of the apps come, one letter each.
func (l *line) enter(apps string) {
	for _, app := range strings.Split(apps, "") {
		l.counts[app]++
		t := l.q.enter(app)
		l.names[t] = app + string(rune('0'+l.counts[app]))
		l.tickets = append(l.tickets, t)
	}
}

// running lists the builds whose turn has come and that have not left.
func (l *line) running() string {
	var out []string
	for _, t := range l.tickets {
		select {
		case <-t.turn:
			out = append(out, l.names[t])
		default:
		}
	}
	return strings.Join(out, " ")
}

func (l *line) leave(name string) {
	l.t.Helper()
	for i, t := range l.tickets {
		if l.names[t] == name {
			l.q.leave(t)
			l.q.leave(t)
			l.tickets = append(l.tickets[:i:i], l.tickets[i+1:]...)
			return
		}
	}
	l.t.Fatalf("%s is not there", name)
}

// drain ends builds in the order in which they run, and lists them.
func (l *line) drain() string {
	var out []string
	for {
		now, _, _ := strings.Cut(l.running(), " ")
		if now == "" {
			return strings.Join(out, " ")
		}
		out = append(out, now)
		l.leave(now)
	}
}

func TestBuildQueueIsFair(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		come, want string
	}{
		{"abc", "a1 b1 c1"},
		{"aaab", "a1 b1 a2 a3"},
		{"aaabbc", "a1 b1 c1 a2 b2 a3"},
	} {
		l := newLine(t, 1)
		l.enter(tc.come)
		require.Equal(t, tc.want, l.drain(), tc.come)
		require.Empty(t, l.q.busy)
		require.Zero(t, l.q.length())
	}

	l := newLine(t, 1)
	l.enter("aaa")
	l.leave("a1")
	l.enter("b")
	require.Equal(t, "a2 b1 a3", l.drain(), "who comes later waits for one turn")
	l.enter("a")
	require.Equal(t, "a1", strings.Replace(l.drain(), "a4", "a1", 1), "the past is forgotten")
	require.Empty(t, l.q.next)
}

func TestBuildQueueLimits(t *testing.T) {
	t.Parallel()
	l := newLine(t, 2)
	l.enter("aab")
	require.Equal(t, "a1 b1", l.running(), "one of each app")
	l.enter("c")
	require.Equal(t, []int{2, 3}, []int{l.q.before(l.tickets[3]), l.q.before(l.tickets[1])}, "c came before the app's second")
	l.leave("b1")
	require.Equal(t, "a1 c1", l.running())
	l.leave("a2")
	l.leave("a1")
	require.Equal(t, "c1", l.running())
	l.leave("c1")
	require.Empty(t, l.q.busy)
}

func TestBuildQueueTellsMoves(t *testing.T) {
	t.Parallel()
	l := newLine(t, 1)
	l.enter("abc")
	last := l.tickets[2]
	require.Equal(t, 2, l.q.before(last))
	<-last.moved
	l.leave("b1")
	<-last.moved
	require.Equal(t, 1, l.q.before(last))
	l.leave("a1")
	<-last.turn
}
