// Package identity handles what proves who somebody is: password hashes
// (argon2id), token keys, and the first administrator.
package identity
