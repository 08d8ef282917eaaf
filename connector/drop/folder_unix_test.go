//go:build !windows

package drop

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

func TestFullDiskAndLostShareAreBusy(t *testing.T) {
	f, err := NewFolder(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	for errno, want := range map[syscall.Errno]bool{
		syscall.ENOSPC: true, syscall.ESTALE: true, syscall.EDQUOT: true, syscall.EHOSTDOWN: true,
		syscall.EACCES: false, syscall.EISDIR: false, syscall.ENOENT: false, syscall.EEXIST: false,
	} {
		err := f.failed("publish", "a.csv", errno)
		if errors.Is(err, ErrBusy) != want || !errors.Is(err, errno) {
			t.Errorf("%v: error %v, want busy %v and the cause kept", errno, err, want)
		}
	}
}

func TestFullDiskOfTheSourceIsNotThatOfThePlace(t *testing.T) {
	f, err := NewFolder(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	err = f.Publish(t.Context(), "a.csv", iotest.ErrReader(syscall.EIO))
	if !errors.Is(err, syscall.EIO) || errors.Is(err, ErrBusy) {
		t.Errorf("error %v, want that of the source and not ErrBusy", err)
	}
}

func TestPipeNeverBlocks(t *testing.T) {
	dir := t.TempDir()
	f, err := NewFolder(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.csv"), 0o644); err != nil {
		t.Skip(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := f.Open(t.Context(), "pipe.csv")
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			t.Error("a pipe was opened as a file")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("opening a pipe blocks")
	}
}
