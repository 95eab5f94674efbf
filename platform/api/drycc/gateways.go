package drycc

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func (h *Handler) listServices(r *request) (answer, error) {
	items, err := h.core.ListServices(r.Context(), r.who, r.params["app"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, servicesWire{convertAll(items, toService)}}, nil
}

// serviceRequest is one port of a service.
type serviceRequest struct {
	Ptype      string `json:"ptype"`
	Port       number `json:"port"`
	Protocol   string `json:"protocol"`
	TargetPort number `json:"target_port"`
	Target     number `json:"targetPort"` // the newest library's spelling
}

func (b serviceRequest) protocol() string {
	if b.Protocol == "" {
		return platform.ProtocolTCP
	}
	return strings.ToUpper(b.Protocol)
}

func (h *Handler) addService(r *request) (answer, error) {
	body, err := decode[serviceRequest](r)
	if err == nil {
		err = required("ptype", body.Ptype)
	}
	if err != nil {
		return answer{}, err
	}
	target := body.TargetPort
	if target == 0 {
		target = body.Target
	}
	made, err := h.core.AddServicePort(r.Context(), r.who, r.params["app"], body.Ptype,
		platform.ServicePort{Port: int(body.Port), Protocol: body.protocol(), Target: int(target)})
	if err != nil {
		return answer{}, err
	}
	if made {
		return answer{status: http.StatusCreated}, nil
	}
	return answer{status: http.StatusNoContent}, nil
}

func (h *Handler) removeService(r *request) (answer, error) {
	body, err := decode[serviceRequest](r)
	if err == nil {
		err = required("ptype", body.Ptype)
	}
	if err != nil {
		return answer{}, err
	}
	if err := h.core.RemoveServicePort(r.Context(), r.who, r.params["app"], body.Ptype, int(body.Port), body.protocol()); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// invalidModel answers a gateway or route that is not valid: these have a body
// of their own for errors of a field.
func invalidModel(err error) (answer, error) {
	var e *platform.Error
	if !errors.As(err, &e) || e.Code != platform.Invalid || e.Field == "" || e.Field == "detail" {
		return answer{}, err
	}
	return answer{http.StatusBadRequest, validationWire{validationBody{
		Code: "VALIDATION_ERROR", Message: "Validation failed", Details: map[string][]string{e.Field: {e.Message}},
	}}}, nil
}

func (h *Handler) listGateways(r *request) (answer, error) {
	items, total, err := h.core.ListGateways(r.Context(), r.who, r.params["app"], r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, h.toGateway), nil
}

func (h *Handler) findGateway(r *request) (answer, error) {
	g, err := h.core.FindGateway(r.Context(), r.who, r.params["app"], r.params["name"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, h.toGateway(g)}, nil
}

// portRequest is one port of a gateway.
type portRequest struct {
	Name     string `json:"name"`
	Port     number `json:"port"`
	Protocol string `json:"protocol"`
}

func (b portRequest) port() platform.GatewayPort {
	return platform.GatewayPort{Port: int(b.Port), Protocol: strings.ToUpper(b.Protocol)}
}

func (h *Handler) addGatewayPort(r *request) (answer, error) {
	body, err := decode[portRequest](r)
	if err == nil {
		err = required("name", body.Name)
	}
	if err != nil {
		return answer{}, err
	}
	g, made, err := h.core.AddGatewayPort(r.Context(), r.who, r.params["app"], body.Name, body.port())
	return h.savedGateway(g, made, err)
}

func (h *Handler) savedGateway(g platform.Gateway, made bool, err error) (answer, error) {
	switch {
	case err != nil:
		return invalidModel(err)
	case len(g.Ports) == 0:
		return answer{status: http.StatusNoContent}, nil
	case made:
		return answer{http.StatusCreated, h.toGateway(g)}, nil
	}
	return answer{http.StatusOK, h.toGateway(g)}, nil
}

func (h *Handler) removeGatewayPort(r *request) (answer, error) {
	body, err := decode[portRequest](r)
	if err == nil {
		err = required("name", body.Name)
	}
	if err != nil {
		return answer{}, err
	}
	if err := h.core.RemoveGatewayPort(r.Context(), r.who, r.params["app"], body.Name, body.port()); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// gatewayRequest is a whole gateway. App and name are in the path; where they
// are said again they have to be the same.
type gatewayRequest struct {
	echoed
	ID        json.RawMessage `json:"id"`
	Name      string          `json:"name"`
	Ports     []portRequest   `json:"ports"`
	Addresses json.RawMessage `json:"addresses"` // sent back as they were
}

// same checks a name that is in the path and in the body.
func same(field, body, path string) error {
	if body != "" && body != path {
		return platform.FieldErrorf(field, "This is %s, but the address says %s.", clip(body), clip(path))
	}
	return nil
}

// clip keeps a word of the client's short enough for a message.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 63)], "") }

func (h *Handler) putGateway(r *request) (answer, error) {
	body, err := decode[gatewayRequest](r)
	name := r.params["name"]
	if err == nil && body.Ports == nil {
		err = platform.FieldErrorf("ports", "This field is required.")
	}
	if err != nil {
		return answer{}, err
	}
	if err := same("name", body.Name, name); err != nil {
		// Without a name the core says first whether the actor may at all.
		if _, _, denied := h.core.SaveGateway(r.Context(), r.who, r.params["app"], "", nil); platform.CodeOf(denied) != platform.Invalid {
			return answer{}, denied
		}
		return answer{}, err
	}
	var ports []platform.GatewayPort
	for _, p := range body.Ports {
		ports = append(ports, p.port())
	}
	g, made, err := h.core.SaveGateway(r.Context(), r.who, r.params["app"], name, ports)
	return h.savedGateway(g, made, err)
}

func (h *Handler) deleteGateway(r *request) (answer, error) {
	if err := h.core.DeleteGateway(r.Context(), r.who, r.params["app"], r.params["name"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// routable reports whether the app takes requests from outside, which routes
// tell with them.
func (h *Handler) routable(r *request) (bool, error) {
	s, err := h.core.FindSettings(r.Context(), r.who, r.params["app"])
	return s.Routable, err
}

func (h *Handler) listRoutes(r *request) (answer, error) {
	on, err := h.routable(r)
	if err != nil {
		return answer{}, err
	}
	items, total, err := h.core.ListRoutes(r.Context(), r.who, r.params["app"], r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, func(rt platform.Route) routeWire { return toRoute(rt, on) }), nil
}

func (h *Handler) findRoute(r *request) (answer, error) {
	on, err := h.routable(r)
	if err != nil {
		return answer{}, err
	}
	found, err := h.core.FindRoute(r.Context(), r.who, r.params["app"], r.params["name"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toRoute(found, on)}, nil
}

func (h *Handler) putRoute(r *request) (answer, error) {
	body, err := decode[routeRequest](r)
	name := r.params["name"]
	if err == nil {
		err = required("kind", body.Kind)
	}
	if err != nil {
		return answer{}, err
	}
	if err := same("name", body.Name, name); err != nil {
		// As for gateways: permission comes first.
		if _, _, denied := h.core.SaveRoute(r.Context(), r.who, r.params["app"], control.NewRoute{}); platform.CodeOf(denied) != platform.Invalid {
			return answer{}, denied
		}
		return answer{}, err
	}
	if body.Ptype != "" || body.Port != 0 || body.Weight != nil {
		return answer{}, platform.FieldErrorf("ptype", "This field is not known here.")
	}
	n, err := body.route(name)
	if err != nil {
		return invalidModel(err)
	}
	return h.saveRoute(r, n)
}

func (h *Handler) saveRoute(r *request, n control.NewRoute) (answer, error) {
	on, err := h.routable(r)
	if err != nil {
		return answer{}, err
	}
	saved, made, err := h.core.SaveRoute(r.Context(), r.who, r.params["app"], n)
	switch {
	case err != nil:
		return invalidModel(err)
	case len(saved.Rules) == 0:
		return answer{status: http.StatusNoContent}, nil
	case made:
		return answer{http.StatusCreated, toRoute(saved, on)}, nil
	}
	return answer{http.StatusOK, toRoute(saved, on)}, nil
}

func (h *Handler) addRoute(r *request) (answer, error) {
	body, err := decode[routeRequest](r)
	for _, m := range []struct{ name, value string }{{"name", body.Name}, {"kind", body.Kind}} {
		if err == nil {
			err = required(m.name, m.value)
		}
	}
	if err != nil {
		return answer{}, err
	}
	if _, err := h.core.FindRoute(r.Context(), r.who, r.params["app"], body.Name); err == nil {
		return answer{}, platform.Errorf(platform.Conflict, "a route %s is there already", clip(body.Name))
	} else if platform.CodeOf(err) != platform.NotFound {
		return answer{}, err
	}
	n, err := body.route(body.Name)
	if err != nil {
		return invalidModel(err)
	}
	if len(n.Rules) == 0 {
		n.Rules = []platform.RouteRule{{Backends: []platform.Backend{body.backend()}}}
	}
	return h.saveRoute(r, n)
}

func (h *Handler) deleteRoute(r *request) (answer, error) {
	if err := h.core.DeleteRoute(r.Context(), r.who, r.params["app"], r.params["name"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// parentRequest names a port of a gateway.
type parentRequest struct {
	Gateway string `json:"gateway"`
	Port    number `json:"port"`
}

func (h *Handler) attachRoute(r *request) (answer, error) {
	return h.changeParent(r, h.core.AttachRoute)
}

func (h *Handler) detachRoute(r *request) (answer, error) {
	return h.changeParent(r, h.core.DetachRoute)
}
