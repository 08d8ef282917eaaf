package inbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"einvoice/connector/problem"
	"einvoice/connector/setting"
	"einvoice/connector/slip"
)

// DigestConfig is the [inbox.digest] table: an e-mail a day with what arrived.
type DigestConfig struct {
	// To are the addresses; none: no digest.
	To []string `toml:"to"`
	// At is the hour of the day, as "08:00".
	At string `toml:"at"`
}

// Clock is when digests are due.
func (c DigestConfig) Clock() slip.Config { return slip.Config{At: c.At} }

func (c DigestConfig) validate(r setting.Report) {
	if c.At == "" {
		r.Wrong("at", `is empty, but must be an hour of the day such as "08:00"; to = [] switches the digest off`)
	}
	c.Clock().Validate(r)
	for _, to := range c.To {
		if local, domain, ok := strings.Cut(to, "@"); !ok || local == "" || domain == "" || strings.ContainsAny(to, " \r\n\t,;<>") {
			r.Wrong("to", "has %q, which is not an e-mail address", to)
		}
	}
}

// digestMost bounds the invoices that a digest names; it counts all.
const digestMost = 200

// Digest is the text about the supplier invoices that a company received from
// from (included) to to (not included), and their number; "" when there are none.
func (in *Inbox) Digest(ctx context.Context, company string, from, to time.Time) (subject, text string, err error) {
	w := digestWordsOf(in.opt.Lang)
	var lines strings.Builder
	n, check := 0, 0
	first := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, from.Location())
	for m := first; m.Before(to); m = m.AddDate(0, 1, 0) {
		for r, err := range in.opt.Ledger.ReceivedOfMonth(ctx, company, m.In(in.opt.Location).Format(monthLayout), in.opt.Location) {
			if err != nil {
				return "", "", err
			}
			if r.ReceivedAt.Before(from) || !r.ReceivedAt.Before(to) {
				continue
			}
			n++
			mark := ""
			if class := classOf(r); class != classFine {
				check++
				mark = " [" + wordsOf(in.opt.Lang).classes[class] + "]"
			}
			if n > digestMost {
				continue
			}
			amount := strings.ReplaceAll(money(r.Gross, r.Currency), ".", wordsOf(in.opt.Lang).decimal)
			fmt.Fprintf(&lines, "- %s  %s  %s  %s %s%s\n  %s\n", r.IssueDate, oneLine(r.Supplier), oneLine(r.Number), amount, r.Currency, mark, r.Folder)
		}
	}
	if n == 0 {
		return "", "", nil
	}
	c := in.company(company)
	var b strings.Builder
	fmt.Fprintf(&b, w.head, or(c.Name, c.ID), n, from.In(in.opt.Location).Format(w.layout), to.In(in.opt.Location).Format(w.layout))
	if check > 0 {
		fmt.Fprintf(&b, w.check, check)
	}
	b.WriteString("\n" + lines.String())
	if n > digestMost {
		fmt.Fprintf(&b, w.more, n-digestMost)
	}
	fmt.Fprintf(&b, "\n%s %s\n", w.where, in.tree(company).Path("."))
	return fmt.Sprintf(w.subject, n, or(c.Name, c.ID)), b.String(), nil
}

// oneLine keeps a supplier from writing lines of our mail.
func oneLine(s string) string { return safeName(or(s, "-"), 80) }

type digestWords struct{ subject, head, check, more, where, layout string }

func digestWordsOf(lang problem.Lang) digestWords {
	if lang == problem.French {
		return digestWords{"%d facture(s) fournisseur pour %s", "%s : %d facture(s) fournisseur reçue(s) du %s au %s.\n",
			"%d à regarder avant de comptabiliser.\n", "... et %d autres : voir le registre.\n", "Dossier :", "02/01/2006 15:04"}
	}
	return digestWords{"%d supplier invoice(s) for %s", "%s: %d supplier invoice(s) received from %s to %s.\n",
		"%d to be looked at before booking.\n", "... and %d more: see the register.\n", "Folder:", "2006-01-02 15:04"}
}
