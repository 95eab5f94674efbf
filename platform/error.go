package platform

import (
	"errors"
	"fmt"
)

// Code says what kind of failure an Error is. The set is closed: every dialect
// owns one table that maps each code to its reply, and a test keeps the tables
// complete.
type Code string

// The codes, in the order in which they are usually decided.
const (
	Unauthenticated Code = "unauthenticated" // no or wrong credentials
	Forbidden       Code = "forbidden"       // known, but not allowed
	NotFound        Code = "not_found"       // absent, or not the caller's to see
	Invalid         Code = "invalid"         // bad input; Field names the culprit
	Conflict        Code = "conflict"        // nothing changed, or already exists
	Unprocessable   Code = "unprocessable"   // well-formed, but refers to what is not there
	Throttled       Code = "throttled"       // too many requests
	Unavailable     Code = "unavailable"     // the cluster or a part is away; try again
	Internal        Code = "internal"        // ours; details go to the log only
)

// Error is the only error users see. Message is a sentence fit for them and
// holds no secret; Err is the cause and goes to the log only.
type Error struct {
	Code    Code
	Op      string // "control.Deploy"; for the log
	Field   string // the input at fault, as the user named it; may be empty
	Message string
	Err     error
}

// Error joins operation, message and cause, for logs.
func (e *Error) Error() string {
	s := e.Message
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error without a field.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// FieldErrorf makes an Invalid Error that names the input at fault.
func FieldErrorf(field, format string, args ...any) *Error {
	return &Error{Code: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// CodeOf returns the code of err: empty for nil, Internal for any error that
// does not wrap an *Error.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
