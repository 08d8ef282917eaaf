package sftpplace

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/pkg/sftp"

	"einvoice/connector/drop"
)

// TestAnswersOfLaterVersions: servers send status codes that version 3 of the
// protocol does not have. Each says whether to try again, or what is wrong.
func TestAnswersOfLaterVersions(t *testing.T) {
	p := &Place{}
	for code, want := range map[uint32]error{
		statusExists: fs.ErrExist, statusReadOnly: fs.ErrPermission, statusNoSpace: drop.ErrBusy, statusQuota: drop.ErrBusy,
	} {
		err := p.failed("publish", "a.csv", &sftp.StatusError{Code: code})
		for _, is := range []error{fs.ErrExist, fs.ErrPermission, drop.ErrBusy} {
			if errors.Is(err, is) != (is == want) {
				t.Errorf("code %d: %v; is it %v? want %v alone", code, err, is, want)
			}
		}
	}
}
