package platform

import (
	"encoding/json"
	"errors"
	"reflect"
	"sort"
	"strings"
	"testing"
	"unicode/utf8"
)

// refusal checks that an error is one that users may see: Invalid, with a
// sentence in it.
func refusal(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != Invalid || e.Message == "" {
		t.Fatalf("not a refusal: %#v", err)
	}
	if !utf8.ValidString(e.Message) {
		t.Fatalf("not text: %q", e.Message)
	}
}

// What is accepted as an image is written again as it was read.
func FuzzImage(f *testing.F) {
	for _, s := range []string{
		"", "hello", "library/hello:1.2", "Registry.example.com:5000/team/app:v1", "localhost/x", "127.0.0.1:5555/a/b:git-1",
		"[::1]:5000/a@sha256:" + strings.Repeat("a", 64), "a//b", "a:b:c", "-a", "a__b/c.d-e", "x@sha512:" + strings.Repeat("0", 128),
		"[fe80::1%eth0]/x", "host:/x", "a:" + strings.Repeat("t", 129), strings.Repeat("a", 300),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := ParseImage(s)
		if err != nil {
			refusal(t, err)
			return
		}
		if ref.String() != s {
			t.Fatalf("%q became %q", s, ref)
		}
		again, err := ParseImage(ref.String())
		if err != nil || again != ref {
			t.Fatalf("%q: %+v, then %+v, %v", s, ref, again, err)
		}
		if strings.ContainsAny(s, " \t\r\n\x00\"'\\") {
			t.Fatalf("%q would need quoting", s)
		}
		if err := ValidateImage(s, "slipway.localhost"); err != nil {
			refusal(t, err)
		}
	})
}

// What is accepted as a Procfile can be run: names become DNS labels, commands
// have at least one word.
func FuzzProcfileRuns(f *testing.F) {
	f.Add("web", "serve --port $PORT", "worker", "work")
	f.Add("web", "", "w", "x")
	f.Add("web-", "\x00", "a--b", "\t")
	f.Add("Web", "x", strings.Repeat("a", 64), "x y")
	f.Fuzz(func(t *testing.T, name1, command1, name2, command2 string) {
		procfile := map[string]string{name1: command1, name2: command2}
		if err := ValidateProcfile(procfile); err != nil {
			refusal(t, err)
			return
		}
		b := Build{Image: "hello", Procfile: procfile}
		ptypes, err := b.Ptypes()
		if err != nil || len(ptypes) != len(procfile) || !sort.StringsAreSorted(ptypes) {
			t.Fatalf("%v, %v", ptypes, err)
		}
		for _, p := range ptypes {
			if len(p) > 63 || p != strings.ToLower(p) || strings.Trim(p, "-") != p {
				t.Fatalf("%q is no label", p)
			}
			l, err := b.Launch(p)
			if err != nil || len(l.Args) == 0 || strings.Contains(strings.Join(l.Args, ""), "\x00") {
				t.Fatalf("%q: %+v, %v", p, l, err)
			}
		}
	})
}

