package drycc

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// refusal is the field and text of an Invalid error.
func refusal(t *testing.T, err error) (field, text string) {
	t.Helper()
	var e *platform.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, platform.Invalid, e.Code)
	return e.Field, e.Message
}

func TestDecodeRefuses(t *testing.T) {
	tests := map[string]struct{ body, field, text string }{
		"unknown member":    {`{"imgae": "x"}`, "imgae", "not known"},
		"wrong type":        {`{"image": 1}`, "image", "Expected a string, but got a number."},
		"list as body":      {`[]`, "non_field_errors", "but got a list"},
		"string as body":    {`"x"`, "non_field_errors", "but got a string"},
		"null as body":      {`null`, "non_field_errors", "but got null"},
		"number as body":    {`1`, "non_field_errors", "but got a number"},
		"not JSON":          {`image=x`, "", "JSON parse error"},
		"cut off":           {`{"image": "x"`, "", "ends too early"},
		"two objects":       {`{"image": "x"} {}`, "", "more after"},
		"python quotes":     {`{'image': 'x'}`, "", "JSON parse error"},
		"broken UTF-8":      {"{\"image\": \"\xff\"}", "", "UTF-8"},
		"far too deep":      {`{"image": ` + strings.Repeat("[", 20000), "", "JSON parse error"},
		"deep inside known": {`{"procfile": {"web": "x"}, "nope": 1}`, "nope", "not known"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var into buildRequest
			field, text := refusal(t, decodeObject([]byte(test.body), &into))
			assert.Equal(t, test.field, field)
			assert.Contains(t, text, test.text)
		})
	}
}

func TestDecodeTakes(t *testing.T) {
	for name, body := range map[string]string{
		"nothing": "", "space": " \n", "empty": "{}", "echoed members": `{"uuid": "x", "app": "y", "created": null, "image": "i"}`,
	} {
		var into buildRequest
		assert.NoError(t, decodeObject([]byte(body), &into), name)
	}
}

func text2(s string) *string { return &s }

func decodeConfig(body string) (control.ConfigChange, error) {
	var into configRequest
	if err := decodeObject([]byte(body), &into); err != nil {
		return control.ConfigChange{}, err
	}
	return into.change()
}

