// Package diagnose says why a domain has no HTTPS: it looks at every link
// between a name and its certificate and tells evidence, reason and cure.
//
//	app (is shown at all)
//	directory ─► clock ─► account ─┐
//	                               ├─► limit
//	dns ─► points ─► search        │
//	         │                     │
//	         ├─► caa ──────────────┤
//	         └─► http ─► challenge ┘
//	         └─► https
//
// A link is skipped when an earlier one makes it meaningless.
//
// The looking is done by a server for whoever may see the app, at a name that
// a user chose. So that it cannot be used to look around, it asks only ports
// 80 and 443 (53 of name servers), only one fixed path, follows redirects only
// on the same name, ends within Options.Timeout, reads a few kilobytes, tells
// of other servers no more than status and Server header, and never connects
// to addresses of the host, of private networks or of the cluster, unless they
// are the platform's own. On a platform whose own addresses are private others
// of private networks may be asked too, loopback and link-local ones never.
package diagnose
