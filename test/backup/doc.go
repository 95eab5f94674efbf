// Package backup tests backups on real hosts: a platform with apps, data and
// certificates is put into one file on one host, and comes back out of it on
// another one with another address and domain.
package backup
