package control

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// hookCall is what a call of a build hook tells.
type hookCall struct {
	SHA string // of the commit that was pushed; empty when it is not told
	sum string // of all that was told
}

// readCall reads what a host of repositories tells. ignored is why nothing is
// to be built. GitHub, GitLab, Gitea and Forgejo all send an object with ref
// and after for a push; an empty object, as a script may send it, is one too.
func readCall(call HookCall, branch string) (told hookCall, ignored string, err error) {
	switch event := strings.ToLower(call.Event); event {
	case "", "push", "push hook":
	case "ping":
		return told, "pong", nil
	default:
		return told, "Nothing is built upon this event; pushes are what this hook is for.", nil
	}
	body := bytes.TrimSpace(call.payload())
	if len(body) == 0 {
		body = []byte("{}")
	}
	var push struct {
		Ref     string `json:"ref"`
		After   string `json:"after"`
		Deleted bool   `json:"deleted"`
	}
	if err := json.Unmarshal(body, &push); err != nil {
		return told, "", platform.Errorf(platform.Invalid, "The body is not the JSON object of a push.")
	}
	if push.Ref != "" && push.Ref != "refs/heads/"+branch {
		return told, "Nothing is built: this hook is for the branch " + branch + ".", nil
	}
	if push.Deleted || push.After != "" && strings.Trim(push.After, "0") == "" {
		return told, "Nothing is built: the branch was removed.", nil
	}
	if push.After != "" && !regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`).MatchString(push.After) {
		return told, "", platform.FieldErrorf("after", "It is no commit.")
	}
	sum := sha256.Sum256(call.Body)
	return hookCall{SHA: push.After, sum: hex.EncodeToString(sum[:])}, "", nil
}
