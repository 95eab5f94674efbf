// Package backup writes a platform into one file and reads it back: the format
// of the file, the trees of a host that go into it and come out of it, where
// such files are kept, and which of them are kept for how long.
//
//	header.go    what stands in clear at the beginning
//	manifest.go  the first and the last entry
//	writer.go    entries in tar in zstd in age, with their sums
//	reader.go    the same backwards; nothing is believed that has no sum
//	tree.go      a folder of the host as entries: links, holes, attributes
//	extract.go   entries as a folder of the host, never outside of it
//	registry.go  which files of a registry an image needs
//	key.go       who can read a file
//	place.go     folders and S3 buckets of such files
//	keep.go      which of them are old enough to go
//
// A file is read whole before anything of it is used: one that is cut short, or
// has a byte changed, is refused before it has changed anything. The format is
// described in docs/dev/backup-format.md; files of every version are read for
// ever.
package backup
