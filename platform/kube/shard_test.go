package kube

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func manyNames(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("d%03d.example.com", i))
	}
	return list
}

func itself(s string) string { return s }

func TestShardsHoldEverythingOnce(t *testing.T) {
	for _, n := range []int{0, 1, 16, 17, 18, 100, 500} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var all, suffixes []string
			for i, s := range shards(manyNames(n), 16, itself) {
				assert.NotEmpty(t, s.items)
				assert.LessOrEqual(t, len(s.items), 16)
				assert.Equal(t, i == 0, s.suffix == "", "the first has the plain name, and no other")
				assert.True(t, slices.IsSorted(s.items), "the order is the list's")
				all, suffixes = append(all, s.items...), append(suffixes, s.suffix)
			}
			slices.Sort(all)
			assert.Equal(t, manyNames(n), all)
			slices.Sort(suffixes)
			assert.Len(t, slices.Compact(suffixes), len(suffixes), "names are different")
		})
	}
}

// TestShardsStay adds every name once more to a list of the others, in its
// place: only the part it belongs to changes, or is divided.
func TestShardsStay(t *testing.T) {
	whole := manyNames(200)
	for i := 1; i < len(whole); i++ { // the first is by itself
		before := map[string]string{}
		for _, s := range shards(slices.Delete(slices.Clone(whole), i, i+1), 16, itself) {
			before[s.suffix] = fmt.Sprint(s.items)
		}
		changed := 0
		for _, s := range shards(whole, 16, itself) {
			if before[s.suffix] != fmt.Sprint(s.items) {
				changed++
			}
		}
		assert.LessOrEqual(t, changed, 2, whole[i])
	}
}
