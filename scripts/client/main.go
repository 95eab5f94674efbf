// Command client builds the developer's client for every system and packs it
// for download from the appliance: embedded/clients/<arch>.tar.zst with the
// programs of one architecture, which share most of their bytes when they are
// compressed together, and index.json with the sha256 of each program.
//
// The same inputs give the same bytes. Finished archives are kept by the hash
// of their inputs in $XDG_CACHE_HOME/slipway/client (or ~/.cache/...).
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

const (
	// recipe is raised when the way of building changes in a manner that the
	// other inputs of a cache entry do not show.
	recipe = "1"
	// window lets the programs of an architecture refer to each other.
	window = 32 << 20
	// budget is how large all archives together may be.
	budget = 15 << 20
)

// index lists what can be downloaded.
type index struct {
	Version string          `json:"version"`
	Files   map[string]file `json:"files"` // by name, such as drycc-linux-amd64
}

type file struct {
	Archive string `json:"archive"`
	SHA256  string `json:"sha256"` // hex, of the program
	Size    int64  `json:"size"`   // bytes, of the program
}

func main() {
	out := flag.String("out", "embedded/clients", "folder for the archives and index.json")
	version := flag.String("version", "v0.1.0-dev", "what drycc version says")
	flag.Parse()
	if err := run(*out, *version); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

func run(out, version string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	all := index{Version: version, Files: map[string]file{}}
	var total int64
	for _, arch := range []string{"amd64", "arm64"} {
		dir, err := archive(arch, version)
		if err != nil {
			return fmt.Errorf("%s: %w", arch, err)
		}
		var part index
		raw, err := os.ReadFile(filepath.Join(dir, "index.json"))
		if err == nil {
			err = json.Unmarshal(raw, &part)
		}
		if err != nil {
			return err
		}
		for name, f := range part.Files {
			all.Files[name] = f
		}
		packed, err := os.ReadFile(filepath.Join(dir, "archive"))
		if err != nil {
			return err
		}
		total += int64(len(packed))
		if err := write(filepath.Join(out, arch+".tar.zst"), packed); err != nil {
			return err
		}
	}
	if total > budget {
		return fmt.Errorf("the archives have %d bytes together; %d are allowed", total, budget)
	}
	raw, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "client: %d programs, %.1f MB in %s\n", len(all.Files), float64(total)/1e6, out)
	return write(filepath.Join(out, "index.json"), append(raw, '\n'))
}

// write leaves a file alone that has that content already, so that the program
// that embeds it is not linked anew.
func write(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, content, 0o644); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// archive is the folder in the cache with the archive of an architecture and
// its index, made if need be.
func archive(arch, version string) (string, error) {
	key, err := inputs(arch, version)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	root := filepath.Join(cache, "slipway", "client")
	dir := filepath.Join(root, arch+"-"+key)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp(root, ".building-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	if err := build(scratch, arch, version); err != nil {
		return "", err
	}
	done := filepath.Join(scratch, "done")
	if err := os.Rename(done, dir); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return dir, nil
}

func systems() []string { return []string{"darwin", "linux", "windows"} }

// inputs is the hash of all that decides about the bytes: the compiler, our
// files, and the versions of what they use.
func inputs(arch, version string) (string, error) {
	sum := sha256.New()
	compiler, err := goTool("linux", arch, "env", "GOVERSION")
	if err != nil {
		return "", err
	}
	fmt.Fprintln(sum, recipe, arch, version, window, compiler)
	for _, system := range systems() {
		const format = `{{with .Module}}{{.Path}}@{{.Version}}{{end}} {{if .Module}}{{if .Module.Main}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}} {{end}}{{end}}{{end}}`
		list, err := goTool(system, arch, "list", "-deps", "-f", format, "./cmd/drycc")
		if err != nil {
			return "", err
		}
		lines := strings.Split(list, "\n")
		slices.Sort(lines)
		for _, line := range slices.Compact(lines) {
			module, files, _ := strings.Cut(line, " ")
			fmt.Fprintln(sum, system, module)
			for _, path := range strings.Fields(files) {
				raw, err := os.ReadFile(path)
				if err != nil {
					return "", err
				}
				fmt.Fprintf(sum, "%s %x\n", filepath.Base(path), sha256.Sum256(raw))
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:24], nil
}

// goTool runs the go command for a system.
func goTool(system, arch string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch, "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS=-buildvcs=false -trimpath -mod=readonly", "CC=")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s for %s/%s: %w", args[0], system, arch, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// build makes scratch/done with the archive and its index.
func build(scratch, arch, version string) (err error) {
	done := filepath.Join(scratch, "done")
	if err := os.Mkdir(done, 0o755); err != nil {
		return err
	}
	packed, err := os.Create(filepath.Join(done, "archive"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, packed.Close()) }()
	encoder, err := zstd.NewWriter(packed, zstd.WithEncoderLevel(zstd.SpeedBestCompression),
		zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	part, members := index{Version: version, Files: map[string]file{}}, tar.NewWriter(encoder)
	for _, system := range systems() {
		name := "drycc-" + system + "-" + arch
		if system == "windows" {
			name += ".exe"
		}
		program := filepath.Join(scratch, name)
		fmt.Fprintf(os.Stderr, "client: building %s\n", name)
		_, err := goTool(system, arch, "build", "-ldflags", "-s -w -buildid= -X main.version="+version, "-o", program, "./cmd/drycc")
		if err != nil {
			return err
		}
		if part.Files[name], err = add(members, name, program, arch+".tar.zst"); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := errors.Join(members.Close(), encoder.Close()); err != nil {
		return err
	}
	raw, err := json.Marshal(part)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(done, "index.json"), raw, 0o644)
}

// add puts a program into the archive.
func add(members *tar.Writer, name, path, archive string) (file, error) {
	program, err := os.Open(path)
	if err != nil {
		return file{}, err
	}
	defer program.Close()
	info, err := program.Stat()
	if err != nil {
		return file{}, err
	}
	header := &tar.Header{Name: name, Mode: 0o755, Size: info.Size(), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if err := members.WriteHeader(header); err != nil {
		return file{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(members, sum), program)
	return file{Archive: archive, SHA256: hex.EncodeToString(sum.Sum(nil)), Size: n}, err
}
