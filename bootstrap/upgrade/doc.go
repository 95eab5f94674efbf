// Package upgrade carries a platform from one version to the next and, when
// anything is wrong with the next, back again with its data.
//
// It is the order of things and the record of how far they have come; what
// stopping, installing and looking mean is handed in. The record is one file:
//
//	preparing ──► stopping ──► applying ──► verifying ──► committed
//	    │             │            │            │             │ asked for
//	    └── nothing was changed ───┤            │             ▼
//	        (the old binary is     └────────────┴──────► rolling-back ──► rolled-back
//	        still in its place)                               │
//	                                                          └──► stranded
//
// The installed binary is the first thing that applying changes and the last
// thing that rolling back does. So at any moment the phase and the binary in
// its place tell what has to be done, also to a binary that does not know of
// any of this: while the old one is there, its data are as it left them.
//
// An upgrade that was cut off before it was committed is rolled back: by the
// next server that starts, by a server that sees the upgrade's program gone, or
// by the next upgrade. Only a checkpoint that turns out to be damaged leaves
// the new version in place ("stranded").
package upgrade
