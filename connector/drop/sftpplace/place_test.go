package sftpplace_test

import (
	"os"
	"path/filepath"
	"testing"

	"einvoice/connector/drop"
	"einvoice/connector/drop/droptest"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/drop/sftpplace/sftptest"
)

// reached is a server, whichever it is.
type reached interface {
	Section() sftpplace.Config
	URL(dir string) string
}

// place opens an empty directory of a server, with its archive beside it.
func place(t testing.TB, s reached, section sftpplace.Config) (*sftpplace.Place, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "depot")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	hosts := sftpplace.NewHosts([]sftpplace.Config{section})
	t.Cleanup(hosts.Close)
	p, err := hosts.Place(s.URL(dir), s.URL(filepath.Join(filepath.Dir(dir), "archives")))
	if err != nil {
		t.Fatal(err)
	}
	return p, dir
}

func TestPlaceOnPkgSFTP(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{})
	droptest.Run(t, func(t *testing.T) drop.Place { p, _ := place(t, s, s.Section()); return p })
}

func TestPlaceOnOpenSSH(t *testing.T) {
	s := sftptest.StartSshd(t)
	droptest.Run(t, func(t *testing.T) drop.Place { p, _ := place(t, s, s.Section()); return p })
}

func TestPlaceOnAServerThatNeverRenamesOntoAName(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{Serve: sftptest.Strict})
	droptest.Run(t, func(t *testing.T) drop.Place { p, _ := place(t, s, s.Section()); return p }, droptest.OldOrNew)
}

func TestPlaceOnProFTPD(t *testing.T) {
	s := sftptest.StartProFTPD(t)
	droptest.Run(t, func(t *testing.T) drop.Place { p, _ := place(t, s, s.Section()); return p })
}
