// Package builder tests the builder of a running appliance: real BuildKit, real
// registry, real cluster. The tests carry the tag e2e and use the cluster of
// KUBECONFIG.
package builder
