// Package bench measures the appliance against plain k3s: the same program file
// without anything of ours, with the same engine configuration, on the same
// kind of host, in one run. Its gateway is measured against nginx in front of
// the same pod, and with one domain against hundreds. Only ratios from one run
// mean something; absolute numbers are this machine's.
//
//	make bench
//	make bench-gateway    the latter half only
//
// Appliance and k3s run on bare hosts of the harness, one after the other, so that each has
// the machine to itself and nothing is left of it.
package bench
