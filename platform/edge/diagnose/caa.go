package diagnose

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/slipway-paas/slipway/platform/control"
)

// mayIssue looks for the CAA records that count for the domain, as RFC 8659
// says: those of the name itself, or of the nearest name above that has any.
func (e *exam) mayIssue(ctx context.Context) {
	if e.s.Source != control.FromPublic {
		e.skip(CAA, "no public authority is asked for this domain")
		return
	}
	if e.found.local {
		e.skip(CAA, "a name of the machine's own has no records")
		return
	}
	base := strings.TrimPrefix(e.s.Domain, "*.")
	for _, name := range parents(base) {
		r, err := e.query(ctx, name, dns.TypeCAA)
		if err == nil && r.rcode == dns.RcodeServerFailure {
			err = fmt.Errorf("SERVFAIL")
		}
		if err != nil {
			e.fail(CAA, fmt.Sprintf("CAA of %s: %v", name, err), "an authority that cannot read CAA records has to refuse",
				"have the DNS provider answer questions of type CAA, with an empty answer at least")
			return
		}
		var set []*dns.CAA
		for _, rr := range r.records {
			if caa, ok := rr.(*dns.CAA); ok {
				set = append(set, caa)
			}
		}
		if len(set) > 0 {
			e.judgeCAA(name, set)
			return
		}
	}
	e.ok(CAA, "no CAA record, so every authority may issue")
}

// judgeCAA applies a set of records.
func (e *exam) judgeCAA(at string, set []*dns.CAA) {
	var shown []string
	var issue, wild []string
	for _, c := range set {
		shown = append(shown, fmt.Sprintf("%d %s %q", c.Flag, c.Tag, c.Value))
		switch tag := strings.ToLower(c.Tag); {
		case tag == "issue":
			issue = append(issue, c.Value)
		case tag == "issuewild":
			wild = append(wild, c.Value)
		case tag == "iodef" || tag == "contactemail" || tag == "contactphone" || tag == "issuemail" || tag == "issuevmc":
		case c.Flag&0x80 != 0:
			e.fail(CAA, fmt.Sprintf("CAA of %s: %s", at, strings.Join(shown, ", ")),
				fmt.Sprintf("the record %s is marked critical and unknown, so authorities have to refuse", c.Tag), "remove that record, or its flag 128")
			return
		}
	}
	counts, tag := issue, "issue"
	if e.wildcard() && len(wild) > 0 {
		counts, tag = wild, "issuewild"
	}
	evidence := fmt.Sprintf("CAA of %s: %s", at, strings.Join(shown, ", "))
	switch ids := e.directory.identities; {
	case len(counts) == 0:
		e.ok(CAA, evidence+"; none of them limits who may issue this name")
	case len(ids) == 0:
		e.warn(CAA, evidence, "the authority does not tell its name for CAA, so whether it is allowed cannot be seen",
			"compare with the name that the authority's documentation gives")
	default:
		e.matchCAA(evidence, at, tag, counts, ids)
	}
}

func (e *exam) matchCAA(evidence, at, tag string, counts, ids []string) {
	refused, unsure := "", ""
	for _, value := range counts {
		who, params, _ := strings.Cut(value, ";")
		if !slices.ContainsFunc(ids, func(id string) bool { return strings.EqualFold(strings.TrimSpace(who), id) }) {
			continue
		}
		var known bool
		if refused, known = e.paramsRefuse(params); refused == "" && known {
			e.ok(CAA, evidence)
			return
		} else if refused == "" {
			unsure = params
		}
	}
	if unsure != "" {
		e.warn(CAA, evidence, "the record allows one account only, and whether that is the platform's cannot be seen",
			"when the authority refuses, take accounturi out of the CAA record of "+at)
		return
	}
	cure := fmt.Sprintf("add a record CAA to %s: 0 %s %q", at, tag, ids[0])
	if refused != "" {
		e.fail(CAA, evidence, refused, "take that parameter out of the CAA record of "+at+", or give it the right value")
		return
	}
	e.fail(CAA, evidence, fmt.Sprintf("%s is not among those who may issue", strings.Join(ids, ", ")), cure)
}

// paramsRefuse reads the parameters of RFC 8657; empty: nothing against us.
// Known is false when they name an account and ours is not known.
func (e *exam) paramsRefuse(params string) (why string, known bool) {
	known = true
	for _, p := range strings.FieldsFunc(params, func(r rune) bool { return r == ';' || r == ' ' || r == '\t' }) {
		key, value, _ := strings.Cut(p, "=")
		switch strings.ToLower(key) {
		case "validationmethods":
			want := "http-01"
			if e.wildcard() {
				want = "dns-01"
			}
			if !slices.Contains(strings.Split(value, ","), want) {
				return "the record allows proof by " + value + " only, and the platform proves with " + want, true
			}
		case "accounturi":
			if e.s.ACME.Account == "" {
				known = false
			} else if value != e.s.ACME.Account {
				return "the record allows the account " + value + " only, and the platform's is " + e.s.ACME.Account, true
			}
		}
	}
	return "", known
}
