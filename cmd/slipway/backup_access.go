package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/backup"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// backupKeys are the flags that say who can read a backup.
type backupKeys struct {
	recipients     []string
	passphraseFile string
	identity       string
}

func (k *backupKeys) writing(c *cobra.Command) {
	c.Flags().StringArrayVar(&k.recipients, "recipient", nil, "public key of age or SSH that can read it; may be given several times (default: SLIPWAY_BACKUP_RECIPIENTS)")
	c.Flags().StringVar(&k.passphraseFile, "passphrase-file", "", "file whose first line is the passphrase; without key or file it is asked for")
}

func (k *backupKeys) reading(c *cobra.Command) {
	c.Flags().StringVar(&k.identity, "identity", "", "file with the private key of age or SSH (default: SLIPWAY_BACKUP_IDENTITY_FILE)")
	c.Flags().StringVar(&k.passphraseFile, "passphrase-file", "", "file whose first line is the passphrase; without key or file it is asked for")
}

// to is who can read what is written.
func (k *backupKeys) to(s bootstrap.Settings) ([]age.Recipient, error) {
	list := strings.Join(k.recipients, "\n")
	switch {
	case list != "" && k.passphraseFile != "":
		return nil, errors.New("give either recipients or a passphrase: a backup can't have both")
	case list == "" && k.passphraseFile == "":
		list = s.ControllerSetting("SLIPWAY_BACKUP_RECIPIENTS")
	}
	if list != "" {
		return backup.ParseRecipients(list)
	}
	text, err := k.passphrase("Passphrase for the backup: ", true)
	if err != nil {
		return nil, err
	}
	r, err := backup.Passphrase(text)
	return []age.Recipient{r}, err
}

// with is what a backup is read with.
func (k *backupKeys) with(s bootstrap.Settings) ([]age.Identity, error) {
	file := k.identity
	if file == "" && k.passphraseFile == "" {
		file = s.ControllerSetting("SLIPWAY_BACKUP_IDENTITY_FILE")
	}
	if file != "" {
		return backup.LoadIdentities(file)
	}
	text, err := k.passphrase("Passphrase of the backup: ", false)
	if err != nil {
		return nil, err
	}
	id, err := backup.PassphraseIdentity(text)
	return []age.Identity{id}, err
}

// passphrase reads it from its file, or asks on a terminal, where nothing of it
// is shown.
func (k *backupKeys) passphrase(prompt string, twice bool) (string, error) {
	if k.passphraseFile != "" {
		data, err := os.ReadFile(k.passphraseFile)
		if err != nil {
			return "", fmt.Errorf("passphrase: %w", err)
		}
		line, _, _ := bytes.Cut(data, []byte("\n"))
		if text := strings.TrimRight(string(line), "\r"); text != "" {
			return text, nil
		}
		return "", fmt.Errorf("passphrase: the first line of %s is empty", k.passphraseFile)
	}
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		if twice {
			return "", errors.New("nobody could read the backup: give --recipient with a public key (\"slipway backup key FILE\" makes a pair), set SLIPWAY_BACKUP_RECIPIENTS, or give --passphrase-file")
		}
		return "", errors.New("give --identity with the private key, or --passphrase-file")
	}
	text, err := ask(in, prompt)
	if err != nil || !twice {
		return text, err
	}
	again, err := ask(in, "Once more: ")
	if err == nil && again != text {
		err = errors.New("the two passphrases are not the same; nothing was written")
	}
	return text, err
}

func ask(in int, prompt string) (string, error) {
	fmt.Fprint(os.Stderr, prompt)
	text, err := term.ReadPassword(in)
	fmt.Fprintln(os.Stderr)
	return string(text), err
}

// s3Options are those of the settings, completed by the names that programs of
// Amazon use.
func s3Options(s bootstrap.Settings) backup.S3Options {
	value := func(setting, usual string) string {
		if v := s.ControllerSetting(setting); v != "" {
			return v
		}
		return os.Getenv(usual)
	}
	return backup.S3Options{
		Endpoint:  value("SLIPWAY_BACKUP_S3_ENDPOINT", "AWS_ENDPOINT_URL"),
		Region:    value("SLIPWAY_BACKUP_S3_REGION", "AWS_REGION"),
		AccessKey: value("SLIPWAY_BACKUP_S3_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
		SecretKey: value("SLIPWAY_BACKUP_S3_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
		CAFile:    s.ControllerSetting("SLIPWAY_BACKUP_S3_CA_FILE"),
	}
}

// backupPlace is the place that an argument or, without one, the settings name,
// with the name in it; empty when it names only a place.
func backupPlace(s bootstrap.Settings, args []string) (backup.Place, string, error) {
	if len(args) > 0 {
		return backup.Split(args[0], s3Options(s))
	}
	target := s.ControllerSetting("SLIPWAY_BACKUP_TARGET")
	if target == "" {
		return nil, "", errors.New("give a file or s3://bucket/key, or set SLIPWAY_BACKUP_TARGET")
	}
	if strings.HasPrefix(target, "s3://") {
		b, err := backup.NewBucket(target, s3Options(s))
		return b, "", err
	}
	return backup.Folder{Path: target}, "", nil
}
