package mail_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/identity/mail"
)

var _ control.Mailer = (*mail.Sender)(nil)

// letter is a message that the server took.
type letter struct{ from, to, data, user string }

// office is a mail server. It takes letters to anybody but bounce@.
type office struct {
	port  int
	ca    string
	taken chan letter
}

// session is one connection to it.
type session struct {
	office *office
	letter letter
}

func (s *session) Reset()                                      {}
func (s *session) Logout() error                               { return nil }
func (s *session) AuthMechanisms() []string                    { return []string{sasl.Plain} }
func (s *session) Mail(from string, _ *smtp.MailOptions) error { s.letter.from = from; return nil }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "slipway" || password != "swordfish" {
			return smtp.ErrAuthFailed
		}
		s.letter.user = username
		return nil
	}), nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "bounce@") {
		return &smtp.SMTPError{Code: 550, Message: "No such mailbox"}
	}
	s.letter.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	s.letter.data = string(data)
	s.office.taken <- s.letter
	return err
}

// open runs a mail server until the test ends.
func open(t *testing.T, implicit, encrypts bool) *office {
	t.Helper()
	config, ca := certificate(t)
	o := &office{ca: ca, taken: make(chan letter, 10)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{office: o}, nil }))
	server.Domain = "localhost"
	server.AllowInsecureAuth = true
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o.port = l.Addr().(*net.TCPAddr).Port
	switch {
	case implicit:
		l = tls.NewListener(l, config)
	case encrypts:
		server.TLSConfig = config
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		// The listener as well: a server that was not yet serving forgets it.
		_ = l.Close()
		_ = server.Close() // it says that the listener is closed
		<-done
	})
	return o
}

func certificate(t *testing.T) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file
}

func (o *office) options(security mail.Security) mail.Options {
	return mail.Options{Host: "127.0.0.1", Port: o.port, Security: security, Username: "slipway", Password: "swordfish",
		From: "Slipway <noreply@example.test>", CAFile: o.ca}
}

func TestSend(t *testing.T) {
	for name, tc := range map[string]struct {
		security           mail.Security
		implicit, encrypts bool
	}{"start tls": {mail.StartTLS, false, true}, "tls": {mail.TLS, true, true}, "plain": {mail.Plain, false, false}} {
		t.Run(name, func(t *testing.T) {
			o := open(t, tc.implicit, tc.encrypts)
			options := o.options(tc.security)
			options.Now = func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
			s, err := mail.New(options)
			require.NoError(t, err)
			text := "Grüß dich\n.\n" + strings.Repeat("long ", 300) + "=\n"
			require.NoError(t, s.Send(t.Context(), "carol@example.test", "Invitation to wörk\r\nBcc: eve@example.test", text))
			got := <-o.taken
			require.Equal(t, []string{"noreply@example.test", "carol@example.test", "slipway"}, []string{got.from, got.to, got.user})
			message, err := netmail.ReadMessage(strings.NewReader(got.data))
			require.NoError(t, err)
			require.Empty(t, message.Header.Get("Bcc"), "a subject is no way to further headers")
			subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
			require.NoError(t, err)
			require.Equal(t, "Invitation to wörk  Bcc: eve@example.test", subject)
			require.Equal(t, `"Slipway" <noreply@example.test>`, message.Header.Get("From"))
			require.Equal(t, "Sun, 01 Mar 2026 12:00:00 +0000", message.Header.Get("Date"))
			require.Regexp(t, `^<[0-9a-f]{32}@example\.test>$`, message.Header.Get("Message-ID"))
			body, err := io.ReadAll(quotedprintable.NewReader(message.Body))
			require.NoError(t, err)
			require.Equal(t, text, strings.TrimRight(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n")+"\n")
		})
	}
}

func TestNotSent(t *testing.T) {
	for name, tc := range map[string]struct {
		security           mail.Security
		implicit, encrypts bool
		change             func(*mail.Options)
		to, want           string
	}{
		"wrong password":     {mail.StartTLS, false, true, func(o *mail.Options) { o.Password = "marlin" }, "carol@example.test", "authentication"},
		"no such mailbox":    {mail.StartTLS, false, true, func(*mail.Options) {}, "bounce@example.test", "No such mailbox"},
		"no tls there":       {mail.StartTLS, false, false, func(*mail.Options) {}, "carol@example.test", "STARTTLS"},
		"unknown signer":     {mail.StartTLS, false, true, func(o *mail.Options) { o.CAFile = "" }, "carol@example.test", "certificate"},
		"unknown signer tls": {mail.TLS, true, true, func(o *mail.Options) { o.CAFile = "" }, "carol@example.test", "certificate"},
		"nobody there":       {mail.Plain, false, false, func(o *mail.Options) { o.Port = 1 }, "carol@example.test", "refused"},
		"no address":         {mail.Plain, false, false, func(*mail.Options) {}, "carol@example.test\r\nRCPT TO:<eve@example.test>", "mail to"},
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t, tc.implicit, tc.encrypts)
			options := o.options(tc.security)
			tc.change(&options)
			s, err := mail.New(options)
			require.NoError(t, err)
			err = s.Send(t.Context(), tc.to, "s", "t")
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), options.Password)
			require.Empty(t, o.taken)
		})
	}
}

// A server that says nothing holds nobody for ever.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	s, err := mail.New(mail.Options{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, From: "a@example.test", Timeout: 50 * time.Millisecond})
	require.NoError(t, err)
	require.Error(t, s.Send(t.Context(), "carol@example.test", "s", "t"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = s.Send(ctx, "carol@example.test", "s", "t")
	require.True(t, errors.Is(err, context.Canceled), "%v", err)
}

func TestOptions(t *testing.T) {
	for want, o := range map[string]mail.Options{
		"SMTP_HOST is empty":    {From: "a@example.test"},
		`SMTP_SECURITY "ssl"`:   {Host: "h", From: "a@example.test", Security: "ssl"},
		`SMTP_FROM "nobody"`:    {Host: "h", From: "nobody"},
		"SMTP_CA_FILE: open /n": {Host: "h", From: "a@example.test", CAFile: "/nowhere"},
	} {
		_, err := mail.New(o)
		require.ErrorContains(t, err, want)
	}
}
