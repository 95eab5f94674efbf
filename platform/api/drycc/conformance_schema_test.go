package drycc

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A schema says what an answer looks like:
//
//	str int num bool time uuid any   a value of that kind; time is YYYY-MM-DDTHH:MM:SSZ
//	T?                               T or null
//	[T]                              a list, never null
//	{name:T other:T}                 an object with exactly these members
//	{name?:T}                        a member that may be absent
//	{*:T}                            an object with any members
//	Name                             an object of the table below
//	page of T, list of T             the envelopes
//	OK                               this very text
type schema struct{ text string }

// objectSchemas are the objects of the wire. Areas add theirs.
func objectSchemas() map[string]string {
	all := map[string]string{
		"App":   "{uuid:uuid id:str uid:int workspace:str structure:{*:int} created:time updated:time}",
		"Build": "{uuid:uuid? app:str? image:str stack:str sha:str procfile:{*:str}? dryccfile:{*:any}? dockerfile:str created:time? updated:time?}",
		"BuildRun": "{uuid:uuid app:str user:str origin:str ref:str sha:str stack:str state:str message:str release:str? " +
			"created:time? started:time? ended:time?}",
		"BuildHook":    "{uuid:uuid app:str user:str address:str url:str branch:str username:str public_key:str host_key:str created:time}",
		"NewBuildHook": "{uuid:uuid app:str user:str address:str url:str branch:str username:str public_key:str host_key:str created:time secret:str}",
		"Config": "{uuid:uuid app:str values:[{name:str value:str group?:str ptype?:str}] values_refs:{*:[str]} limits:{*:str} tags:{*:{*:str}} " +
			"registry:{*:{*:str}} healthcheck:{*:{*:any}} lifecycle:{*:{*:any}} termination_grace_period:{*:str} created:time updated:time}",
		"Release": "{uuid:uuid app:str version:int state:str summary:str failed:bool exception:str? conditions:[Condition] deployed_ptypes:[str] " +
			"config:uuid build:uuid? created:time updated:time}",
		"Condition":  "{state:str action:str ptypes:[str] created:time exception?:str}",
		"Settings":   "{uuid:uuid app:str routable:bool autodeploy:bool autorollback:bool autoscale:{*:{*:int}} label:{*:str} created:time updated:time}",
		"Domain":     "{app:str domain:str ptype:str created:time updated:time}",
		"Token":      "{uuid:uuid owner:str alias:str fuzzy_key:str created:time updated:time}",
		"Workspace":  "{uuid:uuid id:str uid:int email:str created:time updated:time}",
		"Key":        "{uuid:uuid owner:str id:str public:str fingerprint:str created:time updated:time}",
		"Member":     "{id:int user:str email:str role:str alerts:bool workspace:str created:time updated:time}",
		"Invitation": "{id:int email:str token:str inviter:str accepted:bool workspace:str created:time}",
		"Pod":        "{name:str state:str release:str type:str started:time? ready:str restarts:int}",
		"User": "{id:int email:str username:str first_name:str last_name:str is_superuser:bool is_staff:bool groups:[str] user_permissions:[str] " +
			"last_login:time? date_joined:time is_active:bool}",
	}
	maps.Copy(all, volumeSchemas())
	maps.Copy(all, edgeSchemas())
	maps.Copy(all, runSchemas())
	return addDeploySchemas(all)
}

// checkSchema reports where body is not what want says.
func checkSchema(t *testing.T, name, want string, body []byte) {
	t.Helper()
	switch want {
	case "":
		assert.Empty(t, string(body), name)
		return
	case plainText:
		assert.NotEmpty(t, string(body), name)
		return
	case "OK", "pong":
		assert.Equal(t, want, string(body), name)
		return
	case pageShape:
		assert.Contains(t, string(body), "<!doctype html>", name)
		return
	}
	var value any
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	require.NoError(t, d.Decode(&value), "%s: %s", name, body)
	s := &schema{want}
	err := s.check("answer", value)
	require.NoError(t, err, "%s: %s", name, body)
	require.Empty(t, strings.TrimSpace(s.text), "%s: schema %q goes on after its end", name, want)
}

