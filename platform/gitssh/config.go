package gitssh

import "fmt"

const commonConfig = `[core]
	hooksPath = %s
	bigFileThreshold = 32m
	packedGitWindowSize = 16m
	packedGitLimit = 256m
	deltaBaseCacheLimit = 64m
	logAllRefUpdates = false
; A push that was accepted is on the disk: its loose objects and branches too,
; which git leaves to the page cache by itself.
	fsync = all
	fsyncMethod = batch
[init]
	defaultBranch = main
[protocol]
	allow = never
`

// fsckConfig says which faults objects may have.
const fsckConfig = `; Commits of old tools have these, and they hurt nobody.
	badTimezone = ignore
	missingSpaceBeforeDate = ignore
	zeroPaddedFilemode = ignore
; Paths that lead out of a tree, which git only warns of.
	hasDot = error
	hasDotdot = error
	hasDotgit = error
	fullPathname = error
	emptyName = error
	nullSha1 = error
`

// fetchConfig is what git reads while it fetches: it may talk over the pipes
// that it is given and in no other way.
func fetchConfig() []byte {
	return fmt.Appendf(nil, commonConfig+`[protocol "fd"]
	allow = always
[protocol]
	version = 2
[fetch]
	fsckObjects = true
	recurseSubmodules = false
	unpackLimit = 1
[fetch "fsck"]
`+fsckConfig+`[pack]
	threads = 1
[gc]
	auto = 0
[maintenance]
	auto = false
`, "/nonexistent")
}

// gitConfig is the only configuration that git reads beside a repository's
// own, which git init made and no push can change.
func gitConfig(hooks string, l Limits) []byte {
	return fmt.Appendf(nil, commonConfig+`[receive]
	maxInputSize = %d
	fsckObjects = true
	autogc = false
	shallowUpdate = true
	denyDeleteCurrent = refuse
	keepAlive = 5
[receive "fsck"]
`+fsckConfig+`[pack]
	threads = 1
	windowMemory = 64m
	deltaCacheSize = 64m
[gc]
	auto = 1000
	autoPackLimit = 20
	autoDetach = false
	pruneExpire = 1.day.ago
[uploadpack]
	keepAlive = 5
`, hooks, l.Pack)
}
