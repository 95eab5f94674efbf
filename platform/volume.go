package platform

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// VolumeType is where the files of a volume are.
type VolumeType string

// The types of volumes.
const (
	VolumeCSI VolumeType = "csi" // made by the cluster's storage class
	VolumeNFS VolumeType = "nfs" // a directory of an NFS server
	VolumeOSS VolumeType = "oss" // a bucket of an S3 server
)

// Volume is a piece of storage that outlives the pods that use it. It belongs
// to one app; each process type mounts it at a path of its own.
type Volume struct {
	UUID       string
	App        string
	Name       string
	Type       VolumeType
	Size       string            // "2G", "200M"; see VolumeBytes
	Parameters map[string]string // of an NFS or S3 server, by name; sealed in the store
	Path       map[string]string // process type → where it is mounted
	Deleting   bool              // its removal has begun; it no longer shows
	Created    time.Time
	Updated    time.Time
}

// Mount is one volume in the pods of a process type.
type Mount struct{ Volume, Path string }

// MountsOf lists the mounts of a process type, by path.
func MountsOf(volumes []Volume, ptype string) []Mount {
	var out []Mount
	for _, v := range volumes {
		if path := v.Path[ptype]; path != "" && !v.Deleting {
			out = append(out, Mount{Volume: v.Name, Path: path})
		}
	}
	slices.SortFunc(out, func(a, b Mount) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// ValidateVolumeName checks the name of a volume, which becomes that of a claim.
func ValidateVolumeName(name string) error { return validateObjectName(name) }

// validateObjectName accepts words of lower-case letters and digits, joined by
// single hyphens, 3 to 63 characters in all.
func validateObjectName(name string) error {
	if ValidatePtype("name", name) == nil {
		return nil
	}
	if len(name) > maxLabel || len(name) < 3 {
		return FieldErrorf("name", "The length of name must be between 3 and %d", maxLabel)
	}
	return FieldErrorf("name", "Can only contain a-z (lowercase), 0-9 and hyphens")
}

const (
	mebi          = int64(1) << 20
	gibi          = int64(1) << 30
	maxVolumeSize = 16384 * gibi
)

// ParseVolumeSize reads "2G" or "200m" and returns it as it is kept, in upper
// case. A size has no sign, no fraction and no leading zero, and is at most
// 16384G.
func ParseVolumeSize(size string) (string, error) {
	if size == "" {
		return "", FieldErrorf("size", "This field may not be blank.")
	}
	kept := strings.ToUpper(size)
	if VolumeBytes(kept) == 0 {
		return "", FieldErrorf("size", "Volume size format: a number and its unit, G or M, between 1M and 16384G, such as 10G: %s", clipped(size))
	}
	return kept, nil
}

// VolumeBytes is the size of a volume in bytes; a G is 1024 M of 1024² bytes
// each. 0: not a size.
func VolumeBytes(size string) int64 {
	if len(size) < 2 || len(size) > 12 || size[0] < '1' || size[0] > '9' {
		return 0
	}
	unit := map[byte]int64{'M': mebi, 'G': gibi}[size[len(size)-1]]
	n, err := strconv.ParseInt(size[:len(size)-1], 10, 64)
	if err != nil || unit == 0 || n > maxVolumeSize/unit {
		return 0
	}
	return n * unit
}

// clipped keeps what somebody sent from filling a message.
func clipped(s string) string {
	if len(s) <= 64 {
		return s
	}
	return s[:64] + "…"
}

const maxPath = 1024

// ParseVolumePath reads the path at which a volume is mounted and returns it
// without a slash at its end.
func ParseVolumePath(path string) (string, error) {
	path = strings.TrimSuffix(path, "/")
	rest, ok := strings.CutPrefix(path, "/")
	ok = ok && len(path) <= maxPath
	for _, part := range strings.Split(rest, "/") {
		ok = ok && validMountPart(part)
	}
	if !ok {
		return "", FieldErrorf("path", "Volume path format: /path")
	}
	return path, nil
}

// validMountPart accepts letters, digits and underscores, and hyphens after the
// first character.
func validMountPart(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '_' && (c != '-' || i == 0) {
			return false
		}
	}
	return s != ""
}

// volumeFields are the parameters of each type: true for those it must have.
func volumeFields(t VolumeType) (map[string]bool, bool) {
	fields, ok := map[VolumeType]map[string]bool{
		VolumeCSI: {},
		VolumeNFS: {"server": true, "path": true},
		VolumeOSS: {"server": true, "bucket": true, "access_key": true, "secret_key": true, "path_style": false},
	}[t]
	return fields, ok
}

const maxParameter = 1024

// ValidateVolumeType checks a type and what it needs to be known of its server.
func ValidateVolumeType(t VolumeType, parameters map[string]string) error {
	const field = "parameters"
	fields, ok := volumeFields(t)
	if !ok {
		return FieldErrorf("type", "\"%s\" is not a valid choice: use csi, nfs or oss.", clipped(string(t)))
	}
	if len(fields) > 0 && len(parameters) == 0 {
		return FieldErrorf(field, "parameters cannot be empty when the type is not csi.")
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		value := parameters[name]
		switch _, known := fields[name]; {
		case !known:
			return FieldErrorf(field, "The parameter %q is not known for type %s.", clipped(name), t)
		case len(value) > maxParameter || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return FieldErrorf(field, "%s has characters that are no text, or more than %d.", name, maxParameter)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if fields[name] && parameters[name] == "" {
			return FieldErrorf(field, "%s is required for type %s.", name, t)
		}
	}
	if t == VolumeNFS {
		return validateNFS(parameters)
	}
	return nil
}

// validateNFS keeps out what a mount command would take for options.
func validateNFS(p map[string]string) error {
	if !strings.HasPrefix(p["path"], "/") {
		return FieldErrorf("parameters", "path of an NFS server has to begin with a slash.")
	}
	if strings.HasPrefix(p["server"], "-") || strings.ContainsAny(p["server"], "/ ,") {
		return FieldErrorf("parameters", "server has to be the name or address of an NFS server.")
	}
	return nil
}
