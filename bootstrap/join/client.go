package join

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client is the joining side. It trusts only the authority whose hash is in the
// token.
type Client struct {
	base       string
	credential string
	http       *http.Client
}

// ClientOptions say where the door is and who comes.
type ClientOptions struct {
	Server string // "https://10.0.0.1:6443"
	Token  Token  // empty for a node that comes with its certificate only
	CA     []byte // the authority in PEM, when it is known already; else the token's hash decides
	Cert   *tls.Certificate
}

// patience bounds one small request.
const patience = 20 * time.Second

// Dial gets the server's authority and checks it against the token.
func Dial(ctx context.Context, o ClientOptions) (*Client, error) {
	door, err := DoorURL(o.Server)
	if err != nil {
		return nil, err
	}
	bundle := o.CA
	if len(bundle) == 0 {
		if bundle, err = fetchCA(ctx, o.Server, o.Token.CAHash); err != nil {
			return nil, err
		}
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bundle) {
		return nil, fmt.Errorf("the authority of %s holds no certificate", o.Server)
	}
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if o.Cert != nil {
		config.Certificates = []tls.Certificate{*o.Cert}
	}
	return &Client{base: door, credential: o.Token.Credential, http: &http.Client{Transport: &http.Transport{
		TLSClientConfig: config, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		ResponseHeaderTimeout: patience,
	}}}, nil
}

// fetchCA gets the authority from the Kubernetes API of the server. Nothing is
// known of who answers but the hash that the answer must have.
func fetchCA(ctx context.Context, server, hash string) ([]byte, error) {
	address, err := serverAddress(server)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/cacerts", nil)
	if err != nil {
		return nil, err
	}

	anybody := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	response, err := anybody.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask %s for the cluster's authority: %w; check the address, and that its port 6443 is reached from here", server, unwrapURL(err))
	}
	defer response.Body.Close()
	bundle, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("ask %s for the cluster's authority: %w", server, err)
	}
	have, err := HashCA(bundle)
	if err != nil || response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s does not answer as a server of a cluster (%s): check the address", server, response.Status)
	}
	if have != hash {
		return nil, fmt.Errorf("%s is not a server of the cluster that made the token (its authority is %.12s…, the token's %.12s…): check the address, or make a token there", server, have, hash)
	}
	return bundle, nil
}

// Close lets go of the connections that are open.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Offer asks what this host needs to join. A refusal is a *Refusal.
func (c *Client) Offer(ctx context.Context, r Request) (Offer, error) {
	q := url.Values{"role": {string(r.Role)}, "name": {r.Name}, "arch": {r.Arch}}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	response, err := c.do(ctx, http.MethodGet, "/v1/node?"+q.Encode())
	if err != nil {
		return Offer{}, err
	}
	defer response.Body.Close()
	var o Offer
	if err := json.NewDecoder(response.Body).Decode(&o); err != nil {
		return Offer{}, fmt.Errorf("answer of %s: %w", c.base, err)
	}
	return o, nil
}

// Convert asks the server to turn its datastore into etcd. The answer only says
// that it has begun; Offer.Datastore tells when it is done.
func (c *Client) Convert(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	response, err := c.do(ctx, http.MethodPost, "/v1/datastore")
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// Binary writes the server's program to w and checks its sum; progress gets the
// bytes so far. What was written is of no use when there is an error.
func (c *Client) Binary(ctx context.Context, want Binary, w io.Writer, progress func(done int64)) error {
	response, err := c.do(ctx, http.MethodGet, "/v1/binary")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, h, counter{progress, new(int64)}), response.Body)
	if err != nil {
		return fmt.Errorf("download the program from %s: %w after %d of %d bytes; run it again", c.base, err, n, want.Size)
	}
	if have := hex.EncodeToString(h.Sum(nil)); have != want.SHA256 {
		return fmt.Errorf("download the program from %s: its sha256 is %s, the server said %s; run it again", c.base, have, want.SHA256)
	}
	return nil
}

// counter tells how much went through it.
type counter struct {
	tell func(int64)
	n    *int64
}

// Write implements io.Writer.
func (c counter) Write(p []byte) (int, error) {
	*c.n += int64(len(p))
	if c.tell != nil {
		c.tell(*c.n)
	}
	return len(p), nil
}

// do asks the door; an answer of 400 and more is a *Refusal.
func (c *Client) do(ctx context.Context, method, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	if c.credential != "" {
		request.Header.Set("Authorization", "Bearer "+c.credential)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the node door %s: %w; check that port %d of the server is reached from here", c.base, unwrapURL(err), Port)
	}
	if response.StatusCode >= http.StatusBadRequest {
		text, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return nil, err
		}
		return nil, &Refusal{response.StatusCode, strings.TrimSpace(string(text))}
	}
	return response, nil
}

// unwrapURL drops the address from an error of net/http: the caller names it.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