// take takes a literal off the schema.
func (s *schema) take(literal string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(s.text, " "), literal)
	if ok {
		s.text = rest
	}
	return ok
}

// word takes a name off the schema.
func (s *schema) word() string {
	s.text = strings.TrimLeft(s.text, " ")
	n := strings.IndexFunc(s.text, func(r rune) bool { return !strings.ContainsRune(wordRunes, r) })
	if n < 0 {
		n = len(s.text)
	}
	w := s.text[:n]
	s.text = s.text[n:]
	return w
}

const wordRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/.*"

// check takes one type off the schema and compares v with it.
func (s *schema) check(at string, v any) error {
	switch {
	case s.take("page of "):
		return s.envelope(at, v, "count", "next", "previous", "results")
	case s.take("list of "):
		return s.envelope(at, v, "count", "results")
	case s.take("["):
		return s.list(at, v)
	case s.take("{"):
		return s.object(at, v)
	}
	name := s.word()
	null := s.take("?")
	if v == nil && null {
		return nil
	}
	if text, ok := objectSchemas()[name]; ok {
		inner := &schema{text}
		return inner.check(at, v)
	}
	return scalar(at, name, v)
}

func (s *schema) envelope(at string, v any, members ...string) error {
	object, ok := v.(map[string]any)
	if !ok || len(object) != len(members) {
		return fmt.Errorf("%s is no envelope of %v: %v", at, members, v)
	}
	for _, m := range members {
		if _, ok := object[m]; !ok {
			return fmt.Errorf("%s has no %s", at, m)
		}
	}
	if err := scalar(at+".count", "int", object["count"]); err != nil {
		return err
	}
	return s.items(at+".results", object["results"])
}

func (s *schema) list(at string, v any) error {
	if err := s.items(at, v); err != nil {
		return err
	}
	if !s.take("]") {
		return fmt.Errorf("the schema of %s has no ]", at)
	}
	return nil
}

// items compares every item with the same type, which is taken off once.
func (s *schema) items(at string, v any) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%s is no list: %v", at, v)
	}
	start := s.text
	for i, item := range list {
		s.text = start
		if err := s.check(fmt.Sprintf("%s[%d]", at, i), item); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		s.skip()
	}
	return nil
}

// skip takes one type off the schema without a value.
func (s *schema) skip() {
	s.text = strings.TrimLeft(s.text, " ")
	depth, n := 0, 0
	for n = 0; n < len(s.text); n++ {
		c := s.text[n]
		if depth == 0 && n > 0 && (c == ' ' || c == ']' || c == '}') {
			break
		}
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
	}
	s.text = s.text[n:]
}

func (s *schema) object(at string, v any) error {
	object, ok := v.(map[string]any)
	if !ok && v != nil {
		return fmt.Errorf("%s is no object: %v", at, v)
	}
	seen := []string{}
	for !s.take("}") {
		name := s.word()
		maybe := s.take("?")
		if name == "" || !s.take(":") {
			return fmt.Errorf("the schema of %s is broken at %q", at, s.text)
		}
		start := s.text
		s.skip()
		end := s.text
		for _, member := range keysOf(object, name) {
			value, there := object[member]
			if !there && maybe {
				continue
			}
			if !there && v != nil {
				return fmt.Errorf("%s has no %s", at, member)
			}
			seen = append(seen, member)
			s.text = start
			if err := s.check(at+"."+member, value); err != nil && v != nil {
				return err
			}
		}
		s.text = end
	}
	if null := s.take("?"); v == nil && !null {
		return fmt.Errorf("%s is null", at)
	}
	for member := range object {
		if !slices.Contains(seen, member) {
			return fmt.Errorf("%s has %s, which the schema does not know", at, member)
		}
	}
	return nil
}