// What is accepted as a .drycc directory is JSON to its end, reads the same
// again, and each of its pipelines can be launched and settled.
func FuzzDryccfileRuns(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `null`, `[]`, `{"config":{}}`, `{"pipeline":{}}`, `{"pipeline":{}} {"pipeline":{}}`,
		`{"config":{"global":{"A":"b"}},"pipeline":{"web.yaml":{"kind":"pipeline","ptype":"web","build":{"docker":"Dockerfile","arg":{"A":"1"}},` +
			`"env":{"PORT":"80"},"run":{"command":["a"],"args":["b"],"image":"web","timeout":5},"config":["global"],"deploy":{"command":["c"],"args":["d"],"image":"worker"}},` +
			`"worker.yml":{"kind":"pipeline","ptype":"worker","deploy":{}}}}`,
		`{"pipeline":{"a":{"kind":"pipeline","ptype":"web","deploy":{"command":["a\u0000b"]}}}}`,
		`{"pipeline":{"a":{"kind":"pipeline","ptype":"web","run":{"timeout":-1},"deploy":{}}}}`,
		`{"pipeline":{"a":{"kind":"pipeline","ptype":"web","deploy":{}},"b":{"kind":"pipeline","ptype":"web","deploy":{}}}}`,
		`{"pipeline":{"a":{"kind":"pipeline","ptype":"web","env":{"PORT":"x"},"deploy":{}}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseDryccfile(data)
		if err != nil {
			refusal(t, err)
			return
		}
		if d == nil {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("%q is no JSON", data)
		}
		again, err := ParseDryccfile(data)
		if err != nil || !reflect.DeepEqual(d, again) {
			t.Fatalf("%+v, then %+v, %v", d, again, err)
		}
		b := Build{Image: "hello", Dryccfile: data}
		ptypes, err := b.Ptypes()
		if err != nil || len(ptypes) != len(d.Pipelines) {
			t.Fatalf("%v, %v", ptypes, err)
		}
		for _, p := range ptypes {
			l, err := b.Launch(p)
			if err != nil || l.Image == "" || strings.Contains(strings.Join(append(l.Command, l.Args...), ""), "\x00") {
				t.Fatalf("%q: %+v, %v", p, l, err)
			}
		}
		checkSettled(t, d)
	})
}

// checkSettled checks that what a file settles is what users could have set.
func checkSettled(t *testing.T, d *Dryccfile) {
	t.Helper()
	c := d.Settle(Config{})
	for _, v := range c.Values {
		if (v.Group == "") == (v.Ptype == "") {
			t.Fatalf("%+v has no place, or two", v)
		}
		if err := errors.Join(ValidateConfigKey(v.Name), ValidateConfigValue(v.Name, v.Value)); err != nil {
			t.Fatalf("%+v: %v", v, err)
		}
	}
	for _, p := range d.Pipelines {
		if n := c.Port(p.Ptype); n < 1 || n > 65535 {
			t.Fatalf("port %d", n)
		}
		if p.Run != nil && (p.Run.Timeout < 0 || strings.Contains(strings.Join(append(p.Run.Command, p.Run.Args...), ""), "\x00")) {
			t.Fatalf("%+v", p.Run)
		}
	}
}

// What is accepted as a variable is one that a process can have.
func FuzzConfigVariable(f *testing.F) {
	for _, s := range [][2]string{
		{"A", "b"}, {"PORT", "80"}, {"PORT", "0x50"}, {"PORT", "65536"}, {"PORT", "００８０"}, {"a.b-c_D", ""}, {"", "x"}, {"A=B", "x"},
		{"A", "x\x00y"}, {"A", "line\nline"}, {"Ä", "x"}, {strings.Repeat("A", 254), "x"}, {"PORT", "+80"}, {"PORT", "00000000080"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		if err := errors.Join(ValidateConfigKey(name), ValidateConfigValue(name, value)); err != nil {
			refusal(t, err)
			return
		}
		if name == "" || strings.ContainsAny(name, "=\x00 \n") || strings.ContainsRune(value, 0) {
			t.Fatalf("%q=%q", name, value)
		}
		c := Config{Values: []ConfigValue{{Name: name, Value: value, Group: GlobalGroup}}}
		env := Environment(App{}, Release{}, Build{}, c, "web")
		if name != "PORT" && env[name] != value {
			t.Fatalf("%q became %q", value, env[name])
		}
		if n, err := ParsePort(env["PORT"]); err != nil || n != c.Port("web") {
			t.Fatalf("PORT %q: %v", env["PORT"], err)
		}
	})
}

// A key's id that is accepted shows on one line.
func FuzzKeyID(f *testing.F) {
	for _, s := range []string{"", "root@vm", "a/b c", "\n", "\xff", "é", strings.Repeat("x", 129), "\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if err := ValidateKeyID(id); err != nil {
			refusal(t, err)
			return
		}
		if id == "" || !utf8.ValidString(id) || strings.ContainsAny(id, "\r\n\x00\t") {
			t.Fatalf("%q", id)
		}
	})
}
