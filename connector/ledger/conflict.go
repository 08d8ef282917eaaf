package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// rival is a staged invoice that meets an older one of the same key.
type rival struct {
	id     int64
	holder int64
	file   string
	row    int
	number string

	firstFile  string
	firstRow   int
	firstState State
	firstDone  Invoice // of the holder: SentAt, APIID, Status
}

// rivals calls do for each rival of one fate, in pages: a file can consist of
// nothing else.
func rivals(t *tx, fate string, do func(rival) error) error {
	after := int64(0)
	for {
		page, err := list(context.Background(), t, scanRival, `SELECT r.id, r.holder, f.name, n.source_row, n.document_number,
			hf.name, h.source_row, h.state, h.sent_at, h.api_id, h.reason
			FROM temp.rival r JOIN invoice n ON n.id = r.id JOIN file f ON f.id = n.file_id
			JOIN invoice h ON h.id = r.holder JOIN file hf ON hf.id = h.file_id
			WHERE r.fate = ? AND r.id > ? ORDER BY r.id LIMIT ?`, fate, after, pageSize)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := do(r); err != nil {
				return err
			}
			after = r.id
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

func scanRival(r row) (v rival, err error) {
	err = r.Scan(&v.id, &v.holder, &v.file, &v.row, &v.number, &v.firstFile, &v.firstRow, textTo(&v.firstState),
		instant{&v.firstDone.SentAt}, textTo(&v.firstDone.APIID), textTo(&v.firstDone.Status.Reason))
	return v, err
}

// problem starts a problem about the rival with what its texts need.
func (r rival) problem(code string, severity problem.Severity) problem.Problem {
	p := problem.Problem{
		Code: code, Severity: severity, Invoice: r.number, Field: "document_number", BT: "BT-1",
		Position: problem.Position{File: r.file, Row: r.row}, Value: r.number,
		Args: map[string]string{
			"first_file": r.firstFile, "first_row": fmt.Sprint(r.firstRow), "state": string(r.firstState), "api_id": r.firstDone.APIID,
			"sent_on": "", "sent_on_fr": "", "reason": r.firstDone.Status.Reason,
		},
	}
	if at := r.firstDone.SentAt; !at.IsZero() {
		p.Args["sent_on"], p.Args["sent_on_fr"] = at.Format("2006-01-02"), at.Format("02/01/2006")
	}
	return p
}

// verdict sets what a staged invoice's rival made of it.
func (r rival) verdict(t *tx, v Verdict, first int64, p problem.Problem) error {
	text, err := problemText(p)
	if err != nil {
		return err
	}
	return must(t.exec("UPDATE invoice SET verdict = ?, first_id = ?, problems = "+prepend("invoice.problems", "?3")+" WHERE id = ?4 AND state = 'staged'",
		string(v), first, text, r.id))
}

// decideConflicts names the first field that differs, and when the first was sent.
func decideConflicts(t *tx, _ int64) error {
	return rivals(t, "conflict", func(r rival) error {
		code := "E5004"
		if r.firstState != Sent {
			code = "E5012" // attempted, its answer not known yet
		}
		p := r.problem(code, problem.Refuse)
		old, oldErr := documentOf(t, r.holder)
		now, err := documentOf(t, r.id)
		if err := errors.Join(oldErr, err); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		p.Args["differs_fr"], p.Args["differs_en"] = fieldWords("") // the first one's content was trimmed
		if oldErr == nil && err == nil {
			p.Field, p.Expected, p.Value = difference(&old, &now)
			p.BT = ""
			p.Args["differs_fr"], p.Args["differs_en"] = fieldWords(p.Field)
		}
		return r.verdict(t, VerdictConflict, r.holder, p)
	})
}

func documentOf(t *tx, id int64) (connector.Invoice, error) {
	return first(context.Background(), t, scanDocument, "SELECT json FROM document WHERE invoice_id = ?", id)
}

// difference finds the first field of the fiscal content that differs, totals
// before their parts: that is what a person recognises.
func difference(a, b *connector.Invoice) (field, old, now string) {
	type pair struct{ field, a, b string }
	pairs := []pair{
		{"type", a.Type, b.Type},
		{"issue_date", string(a.IssueDate), string(b.IssueDate)},
		{"currency", a.Currency, b.Currency},
		{"recipient.fiscal_id", a.Buyer.SIREN(), b.Buyer.SIREN()},
		{"recipient.vat_id", a.Buyer.VATID, b.Buyer.VATID},
		{"totals.total_amount_including_tax", plain(a.Totals.Gross), plain(b.Totals.Gross)},
		{"totals.total_amount_excluding_tax", plain(a.Totals.Net), plain(b.Totals.Net)},
		{"totals.total_tax_amount", plain(a.Totals.Tax), plain(b.Totals.Tax)},
		{"invoice_lines", fmt.Sprint(len(a.Lines)), fmt.Sprint(len(b.Lines))},
		{"tax_subtotals", fmt.Sprint(len(a.Taxes)), fmt.Sprint(len(b.Taxes))},
	}
	for i := range min(len(a.Lines), len(b.Lines)) {
		pairs = append(pairs, pair{fmt.Sprintf("invoice_lines[%d].total_net_amount", i), plain(a.Lines[i].Net), plain(b.Lines[i].Net)})
	}
	for i := range min(len(a.Taxes), len(b.Taxes)) {
		x, y, at := a.Taxes[i], b.Taxes[i], fmt.Sprintf("tax_subtotals[%d].", i)
		pairs = append(pairs, pair{at + "tax_category", x.Category, y.Category}, pair{at + "vat_rate", plain(x.Rate), plain(y.Rate)},
			pair{at + "taxable_amount", plain(x.Taxable), plain(y.Taxable)}, pair{at + "tax_amount", plain(x.Tax), plain(y.Tax)})
	}
	for _, p := range pairs {
		if p.a != p.b {
			return p.field, p.a, p.b
		}
	}
	return "fingerprint", "", "" // the rules of the fingerprint changed since
}

// fieldWords are people's words for a field that difference names; the technical
// name stands in a column of its own.
func fieldWords(field string) (french, english string) {
	at := ""
	if open, end := strings.IndexByte(field, '['), strings.IndexByte(field, ']'); open >= 0 && end > open {
		if n, err := strconv.Atoi(field[open+1 : end]); err == nil {
			at, field = fmt.Sprintf(" %d", n+1), field[:open]+field[end+1:] // as people count
		}
	}
	words := map[string][2]string{
		"type":                              {"le type de document", "the type of document"},
		"issue_date":                        {"la date de la facture", "the invoice date"},
		"currency":                          {"la devise", "the currency"},
		"recipient.fiscal_id":               {"le SIREN du client", "the customer's SIREN"},
		"recipient.vat_id":                  {"le numéro de TVA du client", "the customer's VAT number"},
		"totals.total_amount_including_tax": {"le total TTC", "the total including VAT"},
		"totals.total_amount_excluding_tax": {"le total HT", "the total excluding VAT"},
		"totals.total_tax_amount":           {"le total de la TVA", "the total VAT"},
		"invoice_lines":                     {"le nombre de lignes", "the number of lines"},
		"tax_subtotals":                     {"le nombre de taux de TVA", "the number of VAT rates"},
		"invoice_lines.total_net_amount":    {"le montant HT de la ligne" + at, "the net amount of line" + at},
		"tax_subtotals.tax_category":        {"la catégorie de TVA" + at, "VAT category" + at},
		"tax_subtotals.vat_rate":            {"le taux de TVA" + at, "VAT rate" + at},
		"tax_subtotals.taxable_amount":      {"la base de TVA" + at, "VAT base" + at},
		"tax_subtotals.tax_amount":          {"le montant de TVA" + at, "VAT amount" + at},
	}
	if w, known := words[field]; known {
		return w[0], w[1]
	}
	return "un élément du contenu", "a part of its content"
}

// decideQuestions holds what would replace an invoice in state ERROR whose cause
// is not known. The question is asked once: the same document again is a
// duplicate of the one that waits, another content takes its place.
func (l *Ledger) decideQuestions(t *tx, _ int64) error {
	return rivals(t, "ask", func(r rival) error {
		asked, err := first(context.Background(), t, func(s row) (q question, err error) {
			err = s.Scan(&q.id, &q.same)
			return q, err
		}, `SELECT x.id, x.fingerprint = n.fingerprint FROM invoice n JOIN invoice x ON x.document_number = n.document_number AND x.seller_siren = n.seller_siren
			WHERE n.id = ? AND x.first_id = ? AND x.state = 'held' AND x.holds_key = 0`, r.id, r.holder)
		switch {
		case err == nil && asked.same:
			return r.verdict(t, VerdictDuplicate, asked.id, r.duplicate())
		case err == nil:
			if err := l.supersedeQuestion(t, asked.id, r); err != nil {
				return err
			}
		case !errors.Is(err, ErrNotFound):
			return err
		}
		return r.verdict(t, VerdictHeld, r.holder, r.problem("E5006", problem.Hold))
	})
}

// question is a held invoice that waits for the key of another one.
type question struct {
	id   int64
	same bool
}

func (l *Ledger) supersedeQuestion(t *tx, asked int64, by rival) error {
	if _, err := t.exec("UPDATE invoice SET state = 'superseded', superseded_by = ? WHERE id = ?", by.id, asked); err != nil {
		return err
	}
	p := problem.Problem{Code: "E5011", Severity: problem.Warn, Invoice: by.number, Args: map[string]string{"by_file": by.file, "by_row": fmt.Sprint(by.row)}}
	return l.tell(t, happening{invoice: asked, kind: EventSuperseded, problem: p})
}

// duplicate is the problem of a document that waits in to-check already.
func (r rival) duplicate() problem.Problem {
	p := r.problem("E5001", problem.Warn)
	p.Args["state"], p.Args["state_fr"], p.Args["state_en"] = string(Held), "à vérifier", "to be checked"
	return p
}
