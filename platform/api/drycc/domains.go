package drycc

import (
	"encoding/json"
	"net/http"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// required refuses an absent or empty member.
func required(field, value string) error {
	if value == "" {
		return platform.FieldErrorf(field, "This field is required.")
	}
	return nil
}

func (h *Handler) listDomains(r *request) (answer, error) {
	items, total, err := h.core.ListDomains(r.Context(), r.who, r.params["app"], r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toDomain), nil
}

// domainRequest is a new domain.
type domainRequest struct {
	echoed
	Domain string `json:"domain"`
	Ptype  string `json:"ptype"`
}

func (h *Handler) addDomain(r *request) (answer, error) {
	body, err := decode[domainRequest](r)
	if err == nil {
		err = required("domain", body.Domain)
	}
	if err != nil {
		return answer{}, err
	}
	d, err := h.core.AddDomain(r.Context(), r.who, r.params["app"], body.Domain, body.Ptype)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, toDomain(d)}, nil
}

func (h *Handler) removeDomain(r *request) (answer, error) {
	if err := h.core.RemoveDomain(r.Context(), r.who, r.params["app"], r.params["domain"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (h *Handler) findTLS(r *request) (answer, error) {
	t, err := h.core.FindTLS(r.Context(), r.who, r.params["app"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toTLS(t)}, nil
}

// tlsRequest is any part of the TLS settings.
type tlsRequest struct {
	echoed
	HTTPSEnforced *bool           `json:"https_enforced"`
	AutoCerts     *bool           `json:"certs_auto_enabled"`
	Issuer        json.RawMessage `json:"issuer"`
	Events        json.RawMessage `json:"events"` // sent back as they were
}

func (h *Handler) changeTLS(r *request) (answer, error) {
	body, err := decode[tlsRequest](r)
	if err != nil {
		return answer{}, err
	}
	ch := control.TLSChange{HTTPSEnforced: body.HTTPSEnforced, AutoCerts: body.AutoCerts}
	var issuer *issuerWire
	if err := decodeNested("issuer", body.Issuer, &issuer); err != nil {
		return answer{}, err
	}
	if issuer != nil {
		ch.Issuer = &platform.Issuer{Email: issuer.Email, Server: issuer.Server, KeyID: issuer.KeyID, KeySecret: issuer.KeySecret}
	}
	t, err := h.core.ChangeTLS(r.Context(), r.who, r.params["app"], ch)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, toTLS(t)}, nil
}

func (h *Handler) listCerts(r *request) (answer, error) {
	items, total, err := h.core.ListCerts(r.Context(), r.who, r.params["app"], r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toCert), nil
}

func (h *Handler) findCert(r *request) (answer, error) {
	c, err := h.core.FindCert(r.Context(), r.who, r.params["app"], r.params["name"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toCert(c)}, nil
}

// certRequest is a new certificate.
type certRequest struct {
	echoed
	Name        string `json:"name"`
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

func (h *Handler) addCert(r *request) (answer, error) {
	body, err := decode[certRequest](r)
	if err != nil {
		return answer{}, err
	}
	for _, m := range []struct{ name, value string }{{"name", body.Name}, {"certificate", body.Certificate}, {"key", body.Key}} {
		if err := required(m.name, m.value); err != nil {
			return answer{}, err
		}
	}
	c, err := h.core.AddCert(r.Context(), r.who, r.params["app"], control.NewCert{Name: body.Name, Certificate: body.Certificate, Key: body.Key})
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, toCert(c)}, nil
}

func (h *Handler) deleteCert(r *request) (answer, error) {
	if err := h.core.DeleteCert(r.Context(), r.who, r.params["app"], r.params["name"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// attachRequest names the domain of a certificate.
type attachRequest struct {
	Domain string `json:"domain"`
}

func (h *Handler) attachCert(r *request) (answer, error) {
	body, err := decode[attachRequest](r)
	if err == nil {
		err = required("domain", body.Domain)
	}
	if err != nil {
		return answer{}, err
	}
	if err := h.core.AttachCert(r.Context(), r.who, r.params["app"], r.params["name"], body.Domain); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated}, nil
}

func (h *Handler) detachCert(r *request) (answer, error) {
	if err := h.core.DetachCert(r.Context(), r.who, r.params["app"], r.params["name"], r.params["domain"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
