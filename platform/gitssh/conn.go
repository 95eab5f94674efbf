package gitssh

import (
	"context"
	"crypto/rsa"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/slipway-paas/slipway/platform"
)

const (
	userName     = "git"
	maxAuthTries = 20 // an agent offers all the keys it has
	maxSessions  = 8  // at once on one connection
	minRSA       = 2048
	writeTime    = time.Minute // for the network to take what is written
	emptyTime    = time.Minute // that a connection may be without a command

	wrongUser = "The user name of this server is git: ssh://git@HOST:PORT/APP.git\n"
)

// Extensions of the permissions of a key.
const (
	extUser = "user"
	extKey  = "fingerprint"
)

// identity is who has proven a key.
type identity struct {
	username    string
	fingerprint string // "SHA256:…"
	from        string // address
}

// authenticate says whose a key is. It is called for keys that a client only
// asks about, too: what counts are the permissions that come out of the
// handshake, which are those of the key that was proven.
func (s *Server) authenticate(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	if meta.User() != userName {
		return nil, &ssh.BannerError{Err: errors.New("wrong user name"), Message: wrongUser}
	}
	if short(key) {
		return nil, &ssh.BannerError{Err: errors.New("short key"),
			Message: "Your RSA key has less than 2048 bits. Make another one: ssh-keygen -t ed25519\n"}
	}
	ctx, cancel := context.WithTimeout(s.work, s.limits.Login)
	defer cancel()
	fingerprint := ssh.FingerprintSHA256(key)
	username, err := s.control.KeyOwner(ctx, fingerprint)
	if err != nil {
		if platform.CodeOf(err) == platform.NotFound {
			return nil, errors.New("unknown key")
		}
		s.logger.WithError(err).Warn("git door: looking for the owner of a key")
		return nil, &ssh.BannerError{Err: err, Message: "The platform can't look up keys at the moment; try again in a minute.\n"}
	}
	return &ssh.Permissions{Extensions: map[string]string{extUser: username, extKey: fingerprint}}, nil
}

// short reports whether a key is an RSA key that can be broken.
func short(key ssh.PublicKey) bool {
	k, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return false
	}
	r, ok := k.CryptoPublicKey().(*rsa.PublicKey)
	return ok && r.N.BitLen() < minRSA
}

// patientConn ends a connection on which nothing moves. Before the handshake
// is over its deadline is the whole handshake's.
type patientConn struct {
	net.Conn
	idle        time.Duration
	established atomic.Bool
}

// settle ends the handshake's deadline. A Read that waits already has to end
// in time, too.
func (c *patientConn) settle() error {
	c.established.Store(true)
	return errors.Join(c.SetDeadline(time.Time{}), c.SetReadDeadline(time.Now().Add(c.idle)))
}

// Read waits for as long as a connection may be silent.
func (c *patientConn) Read(p []byte) (int, error) {
	if c.established.Load() {
		if err := c.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(p)
}

// Write waits for a peer that takes nothing, but not for ever.
func (c *patientConn) Write(p []byte) (int, error) {
	if c.established.Load() {
		if err := c.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

// serve handles one connection until it is closed and all its sessions ended.
func (s *Server) serve(raw net.Conn) {
	defer raw.Close()
	conn := &patientConn{Conn: raw, idle: s.limits.Idle}
	if conn.SetDeadline(time.Now().Add(s.limits.Login)) != nil {
		return
	}
	// At the end a server waits for nobody.
	defer context.AfterFunc(s.open, func() { _ = raw.Close() })()
	client, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		s.logger.WithError(err).WithField("from", raw.RemoteAddr()).Debug("git door: handshake")
		return
	}
	defer client.Close()
	if conn.settle() != nil {
		return
	}
	who := identity{
		username: client.Permissions.Extensions[extUser], fingerprint: client.Permissions.Extensions[extKey],
		from: raw.RemoteAddr().String(),
	}
	go ssh.DiscardRequests(requests) // ends with the connection; forwarding is asked for here, and refused
	closed := make(chan struct{})
	var alive sync.WaitGroup
	alive.Go(func() { keepAlive(client, s.limits.Idle/4, closed) })
	s.sessions(client, channels, who)
	close(closed)
	_ = client.Close() // also ends a keepalive that waits for its answer
	alive.Wait()
}

// keepAlive makes a living client say something before the connection counts
// as dead.
func keepAlive(client ssh.Conn, every time.Duration, closed <-chan struct{}) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-closed:
			return
		case <-ticker.C:
			if _, _, err := client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
				return
			}
		}
	}
}

// sessions serves the channels of a connection, and closes one that has been
// without any for a while.
func (s *Server) sessions(client *ssh.ServerConn, channels <-chan ssh.NewChannel, who identity) {
	var running sync.WaitGroup
	var open atomic.Int64
	empty := time.AfterFunc(emptyTime, func() { _ = client.Close() })
	defer empty.Stop()
	for c := range channels {
		switch {
		case c.ChannelType() != "session":
			_ = c.Reject(ssh.Prohibited, "forwarding is not offered here")
			continue
		case open.Load() >= maxSessions:
			_ = c.Reject(ssh.ResourceShortage, "too many sessions on this connection")
			continue
		}
		channel, requests, err := c.Accept()
		if err != nil {
			continue
		}
		open.Add(1)
		empty.Stop()
		running.Go(func() {
			s.session(channel, requests, who)
			if open.Add(-1) == 0 {
				empty.Reset(emptyTime)
			}
		})
	}
	running.Wait()
}
