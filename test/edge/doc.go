// Package edge has a real public authority (Pebble, as in package acme) give
// certificates to an appliance on a host of its own: names lead to the host's
// real gateway, and the authority is across the wire. Build tag e2e, root.
package edge
