package cis

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// Host is a host that can be asked.
type Host interface {
	// Output runs a program there that has to end well.
	Output(ctx context.Context, name string, args ...string) (string, error)
}

// Ask is one question to a host; nil says that the recommendation is met.
type Ask func(ctx context.Context, h Host) error

// stat asks for a property of every file that the patterns match; of none is
// an error.
func stat(ctx context.Context, h Host, format string, patterns []string) (map[string]string, error) {
	out, err := h.Output(ctx, "sh", "-c", "stat -c '%n "+format+"' "+strings.Join(patterns, " "))
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		name, value, _ := strings.Cut(line, " ")
		found[name] = value
	}
	return found, nil
}

// Mode asks whether files have at most these permissions.
func Mode(pattern string, most uint32) Ask {
	return func(ctx context.Context, h Host) error {
		files, err := stat(ctx, h, "%a", []string{pattern})
		if err != nil {
			return err
		}
		for name, value := range files {
			var mode uint32
			if _, err := fmt.Sscanf(value, "%o", &mode); err != nil {
				return fmt.Errorf("%s: mode %q: %w", name, value, err)
			}
			if mode&^most != 0 {
				return fmt.Errorf("%s has mode %o, more than %o", name, mode, most)
			}
		}
		return nil
	}
}

// Owned asks whether files belong to root and its group.
func Owned(patterns ...string) Ask { return ownedBy("root root", patterns) }

// OwnedBy asks whether files belong to a user and its group.
func OwnedBy(user string, patterns ...string) Ask { return ownedBy(user+" "+user, patterns) }

func ownedBy(want string, patterns []string) Ask {
	return func(ctx context.Context, h Host) error {
		files, err := stat(ctx, h, "%U %G", patterns)
		if err != nil {
			return err
		}
		for name, value := range files {
			if value != want {
				return fmt.Errorf("%s belongs to %s, not to %s", name, value, want)
			}
		}
		return nil
	}
}

// Exists asks whether a file is there.
func Exists(file string) Ask {
	return func(ctx context.Context, h Host) error {
		_, err := h.Output(ctx, "test", "-e", file)
		return err
	}
}

// Contains asks whether a file has a text.
func Contains(file, text string) Ask {
	return func(ctx context.Context, h Host) error {
		_, err := h.Output(ctx, "grep", "-qF", "--", text, file)
		return err
	}
}

// Lacks asks whether a file has not a text.
func Lacks(file, text string) Ask {
	return func(ctx context.Context, h Host) error {
		out, err := h.Output(ctx, "cat", file)
		if err == nil && strings.Contains(out, text) {
			err = fmt.Errorf("%s has %q", file, text)
		}
		return err
	}
}

// flags are those that k3s says it started a part with, the last time.
func flags(ctx context.Context, h Host, part string) (map[string]string, error) {
	out, err := h.Output(ctx, "sh", "-c", "journalctl -u slipway.service --no-pager -o cat | grep -F 'Running "+part+" ' | tail -n 1")
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, word := range strings.Fields(strings.ReplaceAll(out, `"`, " ")) {
		if name, value, ok := strings.Cut(strings.TrimPrefix(word, "--"), "="); ok && strings.HasPrefix(word, "--") {
			found[name] = value
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("the log has no line of how %s was started: %q", part, out)
	}
	return found, nil
}

// matches compares with a pattern of path.Match whose "*" also means slashes;
// "!" before it means that it must not match.
func matches(value, pattern string) bool {
	if rest, not := strings.CutPrefix(pattern, "!"); not {
		return !matches(value, rest)
	}
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(value, "/", "\x00"))
	return err == nil && ok
}

// Flag asks whether a part was started with a flag whose value matches.
func Flag(part, name, pattern string) Ask { return flagOf(part, name, pattern, false) }

// NoFlagOr is Flag, and content with the default.
func NoFlagOr(part, name, pattern string) Ask { return flagOf(part, name, pattern, true) }

// NoFlag asks whether a part was started without a flag.
func NoFlag(part, name string) Ask { return flagOf(part, name, "!*", true) }

func flagOf(part, name, pattern string, absentIsWell bool) Ask {
	return func(ctx context.Context, h Host) error {
		all, err := flags(ctx, h, part)
		if err != nil {
			return err
		}
		value, given := all[name]
		if !given && !absentIsWell {
			return fmt.Errorf("%s was started without --%s", part, name)
		}
		if given && !matches(value, pattern) {
			return fmt.Errorf("%s was started with --%s=%s, which is not %s", part, name, value, pattern)
		}
		return nil
	}
}

// Kubelet asks the kubelet for a field of the configuration it works with.
func Kubelet(field, pattern string) Ask { return kubeletField(field, pattern, false) }

// KubeletOr is Kubelet, and content with a field that is not there: zero is
// left out.
func KubeletOr(field, pattern string) Ask { return kubeletField(field, pattern, true) }

func kubeletField(field, pattern string, absentIsWell bool) Ask {
	return func(ctx context.Context, h Host) error {
		node, err := h.Output(ctx, "slipway", "kubectl", "get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
		if err != nil {
			return err
		}
		out, err := h.Output(ctx, "slipway", "kubectl", "get", "--raw", "/api/v1/nodes/"+node+"/proxy/configz")
		if err != nil {
			return err
		}
		var answer map[string]any
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			return err
		}
		var value any = answer["kubeletconfig"]
		for _, name := range strings.Split(field, ".") {
			object, _ := value.(map[string]any)
			value = object[name]
		}
		text := ""
		if value != nil {
			text = fmt.Sprint(value)
		}
		if value == nil && absentIsWell {
			return nil
		}
		if value == nil || !matches(text, pattern) {
			return fmt.Errorf("the kubelet's %s is %q, which is not %s", field, text, pattern)
		}
		return nil
	}
}

// Empty asks whether a kubectl query names nothing but what is allowed.
func Empty(query string, allowed ...string) Ask {
	return func(ctx context.Context, h Host) error {
		out, err := h.Output(ctx, "slipway", append([]string{"kubectl"}, strings.Fields(query)...)...)
		if err != nil {
			return err
		}
		for _, line := range strings.Fields(out) {
			if !strings.Contains(" "+strings.Join(allowed, " ")+" ", " "+line+" ") {
				return fmt.Errorf("%s names %s", query, line)
			}
		}
		return nil
	}
}
