// Package rehome moves an appliance: to another address while it was off and
// while it runs, to another host name, to another domain, killed on the way. It
// also starts one whose certificates all ended while it was off. With build tag
// e2e; as root; bin/slipway has to be there.
package rehome
