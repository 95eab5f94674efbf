package edge

import "context"

// Certify signs a certificate as Issue does and returns chain and key apart,
// both PEM, as the controller takes them.
func (a *Authority) Certify(ctx context.Context, names []string) (chain, key []byte, err error) {
	c, err := a.Issue(ctx, names)
	return c.Chain, c.Key, err
}
