package sftptest

import (
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pkg/sftp"
)

// Strict serves files as servers of version 3 without extensions do: a rename
// never replaces.
func Strict(ch io.ReadWriteCloser) error { return NewRequests(Real{}).Serve(ch) }

// Requests serves SFTP by handlers, so that a test may change what they do.
type Requests struct{ handlers sftp.Handlers }

// NewRequests serves files by h.
func NewRequests(h interface {
	sftp.FileReader
	sftp.FileWriter
	sftp.FileCmder
	sftp.FileLister
}) Requests {
	return Requests{sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h}}
}

// Serve answers one channel.
func (r Requests) Serve(ch io.ReadWriteCloser) error {
	srv := sftp.NewRequestServer(ch, r.handlers)
	defer srv.Close()
	return srv.Serve()
}

// Real is the real file system with a rename that never replaces.
type Real struct{}

// Fileread opens a file for reading.
func (Real) Fileread(r *sftp.Request) (io.ReaderAt, error) { return os.Open(r.Filepath) }

// Filewrite opens a file for writing.
func (Real) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	flags := os.O_WRONLY | os.O_CREATE
	if r.Pflags().Excl {
		flags |= os.O_EXCL
	}
	if r.Pflags().Trunc {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(r.Filepath, flags, 0o644)
}

// Filecmd changes names.
func (Real) Filecmd(r *sftp.Request) error {
	switch r.Method {
	case "Rename", "PosixRename":
		if _, err := os.Lstat(r.Target); err == nil {
			return sftp.ErrSSHFxFailure
		}
		return os.Rename(r.Filepath, r.Target)
	case "Remove", "Rmdir":
		return os.Remove(r.Filepath)
	case "Mkdir":
		return os.Mkdir(r.Filepath, 0o755)
	case "Setstat":
		return nil
	}
	return sftp.ErrSSHFxOpUnsupported
}

// Filelist lists and describes.
func (Real) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	switch r.Method {
	case "List":
		entries, err := os.ReadDir(r.Filepath)
		if err != nil {
			return nil, err
		}
		var infos infoList
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				infos = append(infos, info)
			}
		}
		return infos, nil
	case "Stat":
		info, err := os.Stat(filepath.Clean(r.Filepath))
		return infoList{info}, err
	}
	return nil, syscall.EINVAL
}

// Lstat keeps links from being followed.
func (Real) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	info, err := os.Lstat(r.Filepath)
	return infoList{info}, err
}

type infoList []os.FileInfo

// ListAt copies as many as fit.
func (l infoList) ListAt(to []os.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[offset:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}
