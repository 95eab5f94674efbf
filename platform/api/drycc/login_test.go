package drycc

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/control"
)

// browserOf is a browser without scripts: cookies, links and forms.
type browserOf struct {
	*http.Client
	t    *testing.T
	base string
}

func openBrowser(t *testing.T, s *stage) browserOf {
	t.Helper()
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return browserOf{&http.Client{Jar: jar}, t, server.URL}
}

// begin is the client's first step; it does not follow.
func (b browserOf) begin() string {
	b.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Post(b.base+"/v2/auth/login/", "application/json", nil)
	require.NoError(b.t, err)
	require.NoError(b.t, resp.Body.Close())
	require.Equal(b.t, http.StatusFound, resp.StatusCode)
	return resp.Header.Get("Location")
}

func (b browserOf) read(resp *http.Response, err error) (string, *http.Response) {
	b.t.Helper()
	require.NoError(b.t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	require.NoError(b.t, resp.Body.Close())
	return string(body), resp
}

// fields are the hidden fields of the first form.
func fields(page string) url.Values {
	form := url.Values{}
	first, _, _ := strings.Cut(page, "</form>")
	for _, m := range regexp.MustCompile(`type="hidden" name="(\w+)" value="(\w+)"`).FindAllStringSubmatch(first, -1) {
		form.Set(m[1], m[2])
	}
	return form
}

func TestLoginByBrowser(t *testing.T) {
	s := newStage(t)
	b := openBrowser(t, s)
	address := b.begin()
	require.Regexp(t, `^`+regexp.QuoteMeta(b.base)+`/v2/login/drycc/\?key=[0-9a-f]{32}$`, address)
	page, resp := b.read(b.Get(address))
	require.Equal(t, http.StatusOK, resp.StatusCode)
	form := fields(page)
	form.Set("username", "adalove")
	form.Set("password", password)
	page, resp = b.read(b.PostForm(b.base+loginPath, form))
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, loginDone, resp.Request.URL.Path)
	require.Contains(t, page, "<h1>You are logged in</h1>")
	_, key, _ := strings.Cut(address, "key=")
	body, resp := b.read(b.Get(b.base + "/v2/auth/token/" + key + "/?alias=workflow-cli"))
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Contains(t, body, `"username":"adalove"`)
	for _, secret := range []string{key, form.Get("csrf"), password} {
		assert.NotContains(t, s.log.String(), secret)
	}
}

