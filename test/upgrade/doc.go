// Package upgrade shows an upgrade on a bare host: an older version that is kept
// as source is built and installed, apps are deployed on it, and the version of
// this work tree takes over, is broken on purpose, killed and unplugged.
//
// It takes its own hosts and leaves this machine alone. It has no code of its
// own but its tests (build tag e2e).
package upgrade
