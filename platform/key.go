package platform

import (
	"time"
	"unicode"
	"unicode/utf8"
)

// Key is a public SSH key of a user, with which git pushes are told apart. No
// two users have the same one.
type Key struct {
	UUID        string
	Owner       string
	ID          string // the owner's name for it, often the key's comment: "ada@laptop"
	Public      string // one line as ssh-keygen writes it: type, base64, comment
	Fingerprint string // MD5 of the key blob, 16 pairs of hex digits joined by colons
	SHA256      string // "SHA256:" and the unpadded base64 of the blob's SHA-256
	Created     time.Time
	Updated     time.Time
}

// maxKeyID is the longest name of a key.
const maxKeyID = 128

// ValidateKeyID accepts any text that shows: 1 to 128 characters, none of them
// a control character.
func ValidateKeyID(id string) error {
	if id == "" {
		return FieldErrorf("id", "This field may not be blank.")
	}
	if utf8.RuneCountInString(id) > maxKeyID {
		return FieldErrorf("id", "Ensure this field has no more than %d characters.", maxKeyID)
	}
	for _, r := range id {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return FieldErrorf("id", "A key's id can't hold line breaks or other control characters.")
		}
	}
	return nil
}
