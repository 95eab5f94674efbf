// Package pgtest runs a real PostgreSQL for tests.
//
// A test binary has one Cluster, made in its TestMain and started by the first
// test that asks for a database. It is a server of the packaged kind in a
// directory of its own, on loopback and never as root, with data that is lost
// on purpose. It ends with the test binary, however that ends.
package pgtest
