package mappers

import (
	"context"
	"io"
)

// bindAll binds every document of an export and gives the results in the order
// of the file.
func (m *Mapping) bindAll(ctx context.Context, in *opened, e Export, take func(*Result) error) error {
	b := newBinder(m, in)
	b.export = e
	var res Result
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		d, err := in.source.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		res = newResult(d)
		b.bindInto(d, &res)
		if err := take(&res); err != nil {
			return err
		}
	}
}