// keysOf is the member itself, or all of them for *.
func keysOf(object map[string]any, name string) []string {
	if name != "*" {
		return []string{name}
	}
	var out []string
	for k := range object {
		out = append(out, k)
	}
	return out
}

// scalar compares v with a simple kind.
func scalar(at, kind string, v any) error {
	text, isText := v.(string)
	number, isNumber := v.(json.Number)
	_, isBool := v.(bool)
	ok := false
	switch kind {
	case "any":
		ok = true
	case "str":
		ok = isText
	case "num":
		ok = isNumber
	case "int":
		ok = isNumber && !strings.ContainsAny(string(number), ".eE")
	case "bool":
		ok = isBool
	case "uuid":
		ok = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(text)
	case "time":
		_, err := time.Parse("2006-01-02T15:04:05Z", text)
		ok = len(text) == 20 && err == nil
	default:
		return fmt.Errorf("the schema of %s has an unknown kind %q", at, kind)
	}
	if !ok {
		return fmt.Errorf("%s is no %s: %v", at, kind, v)
	}
	return nil
}

// The language of schemas bites where it should.
func TestSchemas(t *testing.T) {
	for _, tc := range []struct {
		want, body string
		ok         bool
	}{
		{"{a:int}", `{"a":1}`, true}, {"{a:int}", `{"a":1.5}`, false}, {"{a:int}", `{"a":"1"}`, false},
		{"{a:int}", `{}`, false}, {"{a?:int}", `{}`, true}, {"{a:int}", `{"a":1,"b":2}`, false},
		{"{a:int?}", `{"a":null}`, true}, {"{a:int}", `{"a":null}`, false},
		{"[str]", `["a"]`, true}, {"[str]", `[]`, true}, {"[str]", `null`, false}, {"[str]", `["a",1]`, false},
		{"{*:[str]}", `{"x":["a"],"y":[]}`, true}, {"{*:[str]}", `{"x":"a"}`, false}, {"{*:int}", `{}`, true},
		{"{a:{b:str} c:bool}", `{"a":{"b":"x"},"c":true}`, true}, {"{a:{b:str} c:bool}", `{"a":{},"c":true}`, false},
		{"{a:{*:int}? b:int}", `{"a":null,"b":1}`, true}, {"{a:{*:int} b:int}", `{"a":null,"b":1}`, false},
		{"{a:[{b:int}] c:int}", `{"a":[],"c":1}`, true}, {"{a:[{b:int}] c:int}", `{"a":[{"b":1},{}],"c":1}`, false},
		{"page of {a:int}", `{"count":1,"next":null,"previous":null,"results":[{"a":1}]}`, true},
		{"page of {a:int}", `{"count":1,"next":null,"previous":null,"results":null}`, false},
		{"list of str", `{"count":0,"results":[]}`, true}, {"list of str", `{"count":0,"next":null,"results":[]}`, false},
		{"{a:time}", `{"a":"2026-01-02T03:04:05Z"}`, true}, {"{a:time}", `{"a":"2026-01-02T03:04:05.6Z"}`, false},
		{"{a:uuid}", `{"a":"0"}`, false}, {"{a:nonsense}", `{"a":1}`, false},
		{"Domain", `{"app":"a","domain":"d","ptype":"web","created":"2026-01-02T03:04:05Z","updated":"2026-01-02T03:04:05Z"}`, true},
	} {
		var v any
		d := json.NewDecoder(strings.NewReader(tc.body))
		d.UseNumber()
		require.NoError(t, d.Decode(&v))
		s := &schema{tc.want}
		err := s.check("it", v)
		assert.Equal(t, tc.ok, err == nil && strings.TrimSpace(s.text) == "", "%s %s: %v, left %q", tc.want, tc.body, err, s.text)
	}
}
