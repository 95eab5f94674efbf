package drycc

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/stretchr/testify/assert"
)

const hookBody = `{"url": "https://git.example.com/blog.git", "username": "bot", "password": "hunter2"}`

// hooked gives the app a build hook.
func hooked(c *cell) {
	h := c.do(anAdmin, "POST /v2/apps/${app}/builds/hook/", hookBody)
	c.vars["hook"], c.vars["secret"] = h["uuid"].(string), h["secret"].(string)
}

// callCell calls the hook as hosts of repositories do: no token helps there,
// only the secret does.
func callCell(c *cell, who role) {
	c.refuses("no proof", http.StatusForbidden, func() *httptest.ResponseRecorder { return c.ask(role(orNobody(who)), nil) })
	c.refuses("a made-up hook", http.StatusNotFound, func() *httptest.ResponseRecorder {
		return c.ask(role(orNobody(who)), map[string]string{"hook": "99999-not-there"})
	})
	if who != "" {
		return
	}
	body := `{"ref": "refs/heads/main", "after": "` + strings.Repeat("c0ffee12", 5) + `"}`
	mac := hmac.New(sha256.New, []byte(c.vars["secret"]))
	mac.Write([]byte(body))
	sum := hex.EncodeToString(mac.Sum(nil))
	for _, k := range []struct {
		name, header, value, event string
		status                     int
	}{
		{"GitHub's ping", "X-Hub-Signature-256", "sha256=" + sum, "X-GitHub-Event: ping", 200},
		{"an issue at Gitea", "X-Gitea-Signature", sum, "X-Gitea-Event: issues", 200},
		{"GitHub's push", "X-Hub-Signature-256", "sha256=" + sum, "X-GitHub-Event: push", 202},
		{"Forgejo's push, the same", "X-Forgejo-Signature", sum, "X-Forgejo-Event: push", 202},
		{"GitLab's push, the same", "X-Gitlab-Token", c.vars["secret"], "X-Gitlab-Event: Push Hook", 202},
	} {
		r := httptest.NewRequest("POST", c.target(nil), strings.NewReader(body))
		r.Header.Set(k.header, k.value)
		event, value, _ := strings.Cut(k.event, ": ")
		r.Header.Set(event, value)
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, r)
		c.settle()
		assert.Equal(c.t, k.status, w.Code, "%s: %s", k.name, w.Body)
		checkSchema(c.t, k.name, "{detail:str build:uuid?}", w.Body.Bytes())
	}
	assert.NotContains(c.t, c.log.String(), c.vars["secret"])
}

func orNobody(who role) role {
	if who == "" {
		return anonymous
	}
	return who
}

// buildHookRows are the rows of build hooks.
func buildHookRows() []row {
	return []row{
		{route: "GET /v2/apps/{app}/builds/hook/", arrange: hooked, status: 200},
		{route: "POST /v2/apps/{app}/builds/hook/", body: hookBody, status: 201},
		{route: "DELETE /v2/apps/{app}/builds/hook/", arrange: hooked, status: 204},
		{route: "POST /v2/apps/{app}/builds/hook/pull/", arrange: hooked, status: 201},
		{route: "POST /v2/builds/hook/{hook}/", arrange: hooked, status: 202, own: callCell},
	}
}
