package drycc

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// pageFrame is what all pages have around what they say; stories leave it out.
var pageFrame = regexp.MustCompile(`(?s)<!doctype html>.*<main>\n|</main>.*`)

// outside says what some stories have around the controller.
func outside(story string) []func(*control.Options) {
	switch story {
	case "invitations":
		return []func(*control.Options){func(o *control.Options) { o.Mailer = postbox{} }}
	case "registration":
		return []func(*control.Options){func(o *control.Options) { o.Registration = platform.RegistrationEnabled }}
	case "unregistered":
		return []func(*control.Options){func(o *control.Options) { o.Registration = platform.RegistrationDisabled }}
	}
	return nil
}

// provider is an identity provider that believes the code "good".
type provider struct{}

func (provider) Name() string { return "Example ID" }

func (provider) Begin(_ context.Context, state, redirect string) (string, string, error) {
	return "https://id.example.com/authorize?" + url.Values{"state": {state}, "redirect_uri": {redirect}}.Encode(), "secret", nil
}

func (provider) Finish(_ context.Context, code, redirect, secret string) (platform.Person, error) {
	if code != "good" || secret != "secret" || redirect != "http://drycc.slipway.localhost/v2/complete/drycc/" {
		return platform.Person{}, platform.Errorf(platform.Unauthenticated, "The identity provider did not confirm the login.")
	}
	return platform.Person{Origin: platform.OriginOIDC, Subject: "https://id.example.com 7", Username: "Carol", Email: "carol@example.com",
		FirstName: "Carol", LastName: "Shaw", Groups: []string{"games"}}, nil
}

func (p provider) Verify(ctx context.Context, idToken string) (platform.Person, error) {
	return p.Finish(ctx, idToken, "http://drycc.slipway.localhost/v2/complete/drycc/", "secret")
}

// postbox takes mail, but none to bounce@example.com.
type postbox struct{}

func (postbox) Send(_ context.Context, to, _, text string) error {
	if to == "bounce@example.com" || !strings.Contains(text, "http://drycc.slipway.localhost/v2/workspaces/") {
		return http.ErrNotSupported
	}
	return nil
}

// sitDown makes a request to pages what a browser sends: with its cookies,
// forms as forms, and wanting pages.
func (s *stage) sitDown(who, target string, r *http.Request) {
	jar, sits := who, strings.HasSuffix(who, "browser")
	page := strings.HasPrefix(target, "/v2/login/") || strings.HasPrefix(target, "/v2/complete/")
	if !sits {
		jar = "browser" // whoever wants a page has one
	}
	if !sits && !page {
		return
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml")
	if page {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range s.cookies[jar] {
		r.AddCookie(c)
	}
}
