// Package rehome follows an appliance that moves: it remembers under which
// address, node name and domain the server last ran, and says what a difference
// asks for. It decides and remembers; who asks acts.
//
//	/var/lib/slipway/controller/home.json   Home
//
// A move is recorded before anything is done about it and again when the server
// runs at its new place, so that a start that was cut off begins it anew.
package rehome
