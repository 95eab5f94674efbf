package main

import "strings"

// recipeVersion is raised when the way of building changes in a manner that
// the other inputs of a cache entry do not show.
const recipeVersion = 1

const (
	registryHost = "slipway.internal" // of every carried image's reference
	nonRoot      = 65532              // user and group of programs that need no root
)

// recipe says how one component is made. Everything in it is an input of the
// component's cache entry.
type recipe struct {
	Name     string    // also its folder under embedded/src, if it is built with Go
	Module   string    // the Go module whose required version is the component's
	Version  string    // when there is no Module: of our own programs
	Programs []program // what Go builds
	Joined   string    `json:",omitempty"` // makes the programs one, of this name, that has theirs as links
	Tags     string    // Go build tags
	LDFlags  string    // besides -s -w; {version} stands for it
	Cgo      bool      // statically linked with the C library
	Debian   []string  // packages of debian.json it takes files from; the first names the version if there are no Programs
	Image    *image    // an image, else node binaries
	Tree     *tree     // a directory of Debian programs, else no
	Packs    bool      `json:",omitempty"` // the images for buildpacks
}

// program is one Go main package and the name of what it becomes.
type program struct {
	Out     string
	Package string
}

// image is the configuration of an image beside its programs, which all go to
// /usr/bin. The first program is the entrypoint.
type image struct {
	Root        bool     // run as root instead of nonRoot
	Dirs        []dir    // folders besides /tmp
	Ports       []int    // TCP ports it says it listens on
	BindLow     bool     // the program may bind ports below 1024 without root
	Certs       bool     // carries the bundle of public certificate authorities
	Busybox     string   // the file that is busybox, for /bin
	Applets     []string // names that lead to it
	Environment []string
}

// dir is a folder in an image that its user may write to.
type dir struct{ Path string }

// tree is a directory with programs of Debian packages and everything they
// need to run on a host with another C library or none.
type tree struct {
	Programs []string // paths in the packages
	Plugins  string   // folder of plug-ins in the library folder, kept under the same name
	Skip     []string // prefixes of plug-ins that are left out
	// Launchers are scripts core/<name> for programs that start each other by
	// name: each runs the program of its name through the loader beside it.
	Launchers []string `json:",omitempty"`
}

func (r recipe) ldflags(version string) string {
	flags := "-s -w"
	if r.LDFlags != "" {
		flags += " " + strings.ReplaceAll(r.LDFlags, "{version}", version)
	}
	return flags
}
