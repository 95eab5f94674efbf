// Package suite is the conformance suite of the Gateway API, as its module has
// it, in a module of its own: its dependencies are not those of the appliance.
// Package conformance, one folder up, builds and runs it.
//
// The version in go.mod has to be that of the definitions in
// charts/gateway/crds: the suite refuses others.
package suite
