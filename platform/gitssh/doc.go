// Package gitssh is the door for "git push": an SSH server that lets git, and
// nothing else, in.
//
//	git push ──ssh──▶ Server ─ key → user ─ app → role ─ one push an app
//	                    │ runs, as another user without network
//	                    ▼
//	              git receive-pack ── new objects in quarantine
//	                    │ runs
//	                    ▼
//	              pre-receive (Hook) ──Unix socket──▶ Server
//	                    ▲                               │ git archive → a tar file
//	                    │ log lines, then yes or no     ▼
//	                    └──────────────────────── Control.PushSource
//
// The ref moves only after the build has become a running release: what a
// branch says here is what was deployed from it. All decisions about who and
// what are Control's; this package moves bytes and speaks in words.
//
// The other way round, Fetcher gets the source of a branch from a repository
// elsewhere, with the same git in the same bounds.
//
// Repositories are <Dir>/<app>.git. Names that start with a dot are the door's
// own: .hooks (what git runs), .config (what git reads), .scratch (trees being
// built), .hook.sock, .new-* and .gone-* (repositories on their way in and
// out); .fetch is the Fetcher's.
package gitssh