func TestConfigForms(t *testing.T) {
	tests := map[string]struct {
		body string
		want control.ConfigChange
	}{
		"nothing": {`{}`, control.ConfigChange{}},
		"nulls":   {`{"values": null, "limits": null}`, control.ConfigChange{}},
		"list": {`{"values": [{"name": "A", "value": "1", "group": "global"}, {"name": "B", "value": 2.50, "ptype": "web"}, {"name": "C", "value": null, "ptype": "web"}, {"name": "D", "value": "", "group": "g"}]}`,
			control.ConfigChange{Values: []control.ValueChange{
				{Name: "A", Value: text2("1"), Group: "global"}, {Name: "B", Value: text2("2.50"), Ptype: "web"},
				{Name: "C", Ptype: "web"}, {Name: "D", Value: text2(""), Group: "g"}}}},
		"the guide's map": {`{"values": {"Z": "world", "A": 5, "B": null}}`,
			control.ConfigChange{Values: []control.ValueChange{
				{Name: "Z", Value: text2("world"), Group: "global"}, {Name: "A", Value: text2("5"), Group: "global"}, {Name: "B", Group: "global"}}}},
		"encoded strings": {`{"values": "{\"A\": \"x\"}", "limits": "{\"web\": \"p\"}", "tags": ""}`,
			control.ConfigChange{Values: []control.ValueChange{{Name: "A", Value: text2("x"), Group: "global"}},
				Limits: map[string]*string{"web": text2("p")}}},
		"encoded list": {`{"values": "[{\"name\": \"A\", \"value\": \"x\", \"group\": \"g\"}]"}`,
			control.ConfigChange{Values: []control.ValueChange{{Name: "A", Value: text2("x"), Group: "g"}}}},
		"maps": {`{"values_refs": {"web": ["g1", "g2"]}, "limits": {"web": "p", "run": null}, "tags": {"web": {"ssd": true_, "zone": 3, "old": null}, "x": null}, "registry": {"web": {"username": "u"}}, "termination_grace_period": {"web": 30}}`,
			control.ConfigChange{ValuesRefs: map[string][]string{"web": {"g1", "g2"}},
				Limits:           map[string]*string{"web": text2("p"), "run": nil},
				Tags:             map[string]map[string]*string{"web": {"ssd": text2("true"), "zone": text2("3"), "old": nil}, "x": nil},
				Registry:         map[string]map[string]*string{"web": {"username": text2("u")}},
				TerminationGrace: map[string]*string{"web": text2("30")}}},
		"probes": {`{"healthcheck": {"web": {"liveness_probe": {"http_get": {"path": "/a_b", "http_headers": [{"name": "x_y", "value": "v_w"}]}, "period_seconds": 5}, "readinessProbe": null}}, "lifecycle": {"web": {"pre_stop": {"exec": {"command": ["a_b"]}}}}}`,
			control.ConfigChange{Healthcheck: map[string]map[string]any{"web": {
				"livenessProbe":  map[string]any{"httpGet": map[string]any{"path": "/a_b", "httpHeaders": []any{map[string]any{"name": "x_y", "value": "v_w"}}}, "periodSeconds": 5.0},
				"readinessProbe": nil}},
				Lifecycle: map[string]map[string]any{"web": {"preStop": map[string]any{"exec": map[string]any{"command": []any{"a_b"}}}}}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := decodeConfig(strings.ReplaceAll(test.body, "true_", `"true"`))
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestConfigRefusals(t *testing.T) {
	tests := map[string]struct{ body, field, text string }{
		"neither":             {`{"values": [{"name": "A", "value": "x"}]}`, "values", `"A" needs either`},
		"both":                {`{"values": [{"name": "A", "value": "x", "group": "g", "ptype": "web"}]}`, "values", `"A" needs either`},
		"no value":            {`{"values": [{"name": "A", "group": "g"}]}`, "values", "null removes"},
		"more members":        {`{"values": [{"name": "A", "value": "x", "group": "g", "extra": 1}]}`, "values", `"extra" is not known`},
		"value is an object":  {`{"values": {"A": {"secret": 1}}}`, "values", `The value of "A"`},
		"value is a bool":     {`{"values": [{"name": "A", "value": true, "group": "g"}]}`, "values", `The value of "A"`},
		"values is a number":  {`{"values": 1}`, "values", "Expected a list, but got a number"},
		"name is a number":    {`{"values": [{"name": 1, "value": "x", "group": "g"}]}`, "values", "name: Expected a string"},
		"broken inner JSON":   {`{"values": "{"}`, "values", "ends too early"},
		"inner JSON, more":    {`{"limits": "{} {}"}`, "limits", "more after"},
		"map, more":           {`{"values": "{\"A\": \"x\"} 1"}`, "values", "more after"},
		"limit is a bool":     {`{"limits": {"web": true}}`, "limits", "Not a valid string, but true or false."},
		"tags too flat":       {`{"tags": {"web": "x"}}`, "tags", "Expected an object, but got a string"},
		"refs too flat":       {`{"values_refs": {"web": "g"}}`, "values_refs", "Expected a list"},
		"the guide's memory":  {`{"memory": {"web": true}}`, "memory", "Not a valid string, but true or false."},
		"unknown":             {`{"disk": {"web": "1G"}}`, "disk", "not known"},
		"healthcheck is text": {`{"healthcheck": "yes"}`, "healthcheck", "Expected an object or a list, but got a string."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := decodeConfig(test.body)
			field, text := refusal(t, err)
			assert.Equal(t, test.field, field)
			assert.Contains(t, text, test.text)
			assert.NotContains(t, text, "secret", "values stay out of errors")
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"values": {"A": "b"}}`, `{"values": [{"name": "A", "value": null, "group": "global"}]}`,
		`{"values": "{\"A\": 1}"}`, `{"limits": {"web": null}}`, `{"tags": {"web": null}}`, `{"healthcheck": {"web": {"liveness_probe": null}}}`,
		`{"image": "x", "procfile": {"web": "y"}}`, "{\"a\": \"\xff\"}", `{"values": {"A": {"B": 1}}}`, `{"values_refs": {"web": ["g"]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var config configRequest
		err := decodeObject(body, &config)
		if err == nil {
			var change control.ConfigChange
			if change, err = config.change(); err == nil {
				for _, v := range change.Values {
					if (v.Group == "") != (v.Ptype != "") && v.Group != "" {
						t.Fatalf("both group and ptype: %+v", v)
					}
				}
				if _, err := json.Marshal(change); err != nil {
					t.Fatal(err)
				}
			}
		}
		var build buildRequest
		for _, e := range []error{err, decodeObject(body, &build)} {
			var known *platform.Error
			if e != nil && (!errors.As(e, &known) || known.Code != platform.Invalid) {
				t.Fatalf("not a refusal: %v", e)
			}
			if known != nil && !utf8.ValidString(known.Message+known.Field) {
				t.Fatalf("not fit for an answer: %q", known.Message)
			}
		}
	})
}
