package drop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"einvoice/connector/durable"
	"einvoice/connector/fault"
)

// Modes of what we publish and archive; the umask takes away from them.
const (
	fileMode   fs.FileMode = 0o664
	folderMode fs.FileMode = 0o775
)

// leftoverAge is far above the time that one publication takes, even by a clock
// of a file server that is hours off.
const leftoverAge = 24 * time.Hour

// Folder is a Place in a folder of this machine or of a mounted share.
//
// Reading goes through os.Root, so no link inside leads out of the folder.
type Folder struct {
	path, archive string
	clean         sync.Once

	mu     sync.Mutex
	owners map[string]string // account by system id, looked up once
}

var _ Place = (*Folder)(nil)

// Parallel is how many exports are copied and moved at once: each waits for the
// disk, and those that wait together share its work.
func (f *Folder) Parallel() int { return 8 }

// NewFolder is the place at path. Files are retired to archive; when that is
// "", Retire is an error. Neither needs to exist yet: a share may be away.
func NewFolder(path, archive string) (*Folder, error) {
	if path == "" {
		return nil, errors.New("open folder: no path")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	if archive != "" {
		if archive, err = filepath.Abs(archive); err != nil {
			return nil, fmt.Errorf("open folder: %w", err)
		}
		if archive == path {
			return nil, fmt.Errorf("open folder %s: its archive is the folder itself", path)
		}
	}
	return &Folder{path: path, archive: archive, owners: map[string]string{}}, nil
}

// String is the folder's path.
func (f *Folder) String() string { return f.path }

// List reads the folder in parts, so that a very full one can be interrupted.
func (f *Folder) List(ctx context.Context) ([]Entry, error) {
	d, err := os.Open(f.path)
	if err != nil {
		return nil, f.failed("list", "", err)
	}
	defer d.Close()
	var all []Entry
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part, err := d.ReadDir(1000)
		for _, e := range part {
			if entry, ok := regular(e); ok {
				all = append(all, entry)
			}
		}
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, f.failed("list", "", err)
		}
	}
}

// regular describes a regular file; one that vanished since is none.
func regular(e fs.DirEntry) (Entry, bool) {
	info, err := e.Info()
	if err != nil || !info.Mode().IsRegular() {
		return Entry{}, false
	}
	return Entry{Name: e.Name(), Size: info.Size(), Modified: info.ModTime()}, true
}

// Open opens a regular file of the folder.
func (f *Folder) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	file, err := f.open(ctx, name)
	if err != nil {
		return nil, f.failed("open", name, err)
	}
	return file, nil
}

func (f *Folder) open(ctx context.Context, name string) (*os.File, error) {
	if err := checkName(ctx, name); err != nil {
		return nil, err
	}
	return openRegular(f.path, name)
}

// OpenArchived opens what Retire moved, to hash it.
func (f *Folder) OpenArchived(ctx context.Context, archived string) (io.ReadCloser, error) {
	local, err := f.archivedPath(ctx, archived)
	if err != nil {
		return nil, f.failed("open archived", archived, err)
	}
	file, err := openRegular(f.archive, local)
	if err != nil {
		return nil, f.failed("open archived", archived, err)
	}
	return file, nil
}

// Publish writes beside the final name and renames: rights are inherited from
// the folder, and a reader sees nothing in between. The folder is never made:
// an absent one is a share that is away.
func (f *Folder) Publish(ctx context.Context, name string, content io.Reader) error {
	_, err := f.PublishAll(ctx, []File{{name, content}})
	return err
}

// File is a file to be published.
type File struct {
	Name    string
	Content io.Reader
}

// PublishAll is Publish of several files, which appear in their order and share
// the fsync of the folder. It returns how many are there: those before the first
// that failed.
func (f *Folder) PublishAll(ctx context.Context, files []File) (n int, err error) {
	prepared := make([]durable.Prepared, len(files))
	defer func() {
		for _, p := range prepared[n:] {
			p.Drop()
		}
	}()
	written := 0
	for ; written < len(files) && err == nil; written++ {
		prepared[written], err = f.prepare(ctx, files[written])
	}
	if err != nil {
		written--
	}
	var names durable.Names
	named := 0
	for i, failed := range durable.SyncAll(prepared[:written]) {
		if failed == nil {
			failed = prepared[i].Name(&names)
		}
		if failed != nil {
			err = f.failedChange("publish", files[i].Name, failed)
			break
		}
		named++
	}
	if synced := names.Sync(); synced != nil {
		return 0, f.failedChange("publish", files[0].Name, synced)
	}
	for n < named {
		if hit := fault.Hit(fault.FolderPublished); hit != nil {
			return n, f.failedChange("publish", files[n].Name, hit)
		}
		n++
	}
	return n, err
}

