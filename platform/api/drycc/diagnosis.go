package drycc

import "github.com/slipway-paas/slipway/platform"

func (h *Handler) checkCerts(r *request) (answer, error) {
	items, total, err := h.core.CheckCerts(r.Context(), r.who, r.params["app"], r.URL.Query().Get("domain"), r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toDiagnosis), nil
}

// diagnosisWire is how the links of a domain are. An extension of ours.
type diagnosisWire struct {
	App    string     `json:"app"`
	Domain string     `json:"domain"`
	Status string     `json:"status"` // the worst state of a link: ok, warn, fail
	Time   stamp      `json:"time"`
	Links  []linkWire `json:"links"`
}

// linkWire is one thing that has to be right for HTTPS.
type linkWire struct {
	ID       string `json:"id"`
	State    string `json:"state"` // ok, warn, fail, skipped
	Evidence string `json:"evidence"`
	Reason   string `json:"reason"`
	Cure     string `json:"cure"`
}

func toDiagnosis(d platform.Diagnosis) diagnosisWire {
	return diagnosisWire{d.App, d.Domain, string(d.State()), stamp(d.Time), convertAll(d.Links, toLink)}
}

func toLink(l platform.Link) linkWire {
	return linkWire{l.ID, string(l.State), l.Evidence, l.Reason, l.Cure}
}
