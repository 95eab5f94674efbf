package drycc

import (
	"errors"
	"net/http"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
)

// detail is the plain error body.
type detail struct {
	Detail string `json:"detail"`
}

// coded is the error body with a code.
type coded struct {
	Error codedError `json:"error"`
}

type codedError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// errorRow says how one platform.Code is answered.
type errorRow struct {
	status int
	body   func(e *platform.Error) any
}

// errorTable has a row for every platform.Code.
func errorTable() map[platform.Code]errorRow {
	asDetail := func(e *platform.Error) any { return detail{e.Message} }
	return map[platform.Code]errorRow{
		platform.Unauthenticated: {http.StatusUnauthorized, asDetail},
		platform.Forbidden:       {http.StatusForbidden, asDetail},
		platform.NotFound: {http.StatusNotFound, func(e *platform.Error) any {
			return coded{codedError{"NOT_FOUND", e.Message}}
		}},
		platform.Invalid: {http.StatusBadRequest, func(e *platform.Error) any {
			if e.Field == "" {
				return detail{e.Message}
			}
			if e.Field == platform.WholeRequest {
				return []string{e.Message}
			}
			return map[string][]string{e.Field: {e.Message}}
		}},
		platform.Conflict:      {http.StatusConflict, asDetail},
		platform.Unprocessable: {http.StatusUnprocessableEntity, asDetail},
		platform.Throttled:     {http.StatusTooManyRequests, asDetail},
		platform.Unavailable:   {http.StatusServiceUnavailable, asDetail},
		platform.Internal: {http.StatusInternalServerError, func(*platform.Error) any {
			return coded{codedError{"INTERNAL_ERROR", "An internal error occurred"}}
		}},
	}
}

// statusGone is what the log and the metrics show when the client hung up
// before the answer.
const statusGone = 499

// Fail answers r with err. Causes go to the trace, and with it to the log,
// for the failures that are ours.
func (h *Handler) Fail(w http.ResponseWriter, r *http.Request, err error) {
	setHeaders(w, r)
	if gone(r, err) {
		w.WriteHeader(statusGone)
		return
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		writeJSON(w, http.StatusRequestEntityTooLarge, detail{"The request body is too large."})
		return
	}
	var e *platform.Error
	if !errors.As(err, &e) {
		e = platform.Errorf(platform.Internal, "An internal error occurred")
	}
	row, ok := h.errors[e.Code]
	if !ok {
		row = h.errors[platform.Internal]
	}
	if trace := api.TraceOf(r.Context()); row.status >= http.StatusInternalServerError && trace.Err == nil {
		trace.Err = err
	}
	if row.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "token")
	}
	writeJSON(w, row.status, row.body(e))
}
