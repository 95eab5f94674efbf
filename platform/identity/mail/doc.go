// Package mail hands messages to a mail server (SMTP submission).
package mail