func TestPagesProtectThemselves(t *testing.T) {
	s := newStage(t)
	b := openBrowser(t, s)
	address := b.begin()
	for _, target := range []string{address, b.base + loginDone, b.base + loginPath + "?key=none", b.base + completePath + "?state=x&code=y"} {
		page, resp := b.read(b.Get(target))
		head := resp.Header
		style := page[strings.Index(page, "<style>")+len("<style>") : strings.Index(page, "</style>")]
		sum := sha256.Sum256([]byte(style))
		assert.Equal(t, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", head.Get("Content-Security-Policy"), target)
		assert.Equal(t, "DENY", head.Get("X-Frame-Options"))
		assert.Equal(t, "no-referrer", head.Get("Referrer-Policy"), "the address holds the key")
		assert.Equal(t, "nosniff", head.Get("X-Content-Type-Options"))
		assert.Equal(t, "no-store", head.Get("Cache-Control"))
		assert.NotContains(t, page, "<script")
		assert.NotRegexp(t, `\son\w+=|style="|https?://`, strings.ReplaceAll(page, b.base, ""), "nothing inline, nothing from elsewhere")
		assert.Contains(t, page, `<html lang="en">`)
		assert.Equal(t, 1, strings.Count(page, "<h1>"))
		for _, m := range regexp.MustCompile(`<input id="(\w+)"`).FindAllStringSubmatch(page, -1) {
			assert.Contains(t, page, `<label for="`+m[1]+`">`, "every field has its label")
		}
	}
}

// A page elsewhere can't send the form, even if it knows the key.
func TestForgedForms(t *testing.T) {
	s := newStage(t)
	b := openBrowser(t, s)
	address := b.begin()
	page, _ := b.read(b.Get(address))
	good := fields(page)
	good.Set("username", "adalove")
	good.Set("password", password)
	other := fields(func() string { p, _ := b.read(b.Get(b.begin())); return p }())
	for name, forge := range map[string]func(form url.Values, head http.Header){
		"no token":       func(form url.Values, _ http.Header) { form.Del("csrf") },
		"other login":    func(form url.Values, _ http.Header) { form.Set("csrf", other.Get("csrf")) },
		"other key":      func(form url.Values, _ http.Header) { form.Set("key", other.Get("key")) },
		"other site":     func(_ url.Values, head http.Header) { head.Set("Sec-Fetch-Site", "cross-site") },
		"other origin":   func(_ url.Values, head http.Header) { head.Set("Origin", "https://elsewhere.example") },
		"without cookie": func(_ url.Values, head http.Header) { head.Set("Cookie", cookieName+"="+strings.Repeat("a", 64)) },
		"in the address": func(form url.Values, _ http.Header) { form.Set("csrf", ""); form.Set("", "") },
	} {
		form, head := url.Values{}, http.Header{}
		for k, v := range good {
			form[k] = v
		}
		form.Set("csrf", good.Get("csrf"))
		forge(form, head)
		r, err := http.NewRequest(http.MethodPost, b.base+loginPath+"?csrf="+good.Get("csrf"), strings.NewReader(form.Encode()))
		require.NoError(t, err)
		r.Header = head
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		client := b.Client
		if head.Get("Cookie") != "" {
			client = &http.Client{}
		}
		_, resp := b.read(client.Do(r))
		assert.Equal(t, http.StatusForbidden, resp.StatusCode, name)
	}
	_, resp := b.read(b.PostForm(b.base+loginPath, good))
	require.Equal(t, loginDone, resp.Request.URL.Path, "the good one still works")
}

func TestLoginCookie(t *testing.T) {
	s := newStage(t)
	key, err := s.core.OpenLogin("192.0.2.1")
	require.NoError(t, err)
	for proto, secure := range map[string]bool{"https": true, "": false} {
		w := call(s.handler, "GET", loginPath+"?key="+key, "", "X-Forwarded-Proto", proto)
		require.Len(t, w.Result().Cookies(), 1)
		c := w.Result().Cookies()[0]
		assert.Equal(t, secure, c.Secure, proto)
		assert.True(t, c.HttpOnly)
		assert.Equal(t, http.SameSiteLaxMode, c.SameSite)
		assert.Regexp(t, `^[0-9a-f]{64}$`, c.Value)
		again := call(s.handler, "GET", loginPath+"?key="+key, "", "Cookie", c.Name+"="+c.Value)
		assert.Empty(t, again.Result().Cookies(), "a browser that has one keeps it")
	}
	w := call(s.handler, "GET", loginPath+"?key="+key, "", "Origin", "https://elsewhere.example")
	assert.Empty(t, w.Header().Get("Access-Control-Allow-Origin"), "no script elsewhere reads the page")
}

func TestLoginIsThrottledInWords(t *testing.T) {
	s := newStage(t, func(o *control.Options) { o.SignOn = provider{} })
	b := openBrowser(t, s)
	page, _ := b.read(b.Get(b.begin()))
	form := fields(page)
	form.Set("username", "adalove")
	form.Set("password", "guess")
	for range 10 {
		_, resp := b.read(b.PostForm(b.base+loginPath, form))
		require.Equal(t, http.StatusForbidden, resp.StatusCode)
	}
	page, resp := b.read(b.PostForm(b.base+loginPath, form))
	require.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
	require.Contains(t, page, "Request was throttled. Expected available in 2 seconds.")
	require.Contains(t, page, `name="password"`, "the form is there again")
}

func TestAgo(t *testing.T) {
	for seconds, want := range map[int]string{0: "just now", 9: "just now", 15: "15 seconds ago", 119: "119 seconds ago", 120: "2 minutes ago", 1700: "28 minutes ago"} {
		assert.Equal(t, want, ago(time.Duration(seconds)*time.Second))
	}
}
