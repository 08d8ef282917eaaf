// Package ledger remembers, on disk, what happened to every file, invoice and
// event: the database behind every promise.
//
// One goroutine writes, in group commits; readers are apart. States change only
// through guarded verbs (UPDATE ... WHERE state = ...), so that no caller can
// move an invoice from a state it is not in.
package ledger

import (
	"errors"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrInUse       = errors.New("ledger in use by another process")
	ErrNewerSchema = errors.New("ledger written by a newer version")
	ErrOtherAPI    = errors.New("ledger belongs to another API base URL")
	ErrOpenCompany = errors.New("company removed while it has open invoices")
	ErrState       = errors.New("not in a state that allows this")
	ErrNotFound    = errors.New("not in the ledger")
)
