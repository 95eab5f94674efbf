package build

import (
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// enabled reports whether a switch in an app's config is on: any value but
// nothing, 0 and words for no.
func enabled(value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "0", "false", "no", "off":
		return false
	}
	return true
}

// buildArgs are the arguments of every Dockerfile: the app's config when that
// is enabled, and those of the file .build-arg, which win. Private keys and
// the switches of a build are not among them.
func buildArgs(t *tree, config map[string]string) (map[string]string, error) {
	args := map[string]string{}
	if enabled(config["DRYCC_DOCKER_BUILD_ARGS_ENABLED"]) {
		for name, value := range config {
			if name != "SSH_KEY" && !strings.HasPrefix(name, "BUILDKIT_") {
				args[name] = value
			}
		}
	}
	values, err := parseVariables(t.content(buildArgsName), buildArgsName)
	if err != nil {
		return nil, err
	}
	for name, value := range values {
		args[name] = value
	}
	return args, nil
}

// packEnv is the environment of buildpacks: like a Dockerfile's arguments, but
// an app's config is always theirs, as the platform's API has it.
func packEnv(config, args map[string]string) map[string]string {
	env := map[string]string{}
	for name, value := range config {
		if name != "SSH_KEY" && name != "DRYCC_STACK" {
			env[name] = value
		}
	}
	for name, value := range args {
		env[name] = value
	}
	return env
}

// packBuilder is the builder image that an app wants: its config, else the
// first line of .pack-builder.
func packBuilder(t *tree, config map[string]string) string {
	if b := strings.TrimSpace(config["DRYCC_PACK_BUILDER"]); b != "" {
		return b
	}
	for line := range strings.Lines(string(t.content(packBuilderName))) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return line
		}
	}
	return ""
}

// sshKey checks the private key in an app's config. A path, which the guide
// shows as well, means a file of the client and not one of this machine.
func sshKey(value string) (string, error) {
	text := strings.TrimSpace(strings.ReplaceAll(value, `\n`, "\n"))
	if text == "" {
		return "", nil
	}
	if !strings.HasPrefix(text, "-----BEGIN ") || !strings.Contains(text, "PRIVATE KEY-----") {
		return "", platform.FieldErrorf("SSH_KEY", "SSH_KEY in the app's config is no private key. Set it to the text of the key's file: drycc config set SSH_KEY=\"$(cat ~/.ssh/id_ed25519)\"")
	}
	return text + "\n", nil
}

// parseVariables reads lines of NAME=value. Comments begin with "#"; "export"
// may stand in front; a value may be in quotes.
func parseVariables(text []byte, file string) (map[string]string, error) {
	out := map[string]string{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "export "))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !found || name == "" || strings.ContainsAny(name, " \t\"'") {
			return nil, refusef("%s, line %d: a line is NAME=value.", file, number)
		}
		out[name] = unquote(strings.TrimSpace(value))
	}
	return out, nil
}

func unquote(value string) string {
	if len(value) < 2 || value[0] != value[len(value)-1] {
		return value
	}
	inner := value[1 : len(value)-1]
	switch value[0] {
	case '\'':
		return inner
	case '"':
		return strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\"`, `"`, `\\`, `\`).Replace(inner)
	}
	return value
}
