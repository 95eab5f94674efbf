package edge

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// createFile writes a file that must not be there yet; os.ErrExist when it is.
// It appears whole or not at all, also when the machine loses power.
func createFile(path string, data []byte, mode os.FileMode) error {
	return place(path, data, mode, os.Link)
}

// replaceFile is createFile for a file that may be there.
func replaceFile(path string, data []byte, mode os.FileMode) error {
	return place(path, data, mode, os.Rename)
}

// place writes a temporary file beside path and moves it there.
func place(path string, data []byte, mode os.FileMode, move func(from, to string) error) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // made with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if gone := os.Remove(tmp.Name()); gone != nil && !errors.Is(gone, os.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := move(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the directory's entries durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// tighten takes group and others off a file that holds a key, in case
// somebody copied it with looser rights.
func tighten(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return fmt.Errorf("its mode %v lets others read the key: %w", info.Mode().Perm(), err)
	}
	return nil
}
