package gitssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// sshPeer runs git-upload-pack on an SSH server.
type sshPeer struct {
	session  *ssh.Session
	in       io.WriteCloser
	out      io.Reader
	said     *capped // what it says beside
	closeAll func()
}

// HostKey is the key that an SSH server shows.
func (f *Fetcher) HostKey(ctx context.Context, address string) (string, error) {
	where, err := platform.ParseGitURL(address)
	if err != nil {
		return "", err
	}
	var shown ssh.PublicKey
	enough := errors.New("seen")
	_, err = f.login(ctx, where, &ssh.ClientConfig{HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
		shown = key
		return enough
	}})
	if shown == nil {
		return "", err
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(shown))), nil
}

// login connects and proves who we are. The connection ends with ctx.
func (f *Fetcher) login(ctx context.Context, where platform.GitURL, c *ssh.ClientConfig) (*ssh.Client, error) {
	address := where.Host
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "22")
	}
	var known *platform.Error
	conn, err := f.guard.dialer().DialContext(ctx, "tcp", address)
	if errors.As(err, &known) {
		return nil, known
	}
	if err != nil {
		return nil, refused("%s can't be reached: %v", where.Host, err)
	}
	c.User, c.ClientVersion = where.User, "SSH-2.0-Slipway"
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // whoever uses it hears of it
	if err := conn.SetDeadline(time.Now().Add(dialPatience)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	client, channels, requests, err := ssh.NewClientConn(conn, address, c)
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err != nil {
		stop()
		_ = conn.Close() // the first error says what is wrong
		if errors.As(err, &known) {
			return nil, known
		}
		if strings.Contains(err.Error(), "authenticate") {
			return nil, refused("%s does not let us in as %s: add the public key of the hook (drycc builds hook info) to the repository as a deploy key.", where.Host, where.User)
		}
		return nil, refused("%s can't be spoken to: %v", where.Host, err)
	}
	return ssh.NewClient(client, channels, requests), nil
}

func (f *Fetcher) dialSSH(ctx context.Context, where platform.GitURL, from control.GitSource) (peer, error) {
	host, _, _, _, err := ssh.ParseAuthorizedKey([]byte(from.HostKey))
	if err != nil {
		return nil, refused("The host key of %s is not known: set the hook up again.", where.Host)
	}
	signer, err := ssh.ParsePrivateKey([]byte(from.PrivateKey))
	if err != nil {
		// The library's error could repeat what is in the key.
		return nil, refused("The hook has no key for %s: set the hook up again.", where.Host)
	}
	client, err := f.login(ctx, where, &ssh.ClientConfig{
		Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyAlgorithms: algorithmsOf(host),
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if !bytes.Equal(key.Marshal(), host.Marshal()) {
				return refused("%s shows another host key than when the hook was set up: %s instead of %s. If that is right, set the hook up again.",
					where.Host, ssh.FingerprintSHA256(key), ssh.FingerprintSHA256(host))
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	p := &sshPeer{said: &capped{limit: 4 << 10}, closeAll: sync.OnceFunc(func() { _ = client.Close() })}
	if err := p.start(client, where.Path); err != nil {
		p.close()
		return nil, refused("%s does not give out repositories: %v", where.Host, err)
	}
	return p, nil
}

// algorithmsOf are the ways in which a host can prove that it has a key. One
// that has keys of several kinds is asked for the one that is known.
func algorithmsOf(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{key.Type()}
}

func (p *sshPeer) start(client *ssh.Client, path string) (err error) {
	if p.session, err = client.NewSession(); err != nil {
		return err
	}
	// Servers that do not take it speak an older version, which works as well.
	_ = p.session.Setenv("GIT_PROTOCOL", "version=2")
	p.session.Stderr = p.said
	if p.in, err = p.session.StdinPipe(); err != nil {
		return err
	}
	if p.out, err = p.session.StdoutPipe(); err != nil {
		return err
	}
	return p.session.Start("git-upload-pack '" + strings.ReplaceAll(path, "'", `'\''`) + "'")
}

func (p *sshPeer) close() { p.closeAll() }

func (p *sshPeer) talk(_ context.Context, fromGit io.Reader, toGit io.Writer) error {
	go func() {
		_, _ = io.Copy(p.in, fromGit) // it ends with git or the connection
		_ = p.in.Close()
	}()
	n, err := io.Copy(toGit, p.out)
	if err == nil && n == 0 {
		if text := strings.TrimSpace(p.said.String()); text != "" {
			return refused("The repository can't be read: %s", text)
		}
		return fmt.Errorf("the server said nothing: %w", io.ErrUnexpectedEOF)
	}
	return err
}
