// Package cis holds how the appliance stands to the CIS benchmark for
// Kubernetes, in the variant for k3s: a table that docs/security.md shows, and a
// test that asks a real host each row that can be asked and fails when table and
// host differ.
package cis
