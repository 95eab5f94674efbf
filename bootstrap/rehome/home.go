package rehome

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Kind is what changed in a move.
type Kind string

// The kinds of moves.
const (
	Address Kind = "address"
	Domain  Kind = "domain"
	// Hostname is a new name of the host. The node keeps its own: volumes are
	// bound to it.
	Hostname Kind = "hostname"
)

// Move is one change, finished once Done has a time.
type Move struct {
	Kind Kind      `json:"kind"`
	From string    `json:"from"`
	To   string    `json:"to"`
	Seen time.Time `json:"seen"`
	Done time.Time `json:"done,omitzero"`
}

// String is a sentence for people.
func (m Move) String() string {
	text := fmt.Sprintf("%s %s became %s", m.Kind, m.From, m.To)
	if m.Kind == Hostname {
		text += "; the node keeps its name"
	}
	if m.Done.IsZero() {
		return text + ": being followed since " + m.Seen.UTC().Format(time.RFC3339)
	}
	return text + ": followed at " + m.Done.UTC().Format(time.RFC3339)
}

// Home is where the server last ran.
type Home struct {
	Address   string `json:"address"`   // of the node
	Interface string `json:"interface"` // that had the address
	Hostname  string `json:"hostname"`
	Domain    string `json:"domain"`
	// Servers is how many servers the cluster had; 0 is not known.
	Servers int    `json:"servers"`
	Moves   []Move `json:"moves,omitempty"` // the newest last
}

// mostMoves bounds what is remembered.
const mostMoves = 20

// Begin records what differs between the place of before and the present one.
// Moves that were begun before and not finished give way: the place may have
// changed again. It returns those that are new or still to be finished.
func (h *Home) Begin(now Home, at time.Time) []Move {
	var kept, begun []Move
	for _, m := range h.Moves {
		if !m.Done.IsZero() {
			kept = append(kept, m)
		}
	}
	for _, c := range []struct {
		kind     Kind
		from, to string
	}{{Address, h.Address, now.Address}, {Hostname, h.Hostname, now.Hostname}, {Domain, h.Domain, now.Domain}} {
		if c.from != "" && c.from != c.to {
			begun = append(begun, Move{Kind: c.kind, From: c.from, To: c.to, Seen: at})
		}
	}
	h.Moves = append(kept, begun...)
	h.Moves = h.Moves[max(0, len(h.Moves)-mostMoves):]
	return begun
}

// Finish records that the server runs at its present place.
func (h *Home) Finish(now Home, at time.Time) {
	moves := slices.Clone(h.Moves) // others may be reading them
	for i := range moves {
		if moves[i].Done.IsZero() {
			moves[i].Done = at
		}
	}
	*h = now
	h.Moves = moves
}

// Load reads what is remembered. Nothing yet is a zero Home; so is a file that
// cannot be understood, which the error says: what it held can be found out
// again, so nobody has to stop for it.
func Load(files host.Files, path string) (Home, error) {
	data, err := files.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Home{}, nil
	}
	var h Home
	if err == nil {
		err = json.Unmarshal(data, &h)
	}
	if err != nil {
		return Home{}, fmt.Errorf("where the server last ran: %s: %w", path, err)
	}
	return h, nil
}

// Save replaces what is remembered, whole or not at all.
func (h Home) Save(files host.Files, path string) error {
	data, err := json.MarshalIndent(h, "", "  ")
	if err == nil {
		err = files.WriteFile(path, append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("where the server runs: %s: %w", path, err)
	}
	return nil
}
