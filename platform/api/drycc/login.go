package drycc

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
)

const (
	loginPath     = "/v2/login/drycc/"
	loginProvider = "/v2/login/drycc/provider/"
	loginDone     = "/v2/login/drycc/done/"
	completePath  = "/v2/complete/drycc/"
)

// openLogin sends a client that has no password to the login page, by way of
// a browser. The client takes the key out of the address.
func (h *Handler) openLogin(r *request) (answer, error) {
	key, err := h.core.OpenLogin(r.remote())
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusFound, elsewhere(r.base + loginPath + "?key=" + key)}, nil
}

// loginPage shows the form.
func (h *Handler) loginPage(r *request) (answer, error) {
	return h.showForm(r, http.StatusOK, r.URL.Query().Get("key"), "", ""), nil
}

// showForm makes the login page, with what went wrong before.
func (h *Handler) showForm(r *request, status int, key, username, wrong string) answer {
	opened, err := h.core.FindLogin(key)
	if err != nil {
		return h.explain(r, err)
	}
	id, cookie := browser(r)
	return h.pages.render(status, pageData{
		Title: "Log in", Error: wrong,
		Form: &formData{
			Key: key, CSRF: h.pages.sign(id, key), Username: username, Remote: opened.Remote,
			Ago: ago(opened.Age), Provider: opened.Provider,
		},
	}, cookie)
}

// form reads a form that has to come from a page of ours, and returns the key
// of its login; or the answer when it does not.
func (h *Handler) form(r *request) (string, *answer) {
	if err := r.ParseForm(); err != nil {
		a := h.pages.refusal(http.StatusBadRequest, "You are not logged in", "The form could not be read.")
		return "", &a
	}
	key := r.PostForm.Get("key")
	if !h.pages.genuine(r, key) {
		a := h.showForm(r, http.StatusForbidden, key, "", "The form was too old, or your browser refuses cookies. Please try again.")
		return "", &a
	}
	return key, nil
}

// submitProvider takes the form of the other button. It does not redirect: the
// policy that keeps forms at home counts where they end up.
func (h *Handler) submitProvider(r *request) (answer, error) {
	key, wrong := h.form(r)
	if wrong != nil {
		return *wrong, nil
	}
	id, _ := browser(r)
	to, err := h.core.BeginSignOn(r.Context(), key, r.base+completePath, id)
	if err != nil {
		return h.explain(r, err), nil
	}
	return h.pages.render(http.StatusOK, pageData{Title: "One moment", Refresh: to}, nil), nil
}

// submitLogin takes the form. A refusal shows it again.
func (h *Handler) submitLogin(r *request) (answer, error) {
	key, wrong := h.form(r)
	if wrong != nil {
		return *wrong, nil
	}
	username := r.PostForm.Get("username")
	u, err := h.core.CompleteLogin(r.Context(), key, username, r.PostForm.Get("password"), r.remote())
	switch platform.CodeOf(err) {
	case "":
		api.TraceOf(r.Context()).User = u.Username
		return answer{http.StatusSeeOther, elsewhere(loginDone)}, nil
	case platform.Unauthenticated:
		return h.showForm(r, http.StatusForbidden, key, username, sentence(err)), nil
	case platform.Throttled:
		return h.showForm(r, http.StatusTooManyRequests, key, username, sentence(err)), nil
	}
	return h.explain(r, err), nil
}

// completeLogin takes the browser back from the identity provider.
func (h *Handler) completeLogin(r *request) (answer, error) {
	q := r.URL.Query()
	if refused := q.Get("error"); refused != "" {
		return h.pages.refusal(http.StatusForbidden, "You are not logged in", "The identity provider refused: "+clip(refused)+". Start again with drycc login."), nil
	}
	id := ""
	if c, err := r.Cookie(cookieName); err == nil {
		id = c.Value
	}
	u, err := h.core.FinishSignOn(r.Context(), q.Get("state"), q.Get("code"), id, r.remote())
	if err != nil {
		return h.explain(r, err), nil
	}
	api.TraceOf(r.Context()).User = u.Username
	return answer{http.StatusSeeOther, elsewhere(loginDone)}, nil
}

func (h *Handler) loggedIn(*request) (answer, error) {
	return h.pages.notice(http.StatusOK, "You are logged in", "The client goes on by itself. You can close this window."), nil
}

// explain makes a page of an error: what the user may know of it, and the rest
// for the log.
func (h *Handler) explain(r *request, err error) answer {
	var e *platform.Error
	if !errors.As(err, &e) {
		e = platform.Errorf(platform.Internal, "An internal error occurred")
	}
	row, ok := h.errors[e.Code]
	if !ok {
		row = h.errors[platform.Internal]
	}
	status := row.status
	if status == http.StatusUnauthorized {
		status = http.StatusForbidden // browsers would ask for a password of their own
	}
	text := e.Message
	if status >= http.StatusInternalServerError {
		api.TraceOf(r.Context()).Err = err
		if e.Code == platform.Internal {
			text = "An internal error occurred."
		}
	}
	return h.pages.refusal(status, "You are not logged in", text)
}

func sentence(err error) string {
	var e *platform.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return "An internal error occurred."
}

// secure reports that the client sees us by https.
func (r *request) secure() bool {
	u, err := url.Parse(r.base)
	return err == nil && u.Scheme == "https"
}
