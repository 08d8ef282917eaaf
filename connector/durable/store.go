package durable

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"einvoice/connector/fault"
)

// Store keeps bytes in a folder of its own, each under its SHA-256: the spool
// and the blobs. One process writes; others may read at the same time.
type Store struct {
	dir   string
	clean sync.Once
	mu    sync.RWMutex // Put shares it, RemoveUntouched has it alone
}

// Blob names bytes in a store.
type Blob struct {
	SHA256 string // hex, lower case
	Size   int64  // bytes
}

// OpenStore opens the store in dir and makes the folder if need be. What a
// killed process left half written is removed by the first Put, not here, so
// that a command which only reads disturbs no daemon that writes.
func OpenStore(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return &Store{dir: dir}, nil
}

// Put reads r to its end and keeps its bytes; when it returns without an error
// they are on disk, whole. Bytes that are known already are not kept twice.
func (s *Store) Put(ctx context.Context, r io.Reader) (Blob, error) {
	b := s.Batch()
	blob, err := b.Put(ctx, r)
	if err == nil {
		err = b.Sync()
	}
	if err != nil {
		return Blob{}, err
	}
	return blob, nil
}

// Batch is several Puts that are made durable together.
type Batch struct {
	store *Store

	making sync.Mutex // several who make files in one folder at once spin for its lock in the kernel
	mu     sync.Mutex // guards what follows
	files  []Prepared
	blobs  []Blob
}

// Batch begins a batch. Several goroutines may Put into it.
func (s *Store) Batch() *Batch { return &Batch{store: s} }

// Put is the store's Put, but its bytes are kept by Sync only.
func (b *Batch) Put(ctx context.Context, r io.Reader) (Blob, error) {
	s := b.store
	s.clean.Do(func() { _ = RemoveLeftovers(s.dir, 0) }) // garbage that cannot be removed costs room, not bytes
	sum := sha256.New()
	b.making.Lock()
	f, err := createTemp(filepath.Join(s.dir, "put"), 0o600)
	b.making.Unlock()
	n := int64(0)
	if err == nil {
		n, err = fill(f, io.TeeReader(untilDone{ctx, r}, sum))
	}
	if err != nil {
		return Blob{}, fmt.Errorf("store bytes: %w", err)
	}
	blob := Blob{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: n}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.files, b.blobs = append(b.files, Prepared{s.Path(blob.SHA256), f}), append(b.blobs, blob)
	return blob, nil
}

// Sync keeps what was put so far: then it is on disk. After an error nothing of
// it is to be relied on.
func (b *Batch) Sync() error {
	b.mu.Lock()
	files, blobs := b.files, b.blobs
	b.files, b.blobs = nil, nil
	b.mu.Unlock()
	var names Names
	err := errors.Join(SyncAll(files)...)
	for i, f := range files {
		if err == nil {
			err = fault.Hit(fault.BlobStaged)
		}
		if err == nil {
			err = b.store.settle(f.file.Name(), blobs[i], &names)
		}
		if err != nil {
			f.Drop()
		}
	}
	if err == nil {
		err = names.Sync()
	}
	if err != nil {
		return fmt.Errorf("store bytes: %w", err)
	}
	for range blobs {
		if err := fault.Hit(fault.BlobKept); err != nil {
			return err
		}
	}
	return nil
}

// settle puts a staged file in its place. That a known blob was put again shows
// in its time, which RemoveUntouched looks at. A known blob's folder is synced all
// the same: another Put may have renamed it there an instant ago.
func (s *Store) settle(temp string, b Blob, names *Names) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	final := s.Path(b.SHA256)
	if info, err := os.Lstat(final); err == nil && info.Mode().IsRegular() && info.Size() == b.Size {
		now := time.Now()
		names.note(final, final)
		return errors.Join(os.Chtimes(final, now, now), os.Remove(temp))
	}
	if err := MkdirAll(filepath.Dir(final), 0o700); err != nil {
		return err
	}
	return names.Rename(temp, final)
}

// Path is where the blob of that hash stands, if it is in the store.
func (s *Store) Path(sha string) string {
	if !isSHA256(sha) {
		return filepath.Join(s.dir, "not-a-hash")
	}
	return filepath.Join(s.dir, sha[:2], sha)
}

// Open opens a blob for reading; an unknown one is fs.ErrNotExist.
func (s *Store) Open(sha string) (*os.File, error) {
	f, err := os.Open(s.Path(sha))
	if err != nil {
		return nil, fmt.Errorf("open blob %q: %w", sha, err)
	}
	return f, nil
}

// Has tells whether a blob is there.
func (s *Store) Has(sha string) bool {
	info, err := os.Lstat(s.Path(sha))
	return err == nil && info.Mode().IsRegular()
}

// Remove removes a blob; that it is absent is no error.
func (s *Store) Remove(sha string) error {
	if err := Remove(s.Path(sha)); err != nil {
		return fmt.Errorf("remove blob %q: %w", sha, err)
	}
	return nil
}

// RemoveUntouched removes a blob that is there and was not put since a moment;
// it tells whether it did.
func (s *Store) RemoveUntouched(sha string, since time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Lstat(s.Path(sha))
	if err != nil || !info.ModTime().Before(since) {
		return false, nil
	}
	return true, s.Remove(sha)
}

// Walk calls fn for every blob, in the order of their hashes, and stops at its
// first error. fn may remove the blob it is given.
func (s *Store) Walk(fn func(sha string, size int64, modified time.Time) error) error {
	shelves, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("walk store: %w", err)
	}
	for _, shelf := range shelves {
		if !shelf.IsDir() || len(shelf.Name()) != 2 {
			continue
		}
		if err := walkShelf(filepath.Join(s.dir, shelf.Name()), fn); err != nil {
			return err
		}
	}
	return nil
}

func walkShelf(dir string, fn func(string, int64, time.Time) error) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("walk store: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !isSHA256(e.Name()) {
			continue // removed meanwhile, or none of ours
		}
		if err := fn(e.Name(), info.Size(), info.ModTime()); err != nil {
			return err
		}
	}
	return nil
}

// isSHA256 also keeps anything else than a hash out of the paths that are built from it.
func isSHA256(s string) bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// untilDone is a reader that ends with the context's error.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
