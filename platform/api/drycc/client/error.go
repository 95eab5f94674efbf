package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Error is an answer of the controller that is no success.
type Error struct {
	Status int
	Method string // of the request
	Path   string
	// Detail is the controller's text; empty when the answer had none.
	Detail string
	// Fields are the texts by member of the request, for a 400.
	Fields map[string][]string
	// Body is the answer as it came.
	Body string
	// Location is where a redirect led that was not followed.
	Location string
}

// Error gives the text for the user.
func (e *Error) Error() string {
	switch {
	case e.Status == http.StatusUnauthorized:
		return "unauthorized: missing or invalid token"
	case e.Status == http.StatusForbidden:
		return e.withDetail("you do not have permission to perform this action")
	case e.Status == http.StatusNotFound:
		return e.orBody("not found")
	case e.Status == http.StatusMethodNotAllowed:
		return "method not allowed"
	case e.Status == http.StatusConflict:
		return e.withDetail("this action could not be completed due to a conflict")
	case e.Status == http.StatusUnprocessableEntity:
		return e.withDetail("unable " + "to process your request")
	case e.Status == http.StatusInternalServerError:
		return "internal server error"
	case e.Status == http.StatusBadRequest:
		return e.badRequest()
	case e.Location != "":
		return "the controller is at another address: " + e.Location
	}
	return fmt.Sprintf("unknown error (%d): %s", e.Status, e.orBody(http.StatusText(e.Status)))
}

// withDetail adds what the controller said, when that is more than text.
func (e *Error) withDetail(text string) string {
	detail := strings.TrimSuffix(e.Detail, ".")
	if detail == "" || strings.EqualFold(detail, text) {
		return text
	}
	return text + ": " + detail
}

func (e *Error) orBody(otherwise string) string {
	body := strings.TrimSpace(e.Body)
	switch {
	case e.Detail != "":
		return e.Detail
	case body == "" || strings.HasPrefix(body, "<"): // a page for browsers
		return otherwise
	}
	return body
}

// friendly are texts of the controller for which there is a better one. The
// member counts only when it is named.
func friendly() []struct{ field, text, better string } {
	return []struct{ field, text, better string }{
		{"id", "Application with this id already exists.", "the application name is already in use"},
		{"id", "This field may not be blank.", "a name must be given"},
		{"key", "Public Key is already in use", "the public key is already in use"},
		{"public", "Public Key is already in use", "the public key is already in use"},
		{"public", "This field may not be blank.", "a public key must be given"},
		{"public", "Key contains invalid base64 chars", "the public key is not valid"},
		{"certificate", "Could not load certificate", "the certificate is not valid"},
		{"name", "Can only contain a-z (lowercase), 0-9 and hyphens", "a name can only contain a-z (lowercase), 0-9 and hyphens"},
		{"domain", "Hostname does not look valid", "the domain is not valid"},
		{"domain", "Domain is already in use by another application", "the domain is already in use by another application"},
		{"detail", "version cannot be below 0", "a version is at least 1"},
	}
}

func (e *Error) badRequest() string {
	for _, f := range friendly() {
		texts := e.Fields[f.field]
		if f.field == "detail" {
			texts = []string{e.Detail}
		}
		for _, t := range texts {
			if _, rest, ok := strings.Cut(t, f.text); ok && t != "" {
				return strings.TrimSuffix(f.better+": "+strings.TrimLeft(rest, ".,: "), ": ") // the rest says why
			}
		}
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		text := strings.Join(e.Fields[name], " ")
		if name != "non_field_errors" {
			text = name + ": " + text
		}
		parts = append(parts, text)
	}
	if e.Detail != "" && (len(parts) == 0 || !strings.HasPrefix(e.Detail, "Validation ")) {
		parts = append(parts, e.Detail)
	}
	if len(parts) == 0 {
		return e.orBody("the request is not valid")
	}
	return strings.Join(parts, "\n")
}

// StatusOf returns the status of an *Error in err's chain, 0 when there is
// none.
func StatusOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// newError reads the body of an answer that is no success. There are several
// shapes, and pages of proxies.
func newError(k call, res *http.Response, body []byte) *Error {
	e := &Error{Status: res.StatusCode, Method: k.method, Path: k.path, Body: string(body)}
	if res.StatusCode < 400 {
		e.Location = res.Header.Get("Location")
	}
	var list []string
	if json.Unmarshal(body, &list) == nil {
		e.Detail = strings.Join(list, " ")
		return e
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return e
	}
	e.fill(object)
	return e
}

func (e *Error) fill(object map[string]json.RawMessage) {
	var nested struct {
		Message string                     `json:"message"`
		Details map[string]json.RawMessage `json:"details"`
	}
	if raw, ok := object["error"]; ok && json.Unmarshal(raw, &nested) == nil && nested.Message != "" {
		e.Detail = nested.Message
		e.addFields(nested.Details)
		return
	}
	if raw, ok := object["error_description"]; ok && json.Unmarshal(raw, &e.Detail) == nil {
		return
	}
	if raw, ok := object["detail"]; ok {
		e.Detail = text(raw)
		delete(object, "detail")
	}
	e.addFields(object)
}

func (e *Error) addFields(object map[string]json.RawMessage) {
	for name, raw := range object {
		if e.Fields == nil {
			e.Fields = map[string][]string{}
		}
		var list []string
		if json.Unmarshal(raw, &list) != nil {
			list = []string{text(raw)}
		}
		e.Fields[name] = list
	}
}

// text is a JSON string's content, or the JSON itself.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return strings.Join(list, " ")
	}
	return string(raw)
}

// UnreachableError says that there was no answer at all.
type UnreachableError struct {
	URL string
	Err error
}

// Error names the controller and the reason.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no answer from the controller at %s: %v", e.URL, e.Err)
}

// Unwrap returns the reason.
func (e *UnreachableError) Unwrap() error { return e.Err }

// unreachable turns what the transport said into our error. The address it
// repeats may hold a secret (the key of a login).
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var wrapped interface{ Unwrap() error }
	if errors.As(err, &wrapped) && wrapped.Unwrap() != nil {
		err = wrapped.Unwrap()
	}
	return &UnreachableError{URL: c.base.String(), Err: err}
}
