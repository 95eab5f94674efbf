// Package oidc logs browsers in at an OpenID Connect provider: authorization
// code flow with PKCE and a nonce.
//
//	Begin ──► browser at the provider ──► Finish: code → ID token → person
//
// Only the ID token is believed, and only when the provider signed it for this
// client. The provider is looked up at the first login, not at the start.
package oidc
