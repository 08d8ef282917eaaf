package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"einvoice/connector/fault"
	"einvoice/connector/ledger"
	"einvoice/connector/workbook"
)

// Registers and workbooks are derived from the ledger, so that they can be
// written again at will. When Excel holds one, it stays as it is and is replaced
// in a later round. Nothing else waits for it.

// month is one register: the invoices that a company received in a month.
type month struct {
	company string
	month   string // YYYY-MM
}

const (
	issuedEvery = 5 * time.Minute // between workbooks of issued invoices: every status would be one
	restFactor  = 20              // a register that takes long to write is written more rarely
)

// rest keeps a register of many rows from being written all day long.
type rest struct{ until time.Time }

// writeRegisters brings the registers up to date that deliveries have outdated.
func (in *Inbox) writeRegisters(ctx context.Context) error {
	for m := range in.dirty {
		if in.opt.Now().Before(in.rests[m].until) {
			continue
		}
		start := in.opt.Now()
		err := in.writeRegister(ctx, m)
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			delete(in.dirty, m)
			took := in.opt.Now().Sub(start)
			in.rests[m] = rest{start.Add(restFactor * took)}
		}
		in.sayOnce("register "+m.company+" "+m.month, err)
	}
	return in.writeIssued(ctx)
}

// Outdated has the registers written again that list these invoices: a person
// decided about them.
func (in *Inbox) Outdated(list []ledger.Received) {
	in.round.Lock()
	defer in.round.Unlock()
	for _, r := range list {
		in.dirty[month{r.Company, r.ReceivedAt.In(in.opt.Location).Format(monthLayout)}] = true
	}
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

func (in *Inbox) writeRegister(ctx context.Context, m month) error {
	if err := fault.Hit(fault.RegisterWrite); err != nil {
		return err
	}
	if err := in.writeBook(ctx, m, wordsOf(in.opt.Lang).register, in.received(ctx, m)); err != nil {
		return err
	}
	return fault.Hit(fault.RegisterWritten)
}

// writeIssued writes the workbooks of issued invoices of this month and the
// last, when something happened since. Those of older months, whose invoices
// rarely move, are written by Rebuild.
func (in *Inbox) writeIssued(ctx context.Context) error {
	if in.opt.Now().Sub(in.issuedAt) < issuedEvery {
		return nil
	}
	activity, err := in.opt.Ledger.Activity(ctx)
	if err != nil || activity == in.activity {
		return err
	}
	in.issuedAt = in.opt.Now()
	now := in.now()
	var failed error
	for _, c := range in.opt.Companies {
		for _, at := range []time.Time{now, now.AddDate(0, 0, -now.Day())} {
			m := month{c.ID, at.Format(monthLayout)}
			err := in.writeIssuedOf(ctx, m)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			in.sayOnce("issued "+m.company+" "+m.month, err)
			failed = errors.Join(failed, err)
		}
	}
	if failed == nil {
		in.activity = activity
	}
	return nil
}

func (in *Inbox) writeIssuedOf(ctx context.Context, m month) error {
	return in.writeBook(ctx, m, wordsOf(in.opt.Lang).issued, in.issued(ctx, m))
}

// writeBook writes a table as workbook and as CSV, from one pass over the ledger;
// one that is held keeps the other from nothing. An empty table makes no files.
func (in *Inbox) writeBook(ctx context.Context, m month, name string, b workbook.Table) error {
	t := in.tree(m.company)
	if there, err := t.Has(ctx, "."); err == nil && !there {
		return nil // nothing was delivered either
	}
	for _, err := range b.Rows {
		if err != nil {
			return err
		}
		return t.fillBoth(ctx, name+m.month, b)
	}
	return nil
}

// fillBoth writes the workbook while it writes the twin.
func (t tree) fillBoth(ctx context.Context, name string, b workbook.Table) error {
	var ofBook error
	ofTwin := t.fill(ctx, name+".csv", func(twin io.Writer) (err error) {
		ofBook = t.fill(ctx, name+".xlsx", func(book io.Writer) (failed error) {
			failed, err = b.WriteBoth(book, twin)
			return failed
		})
		return err
	})
	return errors.Join(ofBook, ofTwin)
}

// Rebuild writes the registers and the workbooks of issued invoices again, of
// one month (YYYY-MM) or of all (""), and gives their number.
func (in *Inbox) Rebuild(ctx context.Context, only string) (n int, err error) {
	issued, err := in.opt.Ledger.IssuedMonths(ctx, in.opt.Location)
	if err != nil {
		return 0, err
	}
	for _, c := range in.opt.Companies {
		received, err := in.opt.Ledger.ReceivedMonths(ctx, c.ID, in.opt.Location)
		if err != nil {
			return n, err
		}
		for _, one := range []struct {
			months []string
			write  func(context.Context, month) error
		}{{received, in.writeRegister}, {issued, in.writeIssuedOf}} {
			if only != "" {
				one.months = slices.DeleteFunc(one.months, func(m string) bool { return m != only })
			}
			for _, m := range one.months {
				if err := one.write(ctx, month{c.ID, m}); err != nil {
					return n, fmt.Errorf("write register of %s for %s: %w", m, c.ID, err)
				}
				n++
			}
		}
	}
	return n, nil
}
