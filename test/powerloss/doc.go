// Package powerloss pulls the plug of a host in the middle of writes, again and
// again, and looks each time whether databases are whole, what was acknowledged
// is there, and everything comes back by itself. ROUNDS says how often (default
// 3). With build tag e2e; as root; bin/slipway has to be there.
//
// The limit of it: the plug is pulled by ending all processes at once, not the
// machine. What was written and not synced is in the page cache then and stays,
// which a loss of power would take. That writers sync is therefore shown
// elsewhere: by test/arch for our own files, by settings for SQLite
// (synchronous FULL) and git (core.fsync).
package powerloss
