package mappers

import (
	"context"
	"io"

	"einvoice/connector/problem"
)

// CopyOptions say how a copy is written.
type CopyOptions struct {
	Lang    problem.Lang
	Release bool
}

// WriteCopy stub.
func (m *Mapping) WriteCopy(ctx context.Context, e Export, failing func(ordinal int) (ps []problem.Problem, ok bool), w io.Writer, opt CopyOptions) error {
	return nil
}

// WriteReport stub.
func WriteReport(w io.Writer, lang problem.Lang, ps []problem.Problem) error { return nil }
