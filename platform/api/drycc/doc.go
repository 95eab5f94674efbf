// Package drycc speaks version 2 of the Drycc controller API, so that the
// drycc client works unmodified.
//
//	routes ──► router ──► handler: decode ──► one call of Core ──► encode
//	  │                                                  │
//	  └──► Reference (the documentation)        error table ──► reply
//
// The table in routes.go is the single source: what is not in it does not
// exist, and what is in it is documented. Wire types live in wire_*.go and are
// converted from and to the domain's; handlers decide nothing.
//
// Where the published guide and the newest client use one path with different
// shapes, the newest shape is answered and the documented request is accepted
// too; each such collision is a note on its route.
package drycc
