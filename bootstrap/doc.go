// Package bootstrap turns a bare host into a platform and back: the settings,
// the plans, the runner that carries them out, and the ledger of everything
// that was changed.
//
//	settings.go  what the operator asked for: flags over environment over file
//	plan.go      steps and the runner: probe, record, act, record
//	ledger.go    the journal: one line per change, written before it is made
//	journal.go   the ways a step may change the host
//	install.go   the plan install
//	snapshot.go  what the host was like before, and what differs from it now
//	uninstall.go the way back
//
// A step that fails is undone, the finished ones before it are kept, and the
// next run goes on from there. A process that is killed at any moment leaves a
// ledger from which the next run, or an uninstall, knows what may have been
// done. Nothing is removed that the ledger or the name of an engine's leftover
// does not say is ours.
package bootstrap
