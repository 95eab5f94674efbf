package gitssh

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	branchPrefix = "refs/heads/"
	tagPrefix    = "refs/tags/"
)

// update is one ref that a push would move. Old is all zeros for a new ref, New
// for one that goes.
type update struct {
	Old string `json:"old"`
	New string `json:"new"`
	Ref string `json:"ref"`
}

var hexID = regexp.MustCompile(`^[0-9a-f]{40}$`)

func (u update) deletes() bool { return strings.Trim(u.New, "0") == "" }
func (u update) branch() (string, bool) {
	return strings.CutPrefix(u.Ref, branchPrefix)
}

func (u update) check() error {
	if !hexID.MatchString(u.Old) || !hexID.MatchString(u.New) {
		return fmt.Errorf("ids of %s are not those of SHA-1 objects", u.Ref)
	}
	return nil
}

// plan is what a push amounts to.
type plan struct {
	deploy  *update  // what is built; nil for nothing
	notes   []string // for the pusher
	refusal string   // why none of it is accepted; empty when it may be
}

// planPush decides what to do with a push. One branch is deployed, whichever
// it is; tags are kept and deploy nothing; branches may be deleted but for the
// one that runs, which is current.
func planPush(updates []update, current string, branches []string) plan {
	var p plan
	var deploys []string
	for i, u := range updates {
		name, isBranch := u.branch()
		switch {
		case u.check() != nil:
			return plan{refusal: fmt.Sprintf("%s can't be pushed: %v.", u.Ref, u.check())}
		case isBranch && u.deletes() && name == current:
			return plan{refusal: fmt.Sprintf("The branch %s is what runs: deploy another one before you delete it.", name)}
		case isBranch && u.deletes():
			p.notes = append(p.notes, fmt.Sprintf("Deleting the branch %s; what runs stays.", name))
		case isBranch:
			if other := inTheWay(name, branches); other != "" {
				return plan{refusal: fmt.Sprintf("The branch %s can't be beside the branch %s; delete that first: git push REMOTE --delete %s", name, other, other)}
			}
			deploys = append(deploys, name)
			p.deploy = &updates[i]
		case !strings.HasPrefix(u.Ref, tagPrefix):
			return plan{refusal: fmt.Sprintf("%s can't be pushed here: only branches and tags.", u.Ref)}
		}
	}
	if len(deploys) > 1 {
		slices.Sort(deploys)
		return plan{refusal: fmt.Sprintf("A push deploys one branch, and this one has %d: %s. Push the one to deploy: git push REMOTE %s",
			len(deploys), strings.Join(firsts(deploys), ", "), deploys[0])}
	}
	if note := tagNote(updates); p.deploy == nil && note != "" {
		p.notes = append(p.notes, note)
	}
	return p
}

// tagNote tells those who push only tags how one is deployed.
func tagNote(updates []update) string {
	for _, u := range updates {
		if tag, ok := strings.CutPrefix(u.Ref, tagPrefix); ok && !u.deletes() {
			return fmt.Sprintf("Tags are kept and deploy nothing. To deploy this one: git push REMOTE '%s^{}:refs/heads/main'", tag)
		}
	}
	return ""
}

// inTheWay is the branch that keeps another from being made: branches are
// files, so "a" and "a/b" can't both be.
func inTheWay(name string, branches []string) string {
	for _, b := range branches {
		if strings.HasPrefix(b, name+"/") || strings.HasPrefix(name, b+"/") {
			return b
		}
	}
	return ""
}

// firsts shortens a list for a sentence.
func firsts(list []string) []string {
	const enough = 5
	if len(list) <= enough {
		return list
	}
	return append(slices.Clone(list[:enough]), "…")
}
