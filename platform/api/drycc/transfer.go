package drycc

import (
	"context"
	"errors"
	"net/http"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Transfers move apps between workspaces.
type Transfers interface {
	Transfer(ctx context.Context, who control.Actor, app, workspace string) error
	TransferToUser(ctx context.Context, who control.Actor, app, username string) (platform.App, error)
}

// transferRoutes give apps away.
func transferRoutes() []route {
	give := routeDoc{
		summary: "Give the app to another workspace. 400 with a bare list of texts when none is named.", who: admin,
		request: `{"workspace"}`, status: 204}
	return []route{
		{method: "PATCH", pattern: "/v2/apps/{app}/", run: (*Handler).transferApp, doc: give},
		{method: "PUT", pattern: "/v2/apps/{app}/", run: (*Handler).transferApp, doc: give},
		{method: "POST", pattern: "/v2/apps/{app}/", run: (*Handler).giveApp, doc: routeDoc{
			summary: "Give the app to the own workspace of another user. Answers the app, which whoever asked may not see any more.",
			who:     admin, request: `{"owner"}`, status: 200, response: "App",
			collision: "The guide's transfer to an owner; newer clients name a workspace, with PATCH."}},
	}
}

// transferRequest names the workspace that gets the app. Clients that read an
// app, change it and send it back include the rest, which changes nothing.
type transferRequest struct {
	echoed
	ID        any    `json:"id"`
	UID       any    `json:"uid"`
	Structure any    `json:"structure"`
	Workspace string `json:"workspace"`
}

func (h *Handler) transferApp(r *request) (answer, error) {
	body, err := decode[transferRequest](r)
	if err != nil {
		return answer{}, err
	}
	err = h.core.Transfer(r.Context(), r.who, r.params["app"], body.Workspace)
	var refused *platform.Error
	if body.Workspace == "" && errors.As(err, &refused) && refused.Field == "workspace" {
		return answer{http.StatusBadRequest, []string{refused.Message}}, nil // clients know this bare list
	}
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// ownerRequest names the user who gets the app.
type ownerRequest struct {
	Owner string `json:"owner"`
}

func (h *Handler) giveApp(r *request) (answer, error) {
	body, err := decode[ownerRequest](r)
	if err != nil {
		return answer{}, err
	}
	a, err := h.core.TransferToUser(r.Context(), r.who, r.params["app"], body.Owner)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toApp(a)}, nil
}
