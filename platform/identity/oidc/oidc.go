package oidc

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/slipway-paas/slipway/platform"
)

// Options say who the provider is, and who we are there. Issuer and ClientID
// are required.
type Options struct {
	Issuer        string // "https://id.example.com/realms/main", as in its discovery document
	ClientID      string
	ClientSecret  string
	Name          string       // on the login page; default: the issuer's host
	Scopes        []string     // default: openid, profile, email
	UsernameClaim string       // default: preferred_username, else the mail address's local part
	Client        *http.Client // default: one with a timeout
}

const timeout = 15 * time.Second

// Provider is a provider. Safe for concurrent use.
type Provider struct {
	o  Options
	mu sync.Mutex // held while the provider is looked up, so that it is asked once
	up *oidc.Provider
}

// New checks the options; it does not connect.
func New(o Options) (*Provider, error) {
	host, ok := strings.CutPrefix(o.Issuer, "https://")
	if !ok {
		host, ok = strings.CutPrefix(o.Issuer, "http://")
	}
	if !ok || host == "" {
		return nil, fmt.Errorf("OIDC_ISSUER %q: expected https://host/path", o.Issuer)
	}
	if o.ClientID == "" {
		return nil, errors.New("OIDC_CLIENT_ID is empty: give the name that this platform has at the provider")
	}
	if o.Name == "" {
		o.Name, _, _ = strings.Cut(host, "/")
	}
	if len(o.Scopes) == 0 {
		o.Scopes = []string{oidc.ScopeOpenID, "profile", "email"}
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: timeout}
	}
	return &Provider{o: o}, nil
}

// Name is what the provider is called on the login page.
func (p *Provider) Name() string { return p.o.Name }

// discover looks the provider up, once it answers.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.up != nil {
		return p.up, nil
	}
	// The provider keeps this context for later lookups of keys, so it must
	// not end with this request.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), p.o.Client)
	up, err := oidc.NewProvider(ctx, p.o.Issuer)
	if err != nil {
		return nil, away(err)
	}
	p.up = up
	return up, nil
}

func away(err error) error {
	return &platform.Error{Code: platform.Unavailable, Op: "oidc", Err: err,
		Message: "The identity provider can't be reached just now. Try again later."}
}

func unconfirmed(err error) error {
	return &platform.Error{Code: platform.Unauthenticated, Op: "oidc", Err: err,
		Message: "The identity provider did not confirm the login."}
}

func (p *Provider) config(up *oidc.Provider, redirect string) *oauth2.Config {
	return &oauth2.Config{ClientID: p.o.ClientID, ClientSecret: p.o.ClientSecret, Endpoint: up.Endpoint(), RedirectURL: redirect, Scopes: p.o.Scopes}
}

// Begin returns where the browser has to go. The secret holds the PKCE
// verifier and the nonce, which Finish needs again.
func (p *Provider) Begin(ctx context.Context, state, redirect string) (address, secret string, err error) {
	up, err := p.discover(ctx)
	if err != nil {
		return "", "", err
	}
	verifier, nonce := oauth2.GenerateVerifier(), newNonce()
	address = p.config(up, redirect).AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier))
	return address, verifier + " " + nonce, nil
}

func newNonce() string {
	var raw [24]byte
	_, _ = rand.Read(raw[:]) // never returns an error
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// Finish swaps the code that the browser brought for an ID token and tells
// whose it is.
func (p *Provider) Finish(ctx context.Context, code, redirect, secret string) (platform.Person, error) {
	up, err := p.discover(ctx)
	if err != nil {
		return platform.Person{}, err
	}
	verifier, nonce, ok := strings.Cut(secret, " ")
	if !ok || code == "" {
		return platform.Person{}, unconfirmed(errors.New("no code"))
	}
	set, err := p.config(up, redirect).Exchange(oidc.ClientContext(ctx, p.o.Client), code, oauth2.VerifierOption(verifier))
	var refused *oauth2.RetrieveError
	var unreached *url.Error
	switch {
	case errors.As(err, &refused) && refused.Response.StatusCode < http.StatusInternalServerError:
		// The answer's body may hold what was sent; its code is enough.
		return platform.Person{}, unconfirmed(fmt.Errorf("token endpoint: %d %s", refused.Response.StatusCode, refused.ErrorCode))
	case errors.As(err, &unreached):
		return platform.Person{}, away(unreached)
	case err != nil:
		return platform.Person{}, away(errors.New("the token endpoint's answer can't be read"))
	}
	raw, ok := set.Extra("id_token").(string)
	if !ok {
		return platform.Person{}, unconfirmed(errors.New("no ID token in the answer"))
	}
	return p.verify(ctx, up, raw, &nonce)
}

// Verify tells whose an ID token is that was made for this platform.
func (p *Provider) Verify(ctx context.Context, idToken string) (platform.Person, error) {
	up, err := p.discover(ctx)
	if err != nil {
		return platform.Person{}, err
	}
	return p.verify(ctx, up, idToken, nil)
}

func (p *Provider) verify(ctx context.Context, up *oidc.Provider, raw string, nonce *string) (platform.Person, error) {
	token, err := up.Verifier(&oidc.Config{ClientID: p.o.ClientID}).Verify(oidc.ClientContext(ctx, p.o.Client), raw)
	if err != nil {
		return platform.Person{}, unconfirmed(err)
	}
	if nonce != nil && token.Nonce != *nonce {
		return platform.Person{}, unconfirmed(errors.New("the ID token has another nonce"))
	}
	var all map[string]any
	if err := token.Claims(&all); err != nil {
		return platform.Person{}, unconfirmed(fmt.Errorf("claims: %w", err))
	}
	email := text(all, "email")
	// An address that the provider has not checked may be anybody's, and
	// invitations go by addresses. Some providers send the verdict as a string.
	if checked, ok := all["email_verified"]; ok && fmt.Sprint(checked) != "true" {
		email = ""
	}
	return platform.Person{
		Origin: platform.OriginOIDC, Subject: token.Issuer + " " + token.Subject, Username: p.username(all, email),
		Email: email, FirstName: text(all, "given_name"), LastName: text(all, "family_name"), Groups: texts(all, "groups"),
	}, nil
}

// text is a claim, empty when it is missing or no text.
func text(all map[string]any, name string) string {
	s, _ := all[name].(string)
	return s
}

// texts is a claim that is a list.
func texts(all map[string]any, name string) []string {
	list, _ := all[name].([]any)
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// username picks the name that somebody wants here.
func (p *Provider) username(all map[string]any, email string) string {
	if p.o.UsernameClaim != "" {
		return text(all, p.o.UsernameClaim)
	}
	if name := text(all, "preferred_username"); name != "" {
		return name
	}
	local, _, _ := strings.Cut(email, "@")
	return local
}
