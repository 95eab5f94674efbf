package mail

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"os"
	"strconv"
	"strings"
	"time"
)

// Security says how a connection is protected.
type Security string

// The kinds of protection.
const (
	StartTLS Security = "starttls" // plain at first, TLS before anything is said; port 587
	TLS      Security = "tls"      // TLS from the start; port 465
	Plain    Security = "none"     // none; port 25
)

// Options say which server takes mail. Host and From are required.
type Options struct {
	Host     string
	Port     int      // default: by Security
	Security Security // default: StartTLS
	Username string   // empty: no authentication
	Password string
	From     string // "Slipway <noreply@example.com>"
	CAFile   string // PEM of who may sign the server's certificate; empty: the system's
	Timeout  time.Duration
	Now      func() time.Time // default: the system's
}

const defaultTimeout = 30 * time.Second

// Sender sends mail. Safe for concurrent use; each message has a connection of
// its own.
type Sender struct {
	o    Options
	from *mail.Address
	tls  *tls.Config
}

// New checks the options; it does not connect.
func New(o Options) (*Sender, error) {
	if o.Host == "" {
		return nil, errors.New("SMTP_HOST is empty")
	}
	if o.Security == "" {
		o.Security = StartTLS
	}
	port, ok := map[Security]int{StartTLS: 587, TLS: 465, Plain: 25}[o.Security]
	if !ok {
		return nil, fmt.Errorf("SMTP_SECURITY %q: use starttls, tls or none", o.Security)
	}
	if o.Port == 0 {
		o.Port = port
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("SMTP_FROM %q: %w", o.From, err)
	}
	s := &Sender{o: o, from: from, tls: &tls.Config{ServerName: o.Host, MinVersion: tls.VersionTLS12}}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("SMTP_CA_FILE: %w", err)
		}
		s.tls.RootCAs = x509.NewCertPool()
		if !s.tls.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("SMTP_CA_FILE %s: no certificate in it", o.CAFile)
		}
	}
	return s, nil
}

// Send hands one message of plain text to the server and returns when it has
// taken it. The error never holds the password.
func (s *Sender) Send(ctx context.Context, to, subject, text string) error {
	recipient, err := mail.ParseAddress(to)
	if err != nil {
		return fmt.Errorf("mail to %q: %w", to, err)
	}
	message, err := s.message(recipient, subject, text)
	if err != nil {
		return fmt.Errorf("mail to %s: %w", recipient.Address, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	if err := s.deliver(ctx, recipient.Address, message); err != nil {
		return fmt.Errorf("mail to %s by %s: %w", recipient.Address, s.o.Host, err)
	}
	return nil
}

func (s *Sender) deliver(ctx context.Context, to string, message []byte) error {
	client, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // after Quit there is nothing to lose
	if s.o.Username != "" {
		if err := client.Auth(smtp.PlainAuth("", s.o.Username, s.o.Password, s.o.Host)); err != nil {
			return fmt.Errorf("authentication: %w", err)
		}
	}
	if err := client.Mail(s.from.Address); err != nil {
		return err
	}
	if err := client.Rcpt(to); err != nil {
		return err
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = client.Quit() // the message is taken; how the server says goodbye does not matter
	return nil
}

// connect opens a connection that ends with ctx and is protected as it should
// be: a server that offers no TLS where it is wanted gets nothing.
func (s *Sender) connect(ctx context.Context) (*smtp.Client, error) {
	address := net.JoinHostPort(s.o.Host, strconv.Itoa(s.o.Port))
	var conn net.Conn
	var err error
	if s.o.Security == TLS {
		conn, err = (&tls.Dialer{Config: s.tls}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	client, err := smtp.NewClient(conn, s.o.Host)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if s.o.Security == StartTLS {
		if err := client.StartTLS(s.tls); err != nil {
			return nil, errors.Join(fmt.Errorf("STARTTLS: %w", err), client.Close())
		}
	}
	return client, nil
}

// message writes the headers and the text. Nothing in either can become a
// header of its own: addresses were parsed, the subject is encoded.
func (s *Sender) message(to *mail.Address, subject, text string) ([]byte, error) {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never returns an error
	_, domain, _ := strings.Cut(s.from.Address, "@")
	subject = strings.NewReplacer("\r", " ", "\n", " ").Replace(subject)
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"From", s.from.String()}, {"To", to.String()}, {"Subject", mime.QEncoding.Encode("utf-8", subject)},
		{"Date", s.o.Now().Format(time.RFC1123Z)}, {"Message-ID", "<" + hex.EncodeToString(id[:]) + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "quoted-printable"},
	} {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
		return nil, err
	}
	return b.Bytes(), w.Close()
}
