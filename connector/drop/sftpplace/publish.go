package sftpplace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/pkg/sftp"

	"einvoice/connector/drop"
	"einvoice/connector/fault"
)

// Publish writes under a hidden name in the same directory, compares the length
// and renames. A mailbox hands out what was closed, and knows no rename: there
// the file is written under its name.
func (p *Place) Publish(ctx context.Context, name string, content io.Reader) error {
	if err := checkName(ctx, name); err != nil {
		return p.failed("publish", name, err)
	}
	in := &drop.Source{Ctx: ctx, Content: content}
	err := p.do(ctx, "publish", name, func(c calls) error {
		if p.ReadsOnce() {
			return p.overwrite(c, p.inside(name), in)
		}
		return p.publish(c, p.inside(name), in)
	})
	if in.Err != nil {
		return fmt.Errorf("publish %s: read content: %w", name, in.Err)
	}
	return err
}

func (p *Place) publish(c calls, final string, in io.Reader) (err error) {
	temp := besides(final)
	f, err := p.create(c, temp)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = c.ending().remove(temp) // a connection that is gone leaves it to removeLeftovers
		}
	}()
	n, err := c.fill(f, in)
	if err != nil {
		return full(errors.Join(err, c.closeFile(f)))
	}
	info, err := c.finish(f, temp, n)
	if err != nil {
		return full(err)
	}
	if info.Size() != n {
		return fmt.Errorf("%w: the server kept %d of %d bytes", drop.ErrBusy, info.Size(), n)
	}
	p.clean.Do(func() { p.removeLeftovers(c, info.ModTime()) })
	if err := fault.Hit(fault.SFTPUploaded); err != nil {
		return full(err)
	}
	if err := p.replace(c, temp, final); err != nil {
		return err
	}
	return full(fault.Hit(fault.SFTPPublished))
}

// create makes a file, and its directory where that is missing.
func (p *Place) create(c calls, name string) (*sftp.File, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	f, err := c.open(name, flags)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := c.makeAll(path.Dir(name)); err != nil {
		return nil, err
	}
	return c.open(name, flags)
}

// overwrite writes a file under its own name.
func (p *Place) overwrite(c calls, name string, in io.Reader) error {
	f, err := c.open(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = c.fill(f, in)
	return full(errors.Join(err, c.closeFile(f)))
}

// replace puts a written file in place. A server that does not rename onto a
// name that is taken gets the old file moved aside first; it is removed only
// when the new one stands. Only names that we publish come here.
func (p *Place) replace(c calls, temp, final string) error {
	first := c.rename(temp, final)
	if first == nil || !answered(first) {
		return first
	}
	if _, err := c.lstat(final); err != nil {
		return first // nothing stands there: the refusal has another reason
	}
	aside := besides(final)
	if err := c.rename(final, aside); err != nil {
		return fmt.Errorf("%w: %w", drop.ErrBusy, err)
	}
	if err := c.rename(temp, final); err != nil {
		_ = c.ending().rename(aside, final)
		return err
	}
	return c.remove(aside)
}
