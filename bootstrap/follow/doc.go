// Package follow has an agent run the program of its server, also after the
// server was upgraded or went back, without anybody's doing.
//
//	the agent's program              the server's program, on the agent's host
//	ask the node door ◄─────┐
//	  the same: done        │
//	  another, not settled ─┤
//	wait a moment by chance │
//	download, compare sums  │
//	start it, detached ─────┼──────► hold the record, keep what is installed
//	                        │        look whether the host can carry it
//	   (ends here) ◄────────┼─────── install itself, restart the agent
//	                        │        look whether the node is well
//	                        │             commit
//	                        └──────────── or bring the old one back
//
// Pods go on throughout: only the agent's process is exchanged.
//
// The record, what is kept and the way back are those of package upgrade. Either
// program may be killed at any moment: the agent sees at its start, and at each
// look, that nobody carries out what the record says, and has the old program
// brought back. A program that failed here is not tried again for a while,
// unless the server offers another.
package follow
