package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// archive packs the stage, without what only packages need, for systems that
// have no such packages. install.sh in it puts everything into place.
func (s *stage) archive() (err error) {
	name := fmt.Sprintf("berth_%s_linux_%s", s.version, s.arch)
	f, err := os.Create(filepath.Join(s.out, name+".tar.gz"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	zipped, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(zipped)
	// In the order of names: WalkDir promises that.
	if err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(s.dir, path)
		switch {
		case err != nil:
			return err
		case rel == "scripts":
			return fs.SkipDir
		case rel == "lintian-overrides", rel == "copyright":
			return nil
		}
		return s.pack(w, path, filepath.Join(name, rel), d)
	}); err != nil {
		return err
	}
	return errors.Join(w.Close(), zipped.Close())
}

// pack writes one file or folder, as root's and of the release's time.
func (s *stage) pack(w *tar.Writer, path, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	h := &tar.Header{Name: name, ModTime: s.time, Mode: int64(info.Mode().Perm()), Typeflag: tar.TypeReg, Size: info.Size(), Uname: "root", Gname: "root", Format: tar.FormatUSTAR}
	if d.IsDir() {
		h.Name, h.Typeflag, h.Mode, h.Size = name+"/", tar.TypeDir, 0o755, 0
		return w.WriteHeader(h)
	}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// sums writes SHA256SUMS, which is what gets signed.
func (r *release) sums() error {
	made, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, entry := range made {
		sum, err := sumOf(filepath.Join(r.out, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%s  %s\n", sum, entry.Name())
	}
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(lines.String()), 0o644)
}

func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
