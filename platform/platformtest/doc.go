// Package platformtest holds what tests of the platform share: a fake cluster
// that records and can be told to fail or to hold, a crash that can be set to
// any step, and the suite that every store has to pass. Tests only.
package platformtest
