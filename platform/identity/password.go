package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a hash: about 50 ms of one core and 19 MiB while it is computed.
// Hashes made with other numbers still verify, since each carries its own.
const (
	memoryKiB = 19 << 10
	passes    = 2
	lanes     = 1
	saltLen   = 16
	hashLen   = 32
)

// Bounds on what a stored hash may ask for, so that a damaged one can't take
// the machine's memory.
const (
	maxMemoryKiB = 256 << 10
	maxPasses    = 16
	maxLanes     = 16
)

// atOnce bounds how many hashes are computed at the same time, and with it the
// memory that a burst of logins takes.
const atOnce = 2

// Identity hashes and makes secrets. Safe for concurrent use.
type Identity struct {
	slots chan struct{}
	dummy string // verified against when there is no user, to take as long
}

// New makes an Identity.
func New() *Identity {
	none := parameters{memory: memoryKiB, passes: passes, lanes: lanes, salt: make([]byte, saltLen), hash: make([]byte, hashLen)}
	return &Identity{slots: make(chan struct{}, atOnce), dummy: none.String()}
}

// parameters is a parsed hash in the PHC form:
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>
type parameters struct {
	memory uint32
	passes uint32
	lanes  uint8
	salt   []byte
	hash   []byte
}

func (p parameters) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.passes, p.lanes,
		b64.EncodeToString(p.salt), b64.EncodeToString(p.hash))
}

func (p parameters) compute(password string, n int) []byte {
	return argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.lanes, uint32(n))
}

var errHash = errors.New("stored password hash is not understood")

func parse(s string) (parameters, error) {
	var p parameters
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return p, errHash
	}
	var err error
	b64 := base64.RawStdEncoding.Strict()
	if p.salt, err = b64.DecodeString(parts[4]); err != nil {
		return p, errHash
	}
	if p.hash, err = b64.DecodeString(parts[5]); err != nil {
		return p, errHash
	}
	sane := p.memory >= 8 && p.memory <= maxMemoryKiB && p.passes >= 1 && p.passes <= maxPasses &&
		p.lanes >= 1 && p.lanes <= maxLanes && len(p.salt) >= 8 && len(p.salt) <= 64 && len(p.hash) >= 16 && len(p.hash) <= 64
	if !sane {
		return p, errHash
	}
	return p, nil
}

// slot waits for its turn to compute; the caller gives it back.
func (i *Identity) slot(ctx context.Context) (func(), error) {
	select {
	case i.slots <- struct{}{}:
		return func() { <-i.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// HashPassword makes a hash to store. It waits while others are computed and
// returns ctx's error when that ends first.
func (i *Identity) HashPassword(ctx context.Context, password string) (string, error) {
	free, err := i.slot(ctx)
	if err != nil {
		return "", err
	}
	defer free()
	p := parameters{memory: memoryKiB, passes: passes, lanes: lanes, salt: make([]byte, saltLen)}
	_, _ = rand.Read(p.salt) // never returns an error
	p.hash = p.compute(password, hashLen)
	return p.String(), nil
}

// VerifyPassword reports whether password belongs to hash. An empty hash
// matches nothing and takes as long; one that can't be read is an error.
func (i *Identity) VerifyPassword(ctx context.Context, hash, password string) (bool, error) {
	known := hash != ""
	if !known {
		hash = i.dummy
	}
	p, err := parse(hash)
	if err != nil {
		return false, err
	}
	free, err := i.slot(ctx)
	if err != nil {
		return false, err
	}
	defer free()
	same := subtle.ConstantTimeCompare(p.compute(password, len(p.hash)), p.hash) == 1
	return same && known, nil
}
