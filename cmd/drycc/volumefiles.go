package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

const volumeScheme = "vol://"

func (p *program) volumesClient() *cobra.Command {
	return p.helpGroup("client", "The client used to manage volume files",
		p.command(leaf{
			use: "ls vol://<name>/[path]", short: "List files", app: true, shows: true, args: cobra.ExactArgs(1),
			run: func(k *call) error {
				filer, name, err := k.volumeFile(k.args[0])
				if err != nil {
					return err
				}
				files, _, err := filer.List(k.ctx(), name)
				if err != nil {
					return fileError(k.args[0], err)
				}
				if done, err := k.structured(files); done {
					return err
				}
				for _, f := range files {
					base := path.Base(f.Name)
					if f.Folder {
						base += "/"
					}
					k.printf("[%s] %10d %s\n", f.Modified.Local().Format(time.RFC3339), f.Size, base)
				}
				return nil
			},
		}),
		p.command(leaf{
			use: "cp <from> <to>", short: "Copy files to a volume (vol://name/path) or from it", app: true, args: cobra.ExactArgs(2),
			run: func(k *call) error {
				up, down := strings.HasPrefix(k.args[1], volumeScheme), strings.HasPrefix(k.args[0], volumeScheme)
				switch {
				case up == down:
					return errors.New("one of the two has to be in a volume: vol://name/path")
				case up:
					return k.upload(k.args[0], k.args[1])
				}
				return k.download(k.args[0], k.args[1])
			},
		}),
		p.command(leaf{
			use: "rm vol://<name>/<path>...", short: "Remove files, and folders with all in them", app: true, args: cobra.MinimumNArgs(1),
			run: func(k *call) error {
				for _, arg := range k.args {
					filer, name, err := k.volumeFile(arg)
					if err != nil {
						return err
					}
					if strings.Trim(name, "/") == "" {
						return fmt.Errorf("%s is the whole volume: name a file or a folder in it", arg)
					}
					if err := filer.Remove(k.ctx(), name); err != nil {
						return fileError(arg, err)
					}
				}
				return nil
			},
		}))
}

// volumeFile opens the volume of an address vol://name/path.
func (k *call) volumeFile(address string) (*client.Filer, string, error) {
	rest, ok := strings.CutPrefix(address, volumeScheme)
	volume, name, _ := strings.Cut(rest, "/")
	if !ok || volume == "" {
		return nil, "", fmt.Errorf("%q is not of the form vol://name/path", address)
	}
	api, app, err := k.target()
	if err != nil {
		return nil, "", err
	}
	filer, err := k.filer(api, app, volume)
	return filer, name, err
}

// upload copies a file or a folder to a volume. A target that ends with a
// slash, or is a folder, keeps the name.
func (k *call) upload(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	filer, name, err := k.volumeFile(to)
	if err != nil {
		return err
	}
	if name == "" || strings.HasSuffix(name, "/") {
		absolute, err := filepath.Abs(from)
		if err != nil {
			return err
		}
		name = path.Join(name, filepath.Base(absolute))
	}
	if !info.IsDir() {
		return k.uploadFile(filer, from, name)
	}
	return filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		target := path.Join(name, filepath.ToSlash(rel))
		switch {
		case entry.IsDir():
			return filer.MakeFolder(k.ctx(), target)
		case entry.Type().IsRegular():
			return k.uploadFile(filer, file, target)
		}
		return nil // links and devices mean nothing elsewhere
	})
}

func (k *call) uploadFile(filer *client.Filer, from, name string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	bar := k.bar("↑", filepath.Base(from), info.Size())
	if err := filer.Put(k.ctx(), name, io.TeeReader(file, bar), info.Size()); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	bar.done()
	return nil
}

// download copies a file or a folder out of a volume.
func (k *call) download(from, to string) error {
	filer, name, err := k.volumeFile(from)
	if err != nil {
		return err
	}
	if info, err := os.Stat(to); err == nil && info.IsDir() && strings.Trim(name, "/") != "" {
		to = filepath.Join(to, path.Base(name))
	}
	return fileError(from, k.downloadAll(filer, name, to))
}

// fileError names the file that is not there; other errors speak for
// themselves.
func fileError(address string, err error) error {
	if client.StatusOf(err) != http.StatusNotFound {
		return err
	}
	volume, _, _ := strings.Cut(strings.TrimPrefix(address, volumeScheme), "/")
	return curable(fmt.Errorf("%s: there is no such file", address),
		"`drycc volumes client ls "+volumeScheme+volume+"/` lists what is there.")
}

func (k *call) downloadAll(filer *client.Filer, name, to string) error {
	files, single, err := filer.List(k.ctx(), name)
	if err != nil {
		return err
	}
	if single {
		return k.downloadFile(filer, name, to)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		base := path.Base(f.Name)
		if !filepath.IsLocal(base) {
			return fmt.Errorf("%q is no file name here", f.Name)
		}
		if f.Folder {
			err = k.downloadAll(filer, f.Name, filepath.Join(to, base))
		} else {
			err = k.downloadFile(filer, f.Name, filepath.Join(to, base))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (k *call) downloadFile(filer *client.Filer, name, to string) (err error) {
	body, size, err := filer.Get(k.ctx(), name)
	if err != nil {
		return err
	}
	defer body.Close()
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	bar := k.bar("↓", path.Base(name), size)
	if _, err := io.Copy(io.MultiWriter(file, bar), body); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	bar.done()
	return nil
}

// bar shows how far a copy is: on a terminal all the time, else at its end.
type bar struct {
	k           *call
	mark, name  string
	size, count int64
	began, last time.Time
}

func (k *call) bar(mark, name string, size int64) *bar {
	return &bar{k: k, mark: mark, name: name, size: size, began: time.Now()}
}

// Write counts.
func (b *bar) Write(data []byte) (int, error) {
	b.count += int64(len(data))
	if now := time.Now(); isTerminal(b.k.out) && now.Sub(b.last) > 100*time.Millisecond {
		b.last = now
		b.k.printf("\r%s", b)
	}
	return len(data), nil
}

func (b *bar) done() {
	b.size = b.count
	start := ""
	if isTerminal(b.k.out) {
		start = "\r"
	}
	b.k.printf("%s%s\n", start, b)
}

func (b *bar) String() string {
	const width = 50
	share := 1.0
	if b.size > 0 {
		share = min(float64(b.count)/float64(b.size), 1)
	}
	full := int(share * width)
	speed := float64(b.count) / max(time.Since(b.began).Seconds(), 0.001)
	return fmt.Sprintf("[%s] %s %3.0f%% [%s%s] (%d/%d B, %.0f B/s)", b.mark, b.name, share*100,
		strings.Repeat("=", full), strings.Repeat(" ", width-full), b.count, max(b.size, b.count), speed)
}
