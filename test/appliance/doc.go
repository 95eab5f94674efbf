// Package appliance is what the tests know of an installed Slipway, seen from
// outside: how to run it on a machine (this one or a harness host), a client of
// its API, images for it to run, a prober, and a picture of a machine that is
// taken without its help.
//
// It imports nothing of the program, so that a test cannot agree with a
// mistake by sharing it.
package appliance
