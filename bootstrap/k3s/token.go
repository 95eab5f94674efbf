package k3s

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/k3s-io/k3s/pkg/kubeadm"
	"github.com/slipway-paas/slipway/bootstrap/join"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	bootstrapapi "k8s.io/cluster-bootstrap/token/api"
	bootstraputil "k8s.io/cluster-bootstrap/token/util"
)

// serversGroup marks a bootstrap token whose bearer may become a server. k3s
// itself knows such tokens for agents only; the node door gives the bearer the
// token of the cluster.
const serversGroup = "system:bootstrappers:slipway:servers"

// JoinToken is one token that lets hosts join.
type JoinToken struct {
	ID      string    `json:"id"`
	Role    join.Role `json:"role"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
	Note    string    `json:"note,omitempty"`
}

// Tokens are the join tokens of the cluster, as Kubernetes keeps them:
// bootstrap tokens in kube-system, which its controller removes when they end.
type Tokens struct {
	client  kubernetes.Interface
	dataDir string
	clock   func() time.Time
}

// OpenTokens connects to the cluster; dataDir is that of k3s.
func OpenTokens(kubeconfig, dataDir string) (*Tokens, error) {
	client, err := clientFor(kubeconfig)
	if err != nil {
		return nil, err
	}
	return &Tokens{client: client, dataDir: dataDir, clock: time.Now}, nil
}

// Create makes a token for a role. A ttl of 0 makes one that never ends.
func (t *Tokens) Create(ctx context.Context, role join.Role, ttl time.Duration, note string) (JoinToken, join.Token, error) {
	authority, err := os.ReadFile(filepath.Join(t.dataDir, "server/tls/server-ca.crt"))
	if err != nil {
		return JoinToken{}, join.Token{}, fmt.Errorf("the cluster's authority: %w", err)
	}
	hash, err := join.HashCA(authority)
	if err != nil {
		return JoinToken{}, join.Token{}, fmt.Errorf("the cluster's authority: %w", err)
	}
	text, err := bootstraputil.GenerateBootstrapToken()
	if err != nil {
		return JoinToken{}, join.Token{}, err
	}
	secret, err := kubeadm.NewBootstrapTokenString(text)
	if err != nil {
		return JoinToken{}, join.Token{}, err
	}
	token := &kubeadm.BootstrapToken{
		Token: secret, Description: note, TTL: &metav1.Duration{Duration: ttl},
		Usages: bootstrapapi.KnownTokenUsages, Groups: []string{kubeadm.NodeBootstrapTokenAuthGroup},
	}
	made := JoinToken{ID: secret.ID, Role: role, Note: note}
	if role == join.Server {
		token.Groups = append(token.Groups, serversGroup)
	}
	if ttl > 0 {
		made.Expires = t.clock().Add(ttl).UTC().Truncate(time.Second)
		token.Expires = &metav1.Time{Time: made.Expires}
	}
	if _, err := t.client.CoreV1().Secrets(metav1.NamespaceSystem).Create(ctx, kubeadm.BootstrapTokenToSecret(token), metav1.CreateOptions{}); err != nil {
		return JoinToken{}, join.Token{}, fmt.Errorf("keep the token in the cluster: %w", err)
	}
	return made, join.Token{CAHash: hash, Credential: text}, nil
}

// List returns all tokens, those that have ended too until they are swept.
func (t *Tokens) List(ctx context.Context) ([]JoinToken, error) {
	list, err := t.client.CoreV1().Secrets(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("type", string(bootstrapapi.SecretTypeBootstrapToken)).String(),
	})
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	all := []JoinToken{}
	for i := range list.Items {
		token, err := kubeadm.BootstrapTokenFromSecret(&list.Items[i])
		if err != nil {
			return nil, fmt.Errorf("token %s: %w", list.Items[i].Name, err)
		}
		all = append(all, describe(token))
	}
	slices.SortFunc(all, func(a, b JoinToken) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

func describe(t *kubeadm.BootstrapToken) JoinToken {
	d := JoinToken{ID: t.Token.ID, Role: join.Agent, Note: t.Description}
	if slices.Contains(t.Groups, serversGroup) {
		d.Role = join.Server
	}
	if t.Expires != nil {
		d.Expires = t.Expires.UTC()
	}
	return d
}

// Delete takes a token back; it may be given by its id or whole. Nodes that
// have joined with it stay.
func (t *Tokens) Delete(ctx context.Context, token string) error {
	id := token
	if parsed, err := join.ParseToken(token); err == nil {
		id = parsed.Credential
	}
	id, _, _ = strings.Cut(id, ".")
	if !bootstraputil.IsValidBootstrapTokenID(id) {
		return errors.New("this is no id of a token: \"slipway token list\" shows them")
	}
	err := t.client.CoreV1().Secrets(metav1.NamespaceSystem).Delete(ctx, bootstraputil.BootstrapTokenSecretName(id), metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("there is no token %s: \"slipway token list\" shows those there are", id)
	}
	return err
}

var _ join.Cluster = (*Tokens)(nil)

// CheckToken implements join.Cluster. Beside the tokens made here, the
// passwords in k3s's own token files are good, as the guide uses them.
func (t *Tokens) CheckToken(ctx context.Context, credential string) (join.Role, error) {
	const made = ": make another on a server with \"slipway token create\""
	if role, ok := t.checkPassword(credential); ok {
		return role, nil
	}
	given, err := kubeadm.NewBootstrapTokenString(credential)
	if err != nil {
		return "", join.Refuse(http.StatusUnauthorized, "the token is not one of this cluster%s", made)
	}
	secret, err := t.client.CoreV1().Secrets(metav1.NamespaceSystem).Get(ctx, bootstraputil.BootstrapTokenSecretName(given.ID), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", join.Refuse(http.StatusUnauthorized, "the token has ended, was taken back, or is not one of this cluster%s", made)
	}
	if err != nil {
		return "", fmt.Errorf("look up the token: %w", err)
	}
	return t.judge(secret, given)
}

func (t *Tokens) judge(secret *corev1.Secret, given *kubeadm.BootstrapTokenString) (join.Role, error) {
	kept, err := kubeadm.BootstrapTokenFromSecret(secret)
	if err != nil {
		return "", fmt.Errorf("look up the token: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(kept.Token.Secret), []byte(given.Secret)) != 1 {
		return "", join.Refuse(http.StatusUnauthorized, "the token is wrong: copy it again, whole, or make another on a server with \"slipway token create\"")
	}
	if kept.Expires != nil && !t.clock().Before(kept.Expires.Time) {
		return "", join.Refuse(http.StatusUnauthorized, "the token ended at %s: make another on a server with \"slipway token create\"", kept.Expires.UTC().Format(time.RFC3339))
	}
	if !slices.Contains(kept.Groups, kubeadm.NodeBootstrapTokenAuthGroup) {
		return "", join.Refuse(http.StatusForbidden, "the token is for other things than joining")
	}
	return describe(kept).Role, nil
}

// checkPassword compares a credential "server:<password>" or "node:<password>"
// with k3s's token files. The agents' file is the servers' unless the operator
// has set K3S_AGENT_TOKEN.
func (t *Tokens) checkPassword(credential string) (join.Role, bool) {
	_, given, ok := strings.Cut(credential, ":")
	if !ok {
		return "", false
	}
	for _, f := range []struct {
		name string
		role join.Role
	}{{"server/token", join.Server}, {"server/agent-token", join.Agent}} {
		kept, err := readPassword(filepath.Join(t.dataDir, f.name))
		if err == nil && subtle.ConstantTimeCompare([]byte(kept), []byte(given)) == 1 {
			return f.role, true
		}
	}
	return "", false
}

// readPassword is the password in a token file of k3s.
func readPassword(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	token, err := join.ParseToken(string(data))
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	_, password, _ := strings.Cut(token.Credential, ":")
	return password, nil
}

// ServerToken is the token with which another server joins: k3s knows one for
// all, which never ends, so it is only told to who has a token for servers.
func (t *Tokens) ServerToken() (string, error) {
	data, err := os.ReadFile(filepath.Join(t.dataDir, "server/token"))
	if err != nil {
		return "", fmt.Errorf("the cluster's token: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// HasNode implements join.Cluster.
func (t *Tokens) HasNode(ctx context.Context, name string) (bool, error) {
	_, err := t.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// Servers are the names of the nodes with a control plane.
func (t *Tokens) Servers(ctx context.Context) ([]string, error) {
	list, err := t.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: labelServer})
	if err != nil {
		return nil, fmt.Errorf("servers: %w", err)
	}
	var names []string
	for _, n := range list.Items {
		names = append(names, n.Name)
	}
	return names, nil
}
