package mappers

import (
	"context"
	"io"

	"einvoice/connector/problem"
)

type Mapping struct{ Name string }
type Mistake struct {
	Line, Col int
	Text      string
}
type Errors []Mistake

func (e Errors) Error() string { return "" }

type Origin struct {
	Position problem.Position
	Value    string
}
type Origins map[string]Origin

func Load(name string, data []byte) (*Mapping, error) { return nil, nil }
func (m *Mapping) Read(ctx context.Context, e Export, yield func(Result) error) (Report, error) {
	return Report{}, nil
}
func (m *Mapping) Matches(name string, head []byte) bool { return false }
func Choose(ms []*Mapping, e Export) (*Mapping, error)   { return nil, nil }

type CopyOptions struct {
	Lang    problem.Lang
	Release bool
}

func (m *Mapping) WriteCopy(ctx context.Context, e Export, failing func(ordinal int) (ps []problem.Problem, ok bool), w io.Writer, opt CopyOptions) error {
	return nil
}
func WriteReport(w io.Writer, lang problem.Lang, ps []problem.Problem) error { return nil }
func (m *Mapping) CopyExt() string                                           { return "" }
func Whole(ctx context.Context, format string, r io.ReaderAt, size int64) (bool, error) {
	return true, nil
}
func (m *Mapping) ProvesEnd() bool      { return false }
func (m *Mapping) Uses() []string       { return nil }
func (m *Mapping) Format() string       { return "" }
func Presets() []string                 { return nil }
func Preset(name string) ([]byte, bool) { return nil, false }
