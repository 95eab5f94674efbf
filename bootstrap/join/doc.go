// Package join is how one more host gets what it needs from a server of the
// cluster, without any other network: the token that names the server and proves
// the right to join, the door on the server, and the side of who comes in.
//
//	token.go    K10<CA hash>::<secret>@https://<server>:6443, and its parts
//	offer.go    what the door hands out
//	door.go     the server's side: HTTPS on port 9583
//	identity.go the door's certificate, signed by the cluster's own authority
//	client.go   the joining side: pins the authority, then asks
//
// Who comes in is known by a token or, once a node has joined, by the
// certificate its kubelet has: tokens end, nodes stay.
package join

// Port is where the door listens on every server.
const Port = 9583
