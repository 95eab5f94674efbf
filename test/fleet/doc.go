// Package fleet tests a platform of several nodes: bare hosts that join through
// the door of a server with nothing else on the network, agents first, then
// servers; and how nodes leave.
package fleet
