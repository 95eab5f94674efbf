// Package store keeps the platform's records in SQLite.
//
// One connection writes, a pool of others reads; all have write-ahead logging,
// foreign keys and a busy timeout. An exported method is one transaction.
// Config values, registry credentials, health checks, lifecycles and build
// descriptions are sealed with AES-256-GCM under a key from outside the
// database; tokens are kept as SHA-256 only.
//
//	slipway.db ── users ─┬─ tokens
//	                     └─ members ── workspaces ── apps ─┬─ settings
//	                                                       ├─ builds ◄──┐
//	                                                       ├─ configs ◄─┤
//	                                                       └─ releases ─┴─ conditions
//	            work (to be finished), events (append-only): by app id
//
// The schema grows by embedded files NNNN_what.sql, each applied once in a
// transaction and never edited.
package store