// prepare writes a file's bytes beside its name.
func (f *Folder) prepare(ctx context.Context, file File) (durable.Prepared, error) {
	if err := checkName(ctx, file.Name); err != nil {
		return durable.Prepared{}, f.failed("publish", file.Name, err)
	}
	f.clean.Do(func() { _ = durable.RemoveLeftovers(f.path, leftoverAge) }) // hidden files: harmless if they stay
	if err := fault.Hit(fault.FolderPublish); err != nil {
		return durable.Prepared{}, f.failedChange("publish", file.Name, err)
	}
	in := &Source{Ctx: ctx, Content: file.Content}
	p, err := durable.Prepare(filepath.Join(f.path, file.Name), in, fileMode)
	if in.Err != nil {
		return p, fmt.Errorf("publish %s: read content: %w", file.Name, in.Err)
	}
	return p, f.failedChange("publish", file.Name, err)
}

// Retire moves a file to the archive by a rename, or by a verified copy to
// another volume. An absent file is fs.ErrNotExist: after a crash it may be in
// the archive already (OpenArchived).
func (f *Folder) Retire(ctx context.Context, name, archived string) error {
	return f.RetireAll(ctx, []Moved{{name, archived}})[0]
}

// Moved is a file of the place and where it goes in the archive.
type Moved struct{ Name, Archived string }

// RetireAll is Retire of several files, which share the fsync of the folders. It
// returns an error for each.
func (f *Folder) RetireAll(ctx context.Context, all []Moved) []error {
	var names durable.Names
	failed := make([]error, len(all))
	var g errgroup.Group // an archive on another volume is copied to
	g.SetLimit(f.Parallel())
	for i, m := range all {
		g.Go(func() error {
			failed[i] = f.retire(ctx, m, &names)
			return nil
		})
	}
	_ = g.Wait()
	synced := names.Sync()
	for i, m := range all {
		if failed[i] == nil {
			failed[i] = synced
		}
		if failed[i] == nil {
			failed[i] = fault.Hit(fault.FolderRetired)
		}
		if errors.Is(failed[i], durable.ErrChanged) {
			failed[i] = fmt.Errorf("%w: %w", ErrBusy, failed[i])
		}
		failed[i] = f.failedChange("retire", m.Name, failed[i])
	}
	return failed
}

func (f *Folder) retire(ctx context.Context, m Moved, names *durable.Names) error {
	if err := checkName(ctx, m.Name); err != nil {
		return err
	}
	local, err := f.archivedPath(ctx, m.Archived)
	if err != nil {
		return err
	}
	from, to := filepath.Join(f.path, m.Name), filepath.Join(f.archive, local)
	if info, err := os.Lstat(from); err != nil {
		return err
	} else if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	if err := f.makeArchive(filepath.Dir(to)); err != nil {
		return err
	}
	if err := fault.Hit(fault.FolderRetire); err != nil {
		return err
	}
	return names.Move(from, to)
}

// RemoveArchived removes what Retire moved, for drops that keep no originals.
func (f *Folder) RemoveArchived(ctx context.Context, archived string) error {
	local, err := f.archivedPath(ctx, archived)
	if err != nil {
		return f.failed("remove archived", archived, err)
	}
	err = durable.Remove(filepath.Join(f.archive, local))
	if err == nil {
		err = fault.Hit(fault.FolderForgotten)
	}
	return f.failedChange("remove archived", archived, err)
}

// makeArchive makes a folder of the archive. The folder that holds the archive
// must exist: on a share that is not mounted, files would vanish under the mount point.
func (f *Folder) makeArchive(dir string) error {
	if _, err := os.Stat(filepath.Dir(f.archive)); err != nil {
		return fmt.Errorf("%w: archive: %w", ErrBusy, err)
	}
	return durable.MkdirAll(dir, folderMode)
}

// Remove removes a regular file.
func (f *Folder) Remove(ctx context.Context, name string) error {
	if err := checkName(ctx, name); err != nil {
		return f.failed("remove", name, err)
	}
	full := filepath.Join(f.path, name)
	if info, err := os.Lstat(full); err == nil && info.IsDir() {
		return f.failed("remove", name, errors.New("is a folder"))
	}
	return f.failedChange("remove", name, durable.Remove(full))
}

// Probe tells whether a file can be read now: nil, ErrBusy when another program
// has it open (only Windows tells), or the cause.
func (f *Folder) Probe(ctx context.Context, name string) error {
	file, err := f.open(ctx, name)
	if err != nil {
		return f.failed("open", name, err)
	}
	file.Close()
	return f.failed("open", name, alone(filepath.Join(f.path, name)))
}

// OwnerOf names the account that owns a file, "" where unknown.
func (f *Folder) OwnerOf(name string) string {
	id, lookup := ownerOf(filepath.Join(f.path, name))
	if id == "" {
		return ""
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.owners[id]; !known {
		f.owners[id] = lookup()
	}
	return f.owners[id]
}
