// Package archive makes, checks and restores backups of the whole platform. It
// is where the format of bootstrap/backup, the places of a host and the
// controller's records meet; the commands and the server's schedule call it. It
// knows nothing of k3s, so that its tests are quick.
//
//	make.go     what goes into a backup, in which order
//	read.go     reading one to its end before anything is believed
//	restore.go  its data into the places of a platform
//	mark.go     what a host remembers of a restore
//	drill.go    a restore into a scratch folder, and what to check there
//	record.go   what the platform remembers of its backups
package archive
