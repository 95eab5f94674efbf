package kube

import (
	"crypto/sha256"
	"fmt"
)

// shard is a part of a list that fits into one object. Its suffix makes the
// name of that object: empty for the first, else ".0", ".10", ….
type shard[T any] struct {
	suffix string
	items  []T
}

// shards divides a list into parts of at most limit. Each object of the cluster
// that changes costs the gateway a moment, so that one item more or less should
// change one part and not all that come after it. Therefore the part of an item
// is told by the first bits of its key's digest, as many as are needed for it
// to fit. What comes first stays by itself: the object without a suffix is there
// as long as there is anything. The order within a part is that of the list.
func shards[T any](list []T, limit int, key func(T) string) []shard[T] {
	switch {
	case len(list) == 0:
		return nil
	case len(list) <= limit:
		return []shard[T]{{items: list}}
	}
	return append([]shard[T]{{items: list[:1]}}, divide(list[1:], limit, key, "")...)
}

// divide is shards below the first item, for those whose bits begin with prefix.
func divide[T any](list []T, limit int, key func(T) string, prefix string) []shard[T] {
	if len(list) == 0 {
		return nil
	}
	// Only the same key many times over has the same bits to the end.
	if prefix != "" && (len(list) <= limit || len(prefix) == 8*sha256.Size) {
		return []shard[T]{{suffix: "." + prefix, items: list}}
	}
	var halves [2][]T
	for _, item := range list {
		sum := sha256.Sum256([]byte(key(item)))
		bit := sum[len(prefix)/8] >> (7 - len(prefix)%8) & 1
		halves[bit] = append(halves[bit], item)
	}
	var all []shard[T]
	for bit, half := range halves {
		all = append(all, divide(half, limit, key, fmt.Sprintf("%s%d", prefix, bit))...)
	}
	return all
}
