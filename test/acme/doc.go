// Package acme tests certificates of public authorities from end to end
// against a real one: Pebble, with its bad nonces and delays, and a real DNS
// server. Gateway and cluster are played by the tests.
package acme
