package drycc

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// runHeader names what was started; the newest client expects no body.
const runHeader = "X-Drycc-Run"

// runRequest is a command to run once.
type runRequest struct {
	Command json.RawMessage `json:"command"`
	Ptype   string          `json:"ptype"`
	Volumes json.RawMessage `json:"volumes"`
	Timeout json.RawMessage `json:"timeout"`
	Expires json.RawMessage `json:"expires"`
	Stdin   bool            `json:"stdin"`
	TTY     bool            `json:"tty"`
}

func (h *Handler) runOnce(r *request) (answer, error) {
	body, err := decode[runRequest](r)
	if err != nil {
		return answer{}, err
	}
	o := control.OneOff{Ptype: body.Ptype, Stdin: body.Stdin, TTY: body.TTY}
	if o.Command, err = commandOf(body.Command); err != nil {
		return answer{}, err
	}
	if err := decodeNested("volumes", body.Volumes, &o.Volumes); err != nil {
		return answer{}, err
	}
	for _, n := range []struct {
		name string
		raw  json.RawMessage
		into *int
	}{{"timeout", body.Timeout, &o.Timeout}, {"expires", body.Expires, &o.Expires}} {
		if err := decodeNumber(n.name, n.raw, n.into); err != nil {
			return answer{}, err
		}
	}
	name, err := h.core.RunOnce(r.Context(), r.who, r.params["app"], o)
	if err != nil {
		return answer{}, err
	}
	r.w.Header().Set(runHeader, name)
	return answer{status: http.StatusNoContent}, nil
}

// commandOf takes a list as it is and splits a string at white space; quotes
// in a string mean nothing.
func commandOf(raw json.RawMessage) ([]string, error) {
	if len(raw) > 0 && raw[0] == '"' {
		var line string
		err := decodeMember("command", raw, &line)
		return strings.Fields(line), err
	}
	if len(raw) > 0 && raw[0] != '[' && raw[0] != 'n' {
		return nil, platform.FieldErrorf("command", "Expected a string or a list of strings, but got %s.", kindOf(raw))
	}
	var words []string
	err := decodeMember("command", raw, &words)
	return words, err
}

// decodeNumber reads an integer, or a string that holds one.
func decodeNumber(name string, raw json.RawMessage, into *int) error {
	if len(raw) > 1 && raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
		if len(raw) == 0 || strings.Trim(string(raw), "0123456789") != "" {
			return platform.FieldErrorf(name, "A valid integer is required.")
		}
	}
	return decodeMember(name, raw, into)
}
