package inbox

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"einvoice/connector"
	"einvoice/connector/ledger"
)

// month is one register: the invoices that a company received in a month.
type month struct {
	company string
	month   string // YYYY-MM
}

// writeRegisters brings the registers up to date that deliveries have outdated.
// A register is derived from the ledger: when Excel holds the file, it stays as
// it is and is replaced in a later round. Nothing else waits for it.
func (in *Inbox) writeRegisters(ctx context.Context) error {
	for m := range in.dirty {
		subject := "register " + m.company + " " + m.month
		err := in.writeRegister(ctx, m)
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			delete(in.dirty, m)
		}
		in.sayOnce(subject, err)
	}
	return nil
}

var errNoLines = errors.New("nothing received")

func (in *Inbox) writeRegister(ctx context.Context, m month) error {
	w := wordsOf(in.opt.Lang)
	root := in.opt.Folder(m.company)
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was delivered either
	}
	err := writeTo(filepath.Join(root, w.register+m.month+".csv"), in.mode, func(out io.Writer) error {
		return in.registerLines(ctx, out, w, m)
	})
	if errors.Is(err, errNoLines) {
		return nil
	}
	return err
}

// registerLines writes the dialect that a French Excel opens by double click:
// UTF-8 with its mark, ";", decimal comma. Cells that Excel would take for a
// formula are defused.
func (in *Inbox) registerLines(ctx context.Context, out io.Writer, w words, m month) error {
	var c *csv.Writer
	for r, err := range in.opt.Ledger.ReceivedOfMonth(ctx, m.company, m.month, in.opt.Location) {
		if err != nil {
			return fmt.Errorf("list supplier invoices of %s: %w", m.month, err)
		}
		if c == nil {
			if _, err := io.WriteString(out, "\ufeff"); err != nil {
				return err
			}
			c = csv.NewWriter(out)
			c.Comma, c.UseCRLF = ';', true
			c.Write(w.columns)
		}
		c.Write(in.registerLine(w, r))
	}
	if c == nil {
		return errNoLines
	}
	c.Flush()
	return c.Error()
}

func (in *Inbox) registerLine(w words, r ledger.Received) []string {
	kind, check := w.invoice, w.no
	if (&connector.Invoice{Type: r.Type}).IsCredit() {
		kind = w.creditNote
	}
	if r.ToCheck {
		check = w.yes
	}
	var why []string
	for _, p := range r.Alerts {
		why = append(why, p.Message(in.opt.Lang))
	}
	return []string{
		r.ReceivedAt.In(in.opt.Location).Format(time.DateTime), defused(r.Supplier), defused(r.SupplierID), defused(r.Number),
		kind, string(r.IssueDate), strings.ReplaceAll(money(r.Gross, r.Currency), ".", w.decimal), defused(r.Currency),
		defused(r.IBAN), check, defused(strings.Join(why, " ")), defused(r.Folder), defused(r.APIID),
	}
}

// defused keeps Excel from running a cell (OWASP "CSV injection"), full-width
// signs included.
func defused(cell string) string {
	cell = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, cell)
	if strings.ContainsAny(string([]rune(cell + " ")[:1]), "=+-@\t\r\n＝＋－＠") {
		return "'" + cell
	}
	return cell
}
