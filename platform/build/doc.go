// Package build makes images of source trees. It reads what a tree asks for
// (MakePlan, which touches nothing), has the builder in the cluster do it over
// the pipes of one command in the builder's pod, and names in the platform's
// registry what came out.
//
// Nothing of a source tree is ever unpacked here, and nothing in it is run
// here.
package build
