package edge

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
	"github.com/sirupsen/logrus"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// challengeLife is how long a challenge is answered. Those of tries that were
// killed are left behind.
const challengeLife = time.Hour

// Challenges answers public authorities that ask a host back over HTTP, for
// whichever server of the platform asked them. Only a host with a challenge
// under way is answered for, and only with what belongs to the token.
type Challenges struct {
	shelf Shelf
	now   func() time.Time
	log   *logrus.Logger
}

// NewChallenges answers for what is on the shelf.
func NewChallenges(shelf Shelf, now func() time.Time, log *logrus.Logger) *Challenges {
	return &Challenges{shelf: shelf, now: now, log: log}
}

// ServeHTTP answers GET /.well-known/acme-challenge/{token}.
func (c *Challenges) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.URL.Path, control.ChallengePath)
	if !ok || token == "" || strings.Contains(token, "/") || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	answer, err := c.find(r.Context(), r.Host, token)
	if err != nil {
		c.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(answer)) // who asked is gone
}

// Fail answers in plain text.
func (c *Challenges) Fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch platform.CodeOf(err) {
	case platform.NotFound:
		status = http.StatusNotFound
	case platform.Throttled:
		status = http.StatusTooManyRequests
	case platform.Unavailable:
		status = http.StatusServiceUnavailable
	}
	if status >= http.StatusInternalServerError {
		c.log.WithError(err).WithField("host", r.Host).Warn("edge: answering a challenge")
	}
	http.Error(w, http.StatusText(status), status)
}

func (c *Challenges) find(ctx context.Context, host, token string) (string, error) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	none := platform.Errorf(platform.NotFound, "no challenge of %s is under way", host)
	safe := certmagic.StorageKeys.Safe(host)
	if safe == "" {
		return "", none
	}
	names, err := c.shelf.ListItems(ctx, path.Join(challengesBelow, safe))
	if err != nil {
		return "", err
	}
	for _, name := range names {
		value, at, err := c.shelf.FindItem(ctx, name)
		if platform.CodeOf(err) == platform.NotFound || err == nil && c.now().After(at.Add(challengeLife)) {
			continue
		}
		if err != nil {
			return "", err
		}
		var asked acme.Challenge
		if err := json.Unmarshal(value, &asked); err != nil {
			return "", err
		}
		if asked.Type == acme.ChallengeTypeHTTP01 && asked.Token == token && strings.EqualFold(asked.Identifier.Value, host) {
			return asked.KeyAuthorization, nil
		}
	}
	return "", none
}
