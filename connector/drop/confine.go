package drop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// openRegular opens a regular file below dir and nothing else: no link, and no
// pipe, which would block for ever.
func openRegular(dir, name string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	file, err := root.OpenFile(name, os.O_RDONLY|noBlock, 0)
	if err != nil {
		return nil, err
	}
	if after, err := file.Stat(); err != nil || !os.SameFile(before, after) {
		file.Close()
		return nil, errors.Join(fmt.Errorf("%w: replaced while it was opened", ErrBusy), err)
	}
	return file, nil
}

// failed names the verb and the file, and tells busy from wrong.
func (f *Folder) failed(verb, name string, err error) error {
	if err == nil {
		return nil
	}
	what := f.path
	if name != "" {
		what = fmt.Sprintf("%s in %s", name, f.path)
	}
	if !errors.Is(err, ErrBusy) && (busy(err) || f.away(err)) {
		return fmt.Errorf("%s %s: %w: %w", verb, what, ErrBusy, err)
	}
	return fmt.Errorf("%s %s: %w", verb, what, err)
}

// failedChange is failed for what changes a name: Windows then says "access
// denied" when another program holds the file.
func (f *Folder) failedChange(verb, name string, err error) error {
	if held(err) {
		err = fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return f.failed(verb, name, err)
}

// away tells an absent file from an absent folder.
func (f *Folder) away(err error) bool {
	if !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, gone := os.Stat(f.path)
	return gone != nil
}

func (f *Folder) archivedPath(ctx context.Context, archived string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if f.archive == "" {
		return "", errors.New("the place has no archive")
	}
	if archived == "." {
		return "", errors.New(`"." is no file name`)
	}
	return filepath.Localize(archived)
}

// checkName refuses what is not a single local name.
func checkName(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	local, err := filepath.Localize(name)
	if err != nil || local == "." || filepath.Base(local) != name {
		return fmt.Errorf("%q is no file name", name)
	}
	return nil
}

// Source is content that a place is given to write. It remembers whether reading
// failed, so that a broken source is not taken for a full disk or a server that is
// away, and ends with its context.
type Source struct {
	Ctx     context.Context
	Content io.Reader
	Err     error
}

func (s *Source) Read(p []byte) (int, error) {
	if err := s.Ctx.Err(); err != nil {
		s.Err = err
		return 0, err
	}
	n, err := s.Content.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.Err = err
	}
	return n, err
}
