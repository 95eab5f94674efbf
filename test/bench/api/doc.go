// Package api measures the controller's API against a bare net/http handler
// over the same SQLite file, in one run. Each server is a process of its own;
// requests come from this one, over kept connections, in turns. Besides requests
// a second, which also depend on what else the machine does, it takes the
// processor time that a server needs for a request.
//
//	make bench-api
//
// It needs no root and no appliance.
package api
