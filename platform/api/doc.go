// Package api is the controller's front door: one listener on which several
// API dialects live side by side.
//
//	          request
//	             │
//	┌────────────▼─────────────┐
//	│ Handler                  │  request id, access log, metrics,
//	│  /metrics  /ca.crt       │  panic recovery, rate and size limits
//	└────┬───────────────┬─────┘
//	     │ host, prefix  │
//	┌────▼────┐     ┌────▼────┐
//	│ Dialect │     │ Dialect │  routes, wire types, error table
//	└────┬────┘     └────┬────┘
//	     └───── core ────┘
//
// What the Handler itself has to refuse (too many requests, a panic) it hands
// to the dialect's Fail, so that every client is answered in its own words.
// The Handler knows no dialect and no rule of the platform.
package api
