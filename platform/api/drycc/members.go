package drycc

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// workspaceRequest is any part of a workspace. What can't change is read and
// left alone, as clients send back what they got.
type workspaceRequest struct {
	echoed
	ID    string          `json:"id"`
	UID   json.RawMessage `json:"uid"`
	Email *string         `json:"email"`
}

func (h *Handler) createWorkspace(r *request) (answer, error) {
	body, err := decode[workspaceRequest](r)
	if err != nil {
		return answer{}, err
	}
	email := ""
	if body.Email != nil {
		email = *body.Email
	}
	w, err := h.core.CreateWorkspace(r.Context(), r.who, body.ID, email)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, toWorkspace(w)}, nil
}

func (h *Handler) updateWorkspace(r *request) (answer, error) {
	body, err := decode[workspaceRequest](r)
	if err != nil {
		return answer{}, err
	}
	w, err := h.core.UpdateWorkspace(r.Context(), r.who, r.params["workspace"], body.Email)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toWorkspace(w)}, nil
}

func (h *Handler) deleteWorkspace(r *request) (answer, error) {
	if err := h.core.DeleteWorkspace(r.Context(), r.who, r.params["workspace"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (h *Handler) listMembers(r *request) (answer, error) {
	items, total, err := h.core.ListMembers(r.Context(), r.who, r.params["workspace"], r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toMember), nil
}

func (h *Handler) findMember(r *request) (answer, error) {
	m, err := h.core.FindMember(r.Context(), r.who, r.params["workspace"], r.params["username"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toMember(m)}, nil
}

// memberRequest is any part of a member. Only role and alerts change.
type memberRequest struct {
	echoed
	ID        json.RawMessage `json:"id"`
	User      json.RawMessage `json:"user"`
	Email     json.RawMessage `json:"email"`
	Workspace json.RawMessage `json:"workspace"`
	Role      *string         `json:"role"`
	Alerts    json.RawMessage `json:"alerts"`
}

func (h *Handler) updateMember(r *request) (answer, error) {
	body, err := decode[memberRequest](r)
	if err != nil {
		return answer{}, err
	}
	var alerts *switched
	if err := decodeMember("alerts", body.Alerts, &alerts); err != nil {
		return answer{}, err
	}
	ch := control.MemberChange{Alerts: (*bool)(alerts)}
	if body.Role != nil {
		role, err := platform.ParseRole("role", *body.Role)
		if err != nil {
			return answer{}, err
		}
		ch.Role = &role
	}
	m, err := h.core.UpdateMember(r.Context(), r.who, r.params["workspace"], r.params["username"], ch)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toMember(m)}, nil
}

func (h *Handler) deleteMember(r *request) (answer, error) {
	if err := h.core.DeleteMember(r.Context(), r.who, r.params["workspace"], r.params["username"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// invitationRequest names who is invited.
type invitationRequest struct {
	Email string `json:"email"`
}

// invite answers a refusal that no field is at fault for as a bare list, which
// is what clients know it as.
func (h *Handler) invite(r *request) (answer, error) {
	body, err := decode[invitationRequest](r)
	if err != nil {
		return answer{}, err
	}
	i, err := h.core.Invite(r.Context(), r.who, r.params["workspace"], body.Email, r.base)
	var e *platform.Error
	if errors.As(err, &e) && e.Code == platform.Invalid && e.Field == "" {
		return answer{http.StatusBadRequest, []string{e.Message}}, nil
	}
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, toInvitation(i)}, nil
}

func (h *Handler) listInvitations(r *request) (answer, error) {
	items, total, err := h.core.ListInvitations(r.Context(), r.who, r.params["workspace"], r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toInvitation), nil
}

// acceptInvitation answers people with a page and programs with JSON.
func (h *Handler) acceptInvitation(r *request) (answer, error) {
	i, exists, err := h.core.AcceptInvitation(r.Context(), r.params["workspace"], r.params["key"])
	person := strings.Contains(r.Header.Get("Accept"), "text/html")
	if person && platform.CodeOf(err) == platform.NotFound {
		return h.pages.notice(http.StatusNotFound, "This invitation is not valid",
			"It may have been taken back, or replaced by a newer one. Ask whoever invited you."), nil
	}
	if err != nil {
		return answer{}, err
	}
	if !person {
		return answer{http.StatusOK, acceptedWire{i.Workspace, exists, r.base + "/v2/auth/register/"}}, nil
	}
	text := "You are a member of the workspace " + i.Workspace + " now."
	if !exists {
		text = "There is no account for " + i.Email + " yet. Once there is, its first login makes you a member of the workspace " + i.Workspace + "."
	}
	return h.pages.notice(http.StatusOK, "Invitation accepted", text), nil
}

func (h *Handler) deleteInvitation(r *request) (answer, error) {
	if err := h.core.DeleteInvitation(r.Context(), r.who, r.params["workspace"], r.params["key"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (h *Handler) listGrants(r *request) (answer, error) {
	grants, err := h.core.ListGrants(r.Context(), r.who, r.params["app"])
	if err != nil {
		return answer{}, err
	}
	names := convertAll(grants, func(g platform.Grant) string { return g.Username })
	return answer{http.StatusOK, map[string][]string{"users": names}}, nil
}

// grantRequest lets a user into an app.
type grantRequest struct {
	Username    string `json:"username"`
	Permissions string `json:"permissions"` // "view,change,delete"
}

func (h *Handler) addGrant(r *request) (answer, error) {
	body, err := decode[grantRequest](r)
	if err != nil {
		return answer{}, err
	}
	role, err := grantRole(body.Permissions)
	if err != nil {
		return answer{}, err
	}
	if err := h.core.SetGrant(r.Context(), r.who, r.params["app"], platform.Grant{Username: body.Username, Role: role}); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated}, nil
}

func (h *Handler) removeGrant(r *request) (answer, error) {
	if err := h.core.DeleteGrant(r.Context(), r.who, r.params["app"], r.params["username"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
