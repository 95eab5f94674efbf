package gitssh

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const (
	maxRequest     = 1 << 20 // bytes of one request of git's
	answerPatience = 2 * time.Minute
	flushPacket    = "0000"
)

// httpPeer speaks git's protocol over HTTPS. Version 2 of it is a row of
// requests, each up to a flush packet and each with its own answer, so one of
// git's becomes one of HTTP's.
type httpPeer struct {
	client             *http.Client
	base               string
	host               string
	username, password string
}

func (f *Fetcher) dialHTTP(where platform.GitURL, from control.GitSource) (peer, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if from.CA != "" && !roots.AppendCertsFromPEM([]byte(from.CA)) {
		return nil, platform.FieldErrorf("ca", "There is no certificate in it.")
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: f.guard.dialer().DialContext, TLSHandshakeTimeout: dialPatience,
		ResponseHeaderTimeout: answerPatience, ForceAttemptHTTP2: true, DisableCompression: true,
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}
	p := &httpPeer{base: where.String(), host: where.Host, username: from.Username, password: from.Password}
	p.client = &http.Client{Transport: transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Scheme != "https" || r.URL.Host != where.Host || len(via) > 3 || r.Method != http.MethodGet {
			return refused("%s sends us to another place, %s://%s: enter the address of that.", where.Host, r.URL.Scheme, r.URL.Host)
		}
		return nil
	}}
	return p, nil
}

func (p *httpPeer) close() { p.client.CloseIdleConnections() }

// ask sends a request and returns a good answer.
func (p *httpPeer) ask(ctx context.Context, method, address, kind string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "git/2.0 (slipway)")
	r.Header.Set("Git-Protocol", "version=2")
	r.Header.Set("Accept", "application/x-git-upload-pack-"+kind)
	if body != nil {
		r.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	}
	if p.password != "" {
		r.SetBasicAuth(p.username, p.password)
	}
	answer, err := p.client.Do(r)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, p.unreachable(err)
	}
	if answer.StatusCode == http.StatusOK && answer.Header.Get("Content-Type") == "application/x-git-upload-pack-"+kind {
		return answer, nil
	}
	_ = answer.Body.Close() // of no interest
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return nil, refused("%s answers %d: there is no such repository, or it takes another user name and password to read it.", p.host, answer.StatusCode)
	case http.StatusOK:
		return nil, refused("%s does not answer as a git repository does: check the address.", p.host)
	}
	return nil, refused("%s answers %d.", p.host, answer.StatusCode)
}

// unreachable words an error of the connection. The library's has the address,
// which holds no secret.
func (p *httpPeer) unreachable(err error) error {
	var known *platform.Error
	if errors.As(err, &known) {
		return known
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return refused("%s can't be reached: %v", p.host, err)
}

func (p *httpPeer) talk(ctx context.Context, fromGit io.Reader, toGit io.Writer) error {
	answer, err := p.ask(ctx, http.MethodGet, p.base+"/info/refs?service=git-upload-pack", "advertisement", nil)
	if err != nil {
		return err
	}
	// A repository that has moved on its host is asked there.
	base, _, _ := strings.Cut(answer.Request.URL.String(), "/info/refs")
	err = p.greet(answer.Body, toGit)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return err
	}
	requests := bufio.NewReader(fromGit)
	for {
		request, err := readRequest(requests)
		if err != nil || request == nil {
			return err
		}
		answer, err := p.ask(ctx, http.MethodPost, base+"/git-upload-pack", "result", bytes.NewReader(request))
		if err != nil {
			return err
		}
		_, err = io.Copy(toGit, answer.Body)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			return err
		}
	}
}

// greet hands on what the server is able to, without the line that only HTTP
// has in front of it.
func (p *httpPeer) greet(body io.Reader, toGit io.Writer) error {
	r := bufio.NewReader(io.LimitReader(body, maxRequest))
	first, err := readPacket(r)
	if err == nil && bytes.HasPrefix(first[head:], []byte("# service=")) {
		if first, err = readPacket(r); err == nil && string(first) == flushPacket {
			first, err = readPacket(r)
		}
	}
	if err != nil || strings.TrimSpace(string(first[head:])) != "version 2" {
		return refused("%s does not speak version 2 of git's protocol.", p.host)
	}
	if _, err := toGit.Write(first); err != nil {
		return err
	}
	_, err = io.Copy(toGit, r)
	return err
}

// head is how many hex digits tell the length of a packet, themselves included.
const head = len(flushPacket)

// readPacket reads one packet with its length. Those of less than four bytes
// are marks: the end of a request, a part of it, or an answer.
func readPacket(r io.Reader) ([]byte, error) {
	packet := make([]byte, head)
	if _, err := io.ReadFull(r, packet); err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(string(packet), 16, 16)
	if err != nil || n == 3 {
		return nil, errors.New("what git says has no form")
	}
	if n < uint64(head) {
		return packet, nil
	}
	packet = append(packet, make([]byte, int(n)-head)...)
	_, err = io.ReadFull(r, packet[head:])
	return packet, err
}

// readRequest reads up to a flush packet; nil when git has said all.
func readRequest(r io.Reader) ([]byte, error) {
	var request []byte
	for {
		packet, err := readPacket(r)
		switch {
		case err != nil && len(request) == 0:
			return nil, nil // git has ended
		case err != nil:
			return nil, err
		case string(packet) == flushPacket && len(request) == 0:
			return nil, nil
		case len(request)+len(packet) > maxRequest:
			return nil, errors.New("git asks for more than is carried")
		}
		request = append(request, packet...)
		if string(packet) == flushPacket {
			return request, nil
		}
	}
}
