// Package edge makes and renews the certificates that the gateway serves.
//
//	Authority ──Issue──► Certificate ──► Renewer ──WriteTLS──► gateway's Secret
//	 (an Issuer)                            │
//	 ca.key, ca.crt                         └── wildcard.pem
//
// The platform starts with a certificate authority of its own and one wildcard
// certificate for the platform's domain, so that HTTPS works before any name
// is public. Wildcard, an Issuer that asks a public authority with DNS records
// for proof, fits in the same place; the Renewer does not know who signs.
//
// Domains of apps get certificates of public authorities through ACME, which
// is what certmagic is used for: accounts, orders, proofs. When to ask is the
// controller's business (control.Authorities), and so is what was got:
//
//	controller ──Obtain──► ACME ──certmagic──► public authority
//	    │                   │                      │ asks back
//	    └─ leaf, tries      └─ Shelf ◄── Challenges ◄── gateway
//
// All files live in one directory:
//
//	ca.key        the authority's private key, PKCS 8, 0600; written first
//	ca.crt        its certificate, ten years, 0644; written second
//	wildcard.pem  the served key and certificate, 0600; replaced at each renewal
//
// Files appear whole or not at all. A process that is killed between ca.key
// and ca.crt leaves a key without a certificate, and the next start makes the
// certificate for that key.
package edge
