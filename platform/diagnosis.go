package platform

import (
	"slices"
	"time"
)

// LinkState says how one link between a domain and its certificate is.
type LinkState string

// The states, the best first. Skipped is a link that cannot be judged while an
// earlier one is broken, or that does not apply.
const (
	LinkOK      LinkState = "ok"
	LinkSkipped LinkState = "skipped"
	LinkWarn    LinkState = "warn"
	LinkFail    LinkState = "fail"
)

// Link is one thing that has to be right for a domain to have HTTPS. What was
// seen is the evidence; reason says what is wrong with it and cure what to do,
// both empty for a link that is ok. None of them holds a secret.
type Link struct {
	ID       string // "dns", "caa", "challenge", …
	State    LinkState
	Evidence string
	Reason   string
	Cure     string
}

// Diagnosis is how a domain's links are, in the order in which one stands on
// the other.
type Diagnosis struct {
	App    string // empty: the platform's own
	Domain string
	Time   time.Time
	Links  []Link
}

// Broken reports whether a link is.
func (d Diagnosis) Broken() bool { return d.State() == LinkFail }

// State is the worst of the links': LinkOK, LinkWarn or LinkFail.
func (d Diagnosis) State() LinkState {
	for _, bad := range []LinkState{LinkFail, LinkWarn} {
		if slices.ContainsFunc(d.Links, func(l Link) bool { return l.State == bad }) {
			return bad
		}
	}
	return LinkOK
}

// Find returns the link of that ID.
func (d Diagnosis) Find(id string) (Link, bool) {
	i := slices.IndexFunc(d.Links, func(l Link) bool { return l.ID == id })
	if i < 0 {
		return Link{}, false
	}
	return d.Links[i], true
}
