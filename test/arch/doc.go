// Package arch keeps the house in order: its test reads what every package
// imports and refuses the edges that the architecture forbids, each with the
// reason. It links nothing of the program and takes seconds.
package arch
