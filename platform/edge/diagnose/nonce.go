package diagnose

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform/control"
)

// noncePrefix tells nonces from an authority's tokens, which have no dots.
const noncePrefix = "slipway-check."

// nonceLife is how long a nonce is answered.
const nonceLife = 5 * time.Minute

// Nonces makes nonces and answers them. Nothing is kept: every server that has
// the same key answers the nonces of all. Safe for concurrent use.
type Nonces struct {
	key []byte
	now func() time.Time
}

// NewNonces takes a secret that all servers of the platform share.
func NewNonces(key []byte, now func() time.Time) *Nonces {
	if now == nil {
		now = time.Now
	}
	return &Nonces{key: key, now: now}
}

// make returns the path of a new nonce and what is answered there.
func (n *Nonces) make() (path, answer string) {
	body := strconv.FormatInt(n.now().Add(nonceLife).Unix(), 36) + "." + rand.Text()
	token := noncePrefix + body + "." + n.sign("ask", body)
	return control.ChallengePath + token, n.sign("answer", token)
}

// Answer is what is answered for a token; false for what is no nonce of ours
// or is too old.
func (n *Nonces) Answer(token string) (string, bool) {
	rest, ok := strings.CutPrefix(token, noncePrefix)
	if !ok || len(token) > 200 {
		return "", false
	}
	cut := strings.LastIndexByte(rest, '.')
	if cut < 0 || !hmac.Equal([]byte(rest[cut+1:]), []byte(n.sign("ask", rest[:cut]))) {
		return "", false
	}
	until, _, _ := strings.Cut(rest, ".")
	end, err := strconv.ParseInt(until, 36, 64)
	if err != nil || n.now().Unix() > end {
		return "", false
	}
	return n.sign("answer", token), true
}

func (n *Nonces) sign(what, text string) string {
	mac := hmac.New(sha256.New, n.key)
	_, _ = mac.Write([]byte(what + "\x00" + text)) // a hash takes all
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// Handler answers nonces below control.ChallengePath and passes on all else.
func (n *Nonces) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.URL.Path, control.ChallengePath)
		if ok {
			if answer, ok := n.Answer(token); ok {
				w.Header().Set("Content-Type", "text/plain")
				w.Header().Set("Cache-Control", "no-store")
				_, _ = w.Write([]byte(answer)) // a client that went away is not our error
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
