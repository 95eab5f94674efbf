// Package conformance shows how far the gateway conforms to the Gateway API. It
// installs bin/slipway on a bare host, gives that host the images which the
// upstream suite wants, runs the suite (folder suite, a module of its own) in
// the host's network, and keeps the suite's report in docs/conformance.
//
//	make conformance
//	CONFORMANCE_TEST=HTTPRouteWeight make conformance    one test, no report
//
// It fails when a test fails that docs/conformance.md does not explain, and
// when one passes that it calls failing.
package conformance
