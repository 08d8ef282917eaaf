package sftpplace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode"

	"github.com/pkg/sftp"

	"einvoice/connector/drop"
	"einvoice/connector/problem"
)

// Status codes; those above 8 are of later versions of the protocol, and some
// servers send them all the same.
const (
	statusFailure     = 4
	statusUnsupported = 8
	statusExists      = 11
	statusReadOnly    = 12
	statusNoSpace     = 14
	statusQuota       = 15
)

func status(err error) uint32 {
	var s *sftp.StatusError
	if errors.As(err, &s) {
		return s.Code
	}
	return 0
}

// answered tells the server's answers from a connection that broke.
func answered(err error) bool {
	var local *fs.PathError // by pkg/sftp itself, as for a file where a directory should be
	return status(err) != 0 || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.As(err, &local)
}

// failed names the verb and the file, and puts status codes into Go's words.
func (p *Place) failed(verb, name string, err error) error {
	if err == nil {
		return nil
	}
	what := p.addr.String()
	if name != "" {
		what = fmt.Sprintf("%q in %s", name, p.addr)
	}
	switch status(err) {
	case statusExists:
		err = fmt.Errorf("%w: %w", fs.ErrExist, err)
	case statusReadOnly:
		err = fmt.Errorf("%w: %w", fs.ErrPermission, err)
	case statusNoSpace, statusQuota:
		err = away(err)
	}
	return fmt.Errorf("%s %s: %w", verb, what, err)
}

// away marks what passes by itself. A server that cannot be used is away,
// whatever the cause: its key may be put right, and files wait.
func away(err error) error {
	if err == nil || errors.Is(err, drop.ErrBusy) || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", drop.ErrBusy, err)
}

// full reads "failure" in answer to bytes as a full disk or a quota: version 3
// of the protocol has no better word.
func full(err error) error {
	if status(err) == statusFailure {
		return away(fmt.Errorf("the disk may be full, or a quota reached: %w", err))
	}
	return err
}

func absentIsFine(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// keyIsWrong tells that the server showed a key that is not the known one.
func keyIsWrong(err error) bool {
	p, ok := errors.AsType[problem.Problem](err)
	return ok && p.Code == codeKeyChanged
}

// explainLogin turns a refused login into a problem. What x/crypto says names
// the ways tried and no secret.
func explainLogin(err error, a Address) error {
	if !strings.Contains(err.Error(), "unable to authenticate") {
		return err
	}
	return problem.Problem{
		Code: codeLogin, Severity: problem.Hold, Value: a.User,
		Args: map[string]string{"place": strings.TrimSuffix(a.Endpoint(), ":22"), "why": strings.TrimPrefix(err.Error(), "ssh: handshake failed: ")},
	}
}

// checkName refuses what is not a single name on any server: some take \ for a
// separator as well.
func checkName(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if name == "" || name == "." || name == ".." || path.Base(name) != name || strings.Contains(name, `\`) ||
		strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("%q is no file name", name)
	}
	return nil
}
