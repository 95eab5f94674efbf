package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/libdns/libdns"
)

// execHook has a program on the host make and remove records:
//
//	<file> add|delete <name> <value>
//
// with ACME_DNS_ACTION, _ZONE, _NAME, _TYPE, _VALUE and _TTL (seconds) in its
// environment, and ACME_DNS_SECRET where one is set: arguments can be read by
// everybody on the host. Nothing else of the server's environment is passed on.
// A program that ends with another code than 0 has failed.
type execHook struct {
	file, secret string
	patience     time.Duration
}

// AppendRecords has records made.
func (h execHook) AppendRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, h.each(ctx, "add", zone, records)
}

// DeleteRecords has records removed.
func (h execHook) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, h.each(ctx, "delete", zone, records)
}

func (h execHook) each(ctx context.Context, action, zone string, records []libdns.Record) error {
	if err := h.safe(); err != nil {
		return err
	}
	for _, record := range records {
		if err := h.run(ctx, action, zone, record.RR()); err != nil {
			return err
		}
	}
	return nil
}

// safe refuses a program that others than root may change: it runs as root.
func (h execHook) safe() error {
	info, err := os.Stat(h.file)
	if err != nil {
		return fmt.Errorf("ACME_DNS_EXEC: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("ACME_DNS_EXEC: %s is no program: chmod 0755 it", h.file)
	}
	if info.Mode()&0o022 != 0 {
		return fmt.Errorf("ACME_DNS_EXEC: others may write to %s, which runs as root: chmod go-w it", h.file)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("ACME_DNS_EXEC: %s belongs to user %d, who may change what runs as root: chown root it", h.file, st.Uid)
	}
	return nil
}

func (h execHook) run(ctx context.Context, action, zone string, rr libdns.RR) error {
	ctx, cancel := context.WithTimeout(ctx, h.patience)
	defer cancel()
	name := libdns.AbsoluteName(rr.Name, zone)
	cmd := exec.CommandContext(ctx, h.file, action, name, rr.Data)
	cmd.Env = []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8",
		"ACME_DNS_ACTION=" + action, "ACME_DNS_ZONE=" + zone, "ACME_DNS_NAME=" + name, "ACME_DNS_TYPE=" + rr.Type,
		"ACME_DNS_VALUE=" + rr.Data, "ACME_DNS_TTL=" + strconv.Itoa(int(rr.TTL/time.Second)),
	}
	if h.secret != "" {
		cmd.Env = append(cmd.Env, "ACME_DNS_SECRET="+h.secret)
	}
	said := &lastWords{}
	cmd.Stdout, cmd.Stderr = said, said
	// What it has started ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%s %s has not ended within %s", h.file, action, h.patience)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w%s", h.file, action, err, said.quote(h.secret))
	}
	return nil
}

// lastWords keeps the end of what a program prints.
type lastWords struct{ text []byte }

const mostWords = 4096

// Write never fails, so that the program is not ended by it.
func (w *lastWords) Write(p []byte) (int, error) {
	w.text = append(w.text, p...)
	if len(w.text) > mostWords {
		w.text = bytes.Clone(w.text[len(w.text)-mostWords:])
	}
	return len(p), nil
}

// quote is the last line, without the secret, for an error.
func (w *lastWords) quote(secret string) string {
	text := strings.TrimSpace(string(w.text))
	if secret != "" {
		text = strings.ReplaceAll(text, secret, "***")
	}
	line := text[strings.LastIndexByte(text, '\n')+1:]
	if line == "" {
		return ""
	}
	return ": " + line[:min(len(line), 200)]
}
