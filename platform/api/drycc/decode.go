package drycc

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/slipway-paas/slipway/platform"
)

// decode reads the request's body, one JSON object, into T. An empty body is
// an empty object, as clients send a JSON content type with nothing in it.
// Unknown members, wrong types and broken JSON are refused with the name of
// the member at fault.
func decode[T any](r *request) (T, error) {
	var into T
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return into, fmt.Errorf("request body: %w", err)
	}
	err = decodeObject(data, &into)
	return into, err
}

// decodeObject is decode without the request.
func decodeObject(data []byte, into any) error {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return nil
	}
	if !utf8.Valid(data) {
		return platform.Errorf(platform.Invalid, "JSON parse error - the body is not UTF-8.")
	}
	if data[0] != '{' && json.Valid(data) {
		return platform.FieldErrorf("non_field_errors", "Invalid data. Expected an object, but got %s.", kindOf(data))
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return decodeError("", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return platform.Errorf(platform.Invalid, "JSON parse error - there is more after the object.")
	}
	return nil
}

// decodeMember reads one member of an object that was kept raw. Absent and
// null leave into as it is.
func decodeMember(name string, raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return decodeError(name, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return platform.FieldErrorf(name, "JSON parse error - there is more after the value.")
	}
	return nil
}

// decodeNested is decodeMember for objects and lists, which may also come as
// a string that holds their JSON, as forms send them.
func decodeNested(name string, raw json.RawMessage, into any) error {
	raw, err := unwrap(name, raw)
	if err != nil {
		return err
	}
	return decodeMember(name, raw, into)
}

// unwrap takes the JSON out of a string; what is no string stays as it is.
func unwrap(name string, raw json.RawMessage) (json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] != '"' {
		return raw, nil
	}
	var inner string
	if err := json.Unmarshal(raw, &inner); err != nil {
		return nil, decodeError(name, err)
	}
	inner = strings.TrimSpace(inner)
	if inner != "" && inner[0] != '{' && inner[0] != '[' {
		return nil, platform.FieldErrorf(name, "Expected an object or a list, but got a string.")
	}
	return json.RawMessage(inner), nil
}

// decodeError says what is wrong, and where, in words for the caller. member
// is the member being read; empty for the whole body.
func decodeError(member string, err error) error {
	var wrong *json.UnmarshalTypeError
	var value *valueError
	switch {
	case errors.As(err, &wrong):
		where := wrong.Field
		field, inner, _ := strings.Cut(where, ".")
		if member != "" {
			field, inner = member, where
		}
		if field == "" {
			field = "non_field_errors"
		}
		at := ""
		if inner != "" {
			at = inner + ": "
		}
		return platform.FieldErrorf(field, "%sExpected %s, but got %s.", at, wanted(wrong), got(wrong))
	case errors.As(err, &value):
		if member == "" {
			member = "non_field_errors"
		}
		return platform.FieldErrorf(member, "%s", value.text)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		name = strings.Trim(name, `"`)
		if len(name) > longestName {
			// Something was pasted into the wrong place; it may be a secret.
			return platform.FieldErrorf(cmp.Or(member, "non_field_errors"), "A field with a name of %d characters is not known here.", len(name))
		}
		if member == "" {
			return platform.FieldErrorf(name, "This field is not known here.")
		}
		return platform.FieldErrorf(member, "The field %q is not known here.", name)
	}
	reason := strings.TrimPrefix(err.Error(), "json: ")
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		reason = "it ends too early"
	}
	if member == "" {
		return platform.Errorf(platform.Invalid, "JSON parse error - %s.", reason)
	}
	return platform.FieldErrorf(member, "JSON parse error - %s.", reason)
}

// longestName is the length of names that are sent back.
const longestName = 64

// wanted names the Go type of a wire field in JSON's words.
func wanted(e *json.UnmarshalTypeError) string {
	switch e.Type.Kind().String() {
	case "string":
		return "a string"
	case "bool":
		return "true or false"
	case "int", "int64":
		return "an integer"
	case "slice":
		return "a list"
	default:
		return "an object"
	}
}

// got names what came instead, in the words of kindOf.
func got(e *json.UnmarshalTypeError) string {
	switch e.Value {
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "string":
		return "a string"
	case "bool":
		return "true or false"
	case "number":
		return "a number"
	default:
		return "the " + e.Value // a number that does not fit, with its digits
	}
}

// kindOf names the kind of a JSON value that is no object.
func kindOf(data []byte) string {
	switch data[0] {
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// valueError is a refusal by a wire type's own decoder.
type valueError struct{ text string }

// Error is the refusal.
func (e *valueError) Error() string { return e.text }

// text is a string that may also arrive as a number, whose digits are kept.
type text string

// UnmarshalJSON reads a string or a number.
func (t *text) UnmarshalJSON(data []byte) error {
	switch {
	case data[0] == '"':
		return json.Unmarshal(data, (*string)(t))
	case data[0] == '-' || data[0] >= '0' && data[0] <= '9':
		*t = text(data)
		return nil
	case data[0] == 'n':
		return &valueError{"This field may not be null."}
	default:
		return &valueError{"Not a valid string, but " + kindOf(data) + "."}
	}
}

// pointer returns t as the domain's optional string.
func (t *text) pointer() *string {
	if t == nil {
		return nil
	}
	s := string(*t)
	return &s
}
