package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/slipway-paas/slipway/embedded"
)

// build makes a recipe's entry in scratch/out.
func (b *builder) build(ctx context.Context, r recipe, in inputs, scratch string) (entry, error) {
	out, bin := filepath.Join(scratch, "out"), filepath.Join(scratch, "bin")
	for _, dir := range []string{filepath.Join(out, "images"), filepath.Join(out, "bin"), bin} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return entry{}, err
		}
	}
	if err := b.goBuild(ctx, r, in.Version, scratch, bin); err != nil {
		return entry{}, err
	}
	debian := ""
	if len(r.Debian) > 0 {
		var err error
		if debian, err = b.unpackDebian(ctx, r.Debian, scratch); err != nil {
			return entry{}, err
		}
	}
	e := entry{Name: r.Name, Version: in.Version}
	var err error
	switch {
	case r.Image != nil:
		err = b.addImage(ctx, &e, r, in, bin, debian, out)
	case r.Packs:
		err = b.addPacks(ctx, &e, r, in, scratch, out)
	case r.Tree != nil:
		err = b.addTree(ctx, &e, r, in, debian, out)
	default:
		err = b.addBinaries(ctx, &e, r, in, bin, out)
	}
	return e, err
}

func (b *builder) addImage(ctx context.Context, e *entry, r recipe, in inputs, bin, debian, out string) error {
	files, err := imageFiles(r, bin, debian)
	if err != nil {
		return err
	}
	ref := registryHost + "/" + r.Name + ":" + in.Version
	member := embedded.ImageMember(r.Name)
	digest, err := writeImage(ctx, filepath.Join(out, member), imageOptions{
		ref: ref, arch: b.arch, config: imageConfig(r, in), files: files,
	})
	if err != nil {
		return err
	}
	e.Images = []embedded.Image{{Name: r.Name, Ref: ref, Digest: digest, Source: in.Source}}
	return e.addMember(out, member)
}

func (b *builder) addBinaries(ctx context.Context, e *entry, r recipe, in inputs, bin, out string) error {
	if r.Joined != "" {
		var links []string
		for _, p := range r.Programs {
			links = append(links, p.Out)
		}
		return e.addBinary(ctx, r.Joined, links, in, bin, out)
	}
	for _, p := range r.Programs {
		if err := e.addBinary(ctx, p.Out, nil, in, bin, out); err != nil {
			return err
		}
	}
	return nil
}

func (e *entry) addBinary(ctx context.Context, name string, links []string, in inputs, bin, out string) error {
	path := filepath.Join(bin, name)
	sum, size, err := sumFile(path)
	if err != nil {
		return err
	}
	member := "bin/" + name + ".zst"
	if err := compressFile(ctx, path, filepath.Join(out, member)); err != nil {
		return err
	}
	e.Binaries = append(e.Binaries, embedded.Binary{Name: name, Links: links, File: member, SHA256: sum, Size: size, Source: in.Source})
	return e.addMember(out, member)
}

func (b *builder) addTree(ctx context.Context, e *entry, r recipe, in inputs, debian, out string) error {
	files, err := treeFiles(*r.Tree, debian)
	if err != nil {
		return err
	}
	member := "bin/" + r.Name + ".tar.zst"
	sum, size, err := writeTree(ctx, filepath.Join(out, member), files)
	if err != nil {
		return err
	}
	e.Binaries = []embedded.Binary{{Name: r.Name, File: member, SHA256: sum, Size: size, Source: in.Source, Tree: true}}
	return e.addMember(out, member)
}

func (e *entry) addMember(out, member string) error {
	sum, size, err := sumFile(filepath.Join(out, member))
	if err != nil {
		return fmt.Errorf("%s: %w", member, err)
	}
	e.Members = append(e.Members, embedded.Member{File: member, SHA256: sum, Size: size})
	return nil
}
