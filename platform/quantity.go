package platform

import (
	"fmt"
	"math/big"
	"strings"
)

// ParseMillis reads an amount of CPU, such as 2, 0.5 or 500m, in thousandths
// of a core. It has to be more than nothing.
func ParseMillis(s string) (int64, error) {
	number, scale := strings.TrimSuffix(s, "m"), int64(1000)
	if number != s {
		scale = 1
	}
	return quantity(s, number, scale)
}

// ParseBytes reads an amount of memory, such as 1073741824, 512M or 1Gi, in
// bytes. The suffixes of Kubernetes count; B after them, as in MB, is allowed.
func ParseBytes(s string) (int64, error) {
	number := strings.TrimRight(s, "kKMGTiB")
	switch strings.TrimSuffix(s[len(number):], "B") {
	case "":
		return quantity(s, number, 1)
	case "k", "K":
		return quantity(s, number, 1e3)
	case "M":
		return quantity(s, number, 1e6)
	case "G":
		return quantity(s, number, 1e9)
	case "T":
		return quantity(s, number, 1e12)
	case "Ki":
		return quantity(s, number, 1<<10)
	case "Mi":
		return quantity(s, number, 1<<20)
	case "Gi":
		return quantity(s, number, gib)
	case "Ti":
		return quantity(s, number, 1<<40)
	}
	return 0, fmt.Errorf("%q is no amount of memory, such as 512Mi", s)
}

// maxDigits keeps numbers such as 1e999999999 from costing anything.
const maxDigits = 20

func quantity(whole, number string, scale int64) (int64, error) {
	if number == "" || len(number) > maxDigits || strings.Trim(number, "0123456789.") != "" {
		return 0, fmt.Errorf("%q is no amount, such as 1 or 0.5", whole)
	}
	r, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, fmt.Errorf("%q is no amount, such as 1 or 0.5", whole)
	}
	r.Mul(r, new(big.Rat).SetInt64(scale))
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if !n.IsInt64() || n.Int64() < 1 {
		return 0, fmt.Errorf("%q is too small or too large", whole)
	}
	return n.Int64(), nil
}
