package bootstrap

import (
	"path/filepath"
	"strings"

	"github.com/robfig/cron/v3"

	"github.com/slipway-paas/slipway/bootstrap/backup"
)

// backupSettings say when backups are made, where they go and who can read them.
func backupSettings() []Setting {
	const kept = ", kept in /etc/slipway/credentials"
	rows := []Setting{
		tunable(Setting{Name: "SLIPWAY_BACKUP_SCHEDULE", Key: "backup-schedule",
			Meaning: "when backups are made, in the words of cron (`30 3 * * *`, `@daily`), time of the host; without it none are made by themselves"}, cronText),
		tunable(Setting{Name: "SLIPWAY_BACKUP_TARGET", Key: "backup-target",
			Meaning: "where those backups go: a folder, or s3://bucket/folder"}, backupTarget),
		tunable(Setting{Name: "SLIPWAY_BACKUP_KEEP", Key: "backup-keep", Default: "7d,4w,6m",
			Meaning: "which of them stay: the newest of each of so many days, weeks, months (d, w, m, y), or a number of backups; the newest always stays"}, keepText),
		tunable(Setting{Name: "SLIPWAY_BACKUP_RECIPIENTS", Key: "backup-recipients",
			Meaning: "who can read backups: public keys of age or SSH, with commas between"}, recipientsText),
		tunable(Setting{Name: "SLIPWAY_BACKUP_METRICS", Key: "backup-metrics", Default: "false",
			Meaning: "put the monitoring's data into those backups too"}, oneOf("true", "false")),
		tunable(Setting{Name: "SLIPWAY_BACKUP_DRILL_SCHEDULE", Key: "backup-drill-schedule",
			Meaning: "when the newest backup is restored into a scratch place to see that it can be, in the words of cron; needs the identity file"}, cronText),
		tunable(Setting{Name: "SLIPWAY_BACKUP_IDENTITY_FILE", Key: "backup-identity-file",
			Meaning: "file with the private key that drills read backups with; keep another copy off this host, or no backup can be read when the host is lost"}, fileText),
		tunable(Setting{Name: "SLIPWAY_BACKUP_S3_ENDPOINT", Key: "backup-s3-endpoint", Default: "Amazon's",
			Meaning: "S3 server of the bucket"}, addressWith("https", "http")),
		tunable(Setting{Name: "SLIPWAY_BACKUP_S3_REGION", Key: "backup-s3-region", Default: "asked for",
			Meaning: "its region"}, anyText),
		tunable(Setting{Name: "SLIPWAY_BACKUP_S3_CA_FILE", Key: "backup-s3-ca-file", Default: "the host's authorities",
			Meaning: "PEM file of who signs that server's certificate"}, fileText),
		tunable(Setting{Name: "SLIPWAY_BACKUP_S3_ACCESS_KEY", Secret: true, Meaning: "access key of the bucket" + kept}, anyText),
		tunable(Setting{Name: "SLIPWAY_BACKUP_S3_SECRET_KEY", Secret: true, Meaning: "secret key of the bucket" + kept}, anyText),
	}
	for i := range rows {
		rows[i].Group = groupBackup
	}
	return rows
}

func cronText(v string) (problem, cure string) {
	if _, err := cron.ParseStandard(v); err != nil {
		return "is no schedule", "write minute, hour, day, month and weekday as in a crontab, such as 30 3 * * *, or @daily"
	}
	return "", ""
}

func backupTarget(v string) (problem, cure string) {
	if strings.HasPrefix(v, "s3://") {
		if len(v) == len("s3://") || strings.ContainsAny(v, "?#@ ") {
			return "is no place in a bucket", "write s3://bucket/folder; keys belong into SLIPWAY_BACKUP_S3_ACCESS_KEY and SLIPWAY_BACKUP_S3_SECRET_KEY"
		}
		return "", ""
	}
	return fileText(v)
}

func keepText(v string) (problem, cure string) {
	if _, err := backup.ParseKeep(v); err != nil {
		return "is no rule: " + err.Error(), "write 7d,4w,6m or a number of backups"
	}
	return "", ""
}

func recipientsText(v string) (problem, cure string) {
	list, err := backup.ParseRecipients(v)
	if err != nil {
		return "can't be used: " + err.Error(), "give public keys with commas between"
	}
	if len(list) == 0 {
		return "names nobody", "give a public key; \"slipway backup key FILE\" makes a pair"
	}
	return anyText(v)
}

// BackupKeep is the rule by which old backups go.
func (s Settings) BackupKeep() string {
	if v := s.ControllerSetting("SLIPWAY_BACKUP_KEEP"); v != "" {
		return v
	}
	return "7d,4w,6m"
}

// validateBackups refuses a target among the databases: the server looks into
// every file in its target, and closing a database's file that it has open ends
// the locks on it.
func (s *Settings) validateBackups() error {
	const name = "SLIPWAY_BACKUP_TARGET"
	target, p := s.ControllerSetting(name), NewPaths(*s)
	for _, dir := range []string{p.Controller, filepath.Join(p.K3sData, "server", "db")} {
		if target != "" && filepath.Clean(target) == dir {
			return &FieldError{Name: name, Value: target, Problem: "is where the platform has a database",
				Cure: "give a folder of its own, best on another disk"}
		}
	}
	return nil
}
