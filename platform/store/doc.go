// Package store keeps the platform's records in SQLite or PostgreSQL.
//
// One connection writes, a pool of others reads, and an exported method is one
// transaction. Config values, registry credentials, health checks, lifecycles
// and build descriptions are sealed with AES-256-GCM under a key from outside
// the database; tokens are kept as SHA-256 only.
//
//	users ─┬─ tokens
//	       └─ members ── workspaces ── apps ─┬─ settings
//	                                         ├─ builds ◄──┐
//	                                         ├─ configs ◄─┤
//	                                         └─ releases ─┴─ conditions
//	work (to be finished), events (append-only): by app id
//
// Queries and migrations are written once, in the SQL that both databases know;
// docs/dev/store.md has the rules. A layer over PostgreSQL's driver does the
// rest, so that nothing above it tells the two apart:
//
//	            SQLite                        PostgreSQL
//	?           as it is                      $1, $2… (rebind)
//	types       as they are                   mapped when a migration is applied
//	one writer  one connection, BEGIN         one connection, BEGIN and an
//	            IMMEDIATE                     advisory lock that servers share
//	view        a read transaction            REPEATABLE READ, read only
//
// Because write transactions come one after the other, and become visible
// before the next one begins, a reader of the event log never meets an ID below
// one that it has already seen.
//
// The schema grows by embedded files NNNN_what.sql, each applied once and never
// edited; all that are new are applied in one transaction. SQLite's file is
// copied first.
package store
