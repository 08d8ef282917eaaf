package outbox

import (
	"context"
	"fmt"
	"slices"
	"time"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

// Safety is the [safety] section: what is held for a person's look before it
// goes, because an invoice that was sent cannot be called back. Its zero value
// holds nothing.
type Safety struct {
	// FirstRun holds the first export ever of a company or of a mapping: "hold"
	// in production, "always" in the sandbox too, "send" never.
	FirstRun string `toml:"first_run"`
	// FarAbove holds a total of more than so many times the largest one of the
	// company's last HistoryDays; 0 holds none.
	FarAbove    int `toml:"far_above"`
	HistoryDays int `toml:"history_days"`
	// PowerOfTen holds a total that is 100 or 1000 times the buyer's last one, or
	// a hundredth or thousandth of it, within cents: "hold" or "send".
	PowerOfTen string `toml:"power_of_ten"`
	// ZeroVAT holds an invoice without any VAT rate above zero: "hold" or
	// "send". ZeroVATUsual names the companies of which that is expected.
	ZeroVAT      string   `toml:"zero_vat"`
	ZeroVATUsual []string `toml:"zero_vat_usual"`
	// OtherYear holds a date in another fiscal year: "hold" or "send".
	OtherYear string `toml:"other_year"`
	// FiscalYearMonth is the month in which the fiscal year begins, 1 to 12.
	FiscalYearMonth int `toml:"fiscal_year_month"`
	// GraceDays next to the turn of the year count as both years within a month
	// of it: invoices of the last days of December are often made in January.
	GraceDays int `toml:"grace_days"`
}

// The words of the settings of Safety.
const (
	hold   = "hold"
	always = "always"
	send   = "send"
)

// SafetyDefaults hold everything, the first run in production only.
func SafetyDefaults() Safety {
	return Safety{FirstRun: hold, FarAbove: 10, HistoryDays: 90, PowerOfTen: hold, ZeroVAT: hold, OtherYear: hold, FiscalYearMonth: 1, GraceDays: 10}
}

// Validate reports wrong settings; companies are the configured ids.
func (s Safety) Validate(r setting.Report, companies []string) {
	r.OneOf("first_run", s.FirstRun, hold, always, send)
	r.OneOf("power_of_ten", s.PowerOfTen, hold, send)
	r.OneOf("zero_vat", s.ZeroVAT, hold, send)
	r.OneOf("other_year", s.OtherYear, hold, send)
	for _, x := range []struct {
		key           string
		value, lo, hi int
	}{
		{"far_above", s.FarAbove, 0, 1_000_000}, {"history_days", s.HistoryDays, 1, 3650},
		{"fiscal_year_month", s.FiscalYearMonth, 1, 12}, {"grace_days", s.GraceDays, 0, 31},
	} {
		if x.value < x.lo || x.value > x.hi {
			r.Wrong(x.key, "is %d, but must be from %d to %d", x.value, x.lo, x.hi)
		}
	}
	for _, id := range s.ZeroVATUsual {
		r.OneOf("zero_vat_usual", id, companies...)
	}
}

// content finds what an invoice itself shows, with no look at the past.
func (s Safety) content(inv *connector.Invoice, company string, today connector.Date) []problem.Problem {
	var ps []problem.Problem
	if s.ZeroVAT == hold && !slices.Contains(s.ZeroVATUsual, company) && withoutVAT(inv) {
		ps = append(ps, problem.Problem{Code: "E5303", Severity: problem.Hold, Field: "tax_subtotals", BT: "BG-23", Args: map[string]string{"company": company}})
	}
	if s.OtherYear == hold && s.inOtherYear(inv.IssueDate, today) {
		ps = append(ps, problem.Problem{Code: "E5304", Severity: problem.Hold, Field: "issue_date", BT: "BT-2",
			Value: string(inv.IssueDate), Expected: s.yearOf(today)})
	}
	return ps
}

// withoutVAT tells an invoice with an amount to pay and no rate above zero.
func withoutVAT(inv *connector.Invoice) bool {
	for _, t := range inv.Taxes {
		if !t.Rate.Or0().IsZero() {
			return false
		}
	}
	return len(inv.Taxes) > 0 && !inv.Totals.Gross.Or0().IsZero()
}

// aroundTurn is how far from the turn of the year today may be for the grace.
const aroundTurn = 31

// inOtherYear tells whether a date lies in another fiscal year than today, and
// not within the grace of the turn between the two.
func (s Safety) inOtherYear(date, today connector.Date) bool {
	from, to := s.yearStart(today), s.yearStart(today).AddDate(1, 0, 0)
	d, err := time.Parse(time.DateOnly, string(date))
	if err != nil || !d.Before(from) && d.Before(to) {
		return false
	}
	const month = aroundTurn * 24 * time.Hour
	if d.Before(from) {
		return d.Before(from.AddDate(0, 0, -s.GraceDays)) || day(today).Sub(from) >= month
	}
	return !d.Before(to.AddDate(0, 0, s.GraceDays)) || to.Sub(day(today)) > month
}

// yearStart is the first day of the fiscal year of a date.
func (s Safety) yearStart(d connector.Date) time.Time {
	t := day(d)
	start := time.Date(t.Year(), time.Month(s.FiscalYearMonth), 1, 0, 0, 0, 0, time.UTC)
	if t.Before(start) {
		start = start.AddDate(-1, 0, 0)
	}
	return start
}

// yearOf names the fiscal year of a date: "2026", or "2025-07 / 2026-06".
func (s Safety) yearOf(d connector.Date) string {
	from := s.yearStart(d)
	if s.FiscalYearMonth == 1 {
		return fmt.Sprint(from.Year())
	}
	return from.Format("2006-01") + " / " + from.AddDate(0, 11, 0).Format("2006-01")
}

func day(d connector.Date) time.Time {
	t, _ := time.Parse(time.DateOnly, string(d)) // a day of ours
	return t
}

// brake holds what an export's invoices show beside those before them.
type brake struct {
	o       *Outbox
	past    ledger.History
	file    string // name of the export
	mapping string
	freed   map[connector.Key]bool // a person has looked at these
	first   map[string]string      // by company: the code that holds its first run, "" for none
	largest map[[2]string]largest  // by company and currency
}

type largest struct {
	total connector.Amount
	n     int
}

// newBrake is the brake of an export, which is to know what was let go until now.
func (o *Outbox) newBrake(file, mapping string, freed map[connector.Key]bool, past ledger.History) *brake {
	return &brake{o: o, past: past, file: file, mapping: mapping, freed: freed,
		first: map[string]string{}, largest: map[[2]string]largest{}}
}

// enough invoices make a history to compare with.
const enough = 3

// hold sets those of a batch to HELD that a person should see first.
func (b *brake) hold(ctx context.Context, batch []ledger.StagedInvoice) error {
	last, err := b.lastTotals(ctx, batch)
	if err != nil {
		return err
	}
	for i := range batch {
		s := &batch[i]
		if s.Verdict != ledger.VerdictQueued && s.Verdict != ledger.VerdictWaiting || b.freed[s.Invoice.Key()] {
			continue
		}
		ps, err := b.doubts(ctx, s, last)
		if err != nil {
			return err
		}
		for _, p := range ps {
			p.Severity, p.Invoice = problem.Hold, s.Invoice.Number
			p.Position.File, p.Position.Row = b.file, s.Row
			s.Verdict = ledger.VerdictHeld
			s.Problems = append(s.Problems, p)
		}
	}
	return nil
}

func (b *brake) doubts(ctx context.Context, s *ledger.StagedInvoice, last map[ledger.Dealing]connector.Amount) ([]problem.Problem, error) {
	var ps []problem.Problem
	code, err := b.firstRun(ctx, s.Company)
	if err != nil {
		return nil, err
	}
	if code != "" {
		ps = append(ps, problem.Problem{Code: code, Value: b.mapping, Args: map[string]string{"company": s.Company}})
	}
	if s.Invoice.IsCredit() {
		return ps, nil
	}
	gross := s.Invoice.Totals.Gross
	total := problem.Problem{Field: "totals.total_amount_including_tax", BT: "BT-112", Value: gross.String()}
	before := last[dealing(s)]
	if places := movedPoint(before, gross); places > 0 {
		p := total
		p.Code, p.Expected, p.Args = "E5306", before.String(), map[string]string{"places": fmt.Sprint(places)}
		return append(ps, p), nil
	}
	far, err := b.farAbove(ctx, s.Company, s.Invoice.Currency, gross)
	if far.Present() {
		p := total
		p.Code, p.Expected = "E5305", far.String()
		p.Args = map[string]string{"days": fmt.Sprint(b.o.Safety.HistoryDays), "times": fmt.Sprint(b.o.Safety.FarAbove)}
		ps = append(ps, p)
	}
	return ps, err
}

func dealing(s *ledger.StagedInvoice) ledger.Dealing {
	return ledger.Dealing{Company: s.Company, Buyer: s.Invoice.Buyer.SIREN(), Currency: s.Invoice.Currency}
}

func (b *brake) lastTotals(ctx context.Context, batch []ledger.StagedInvoice) (map[ledger.Dealing]connector.Amount, error) {
	if b.o.Safety.PowerOfTen != hold {
		return nil, nil
	}
	asked := make([]ledger.Dealing, 0, len(batch))
	for i := range batch {
		if d := dealing(&batch[i]); d.Buyer != "" {
			asked = append(asked, d)
		}
	}
	return b.past.LastTotals(ctx, asked)
}

// firstRun is the code that holds a company's invoices of this export, if it is
// the first one of the company or of the mapping.
func (b *brake) firstRun(ctx context.Context, company string) (string, error) {
	mode := b.o.Safety.FirstRun
	if mode != always && (mode != hold || !b.o.Production) {
		return "", nil
	}
	if code, asked := b.first[company]; asked {
		return code, nil
	}
	companyToo, mappingToo, err := b.past.Proven(ctx, company, b.mapping)
	if err != nil {
		return "", err
	}
	switch {
	case !companyToo:
		b.first[company] = "E5301"
	case !mappingToo:
		b.first[company] = "E5302"
	default:
		b.first[company] = ""
	}
	return b.first[company], nil
}

// farAbove gives the largest total so far if this one is far above it.
func (b *brake) farAbove(ctx context.Context, company, currency string, gross connector.Amount) (connector.Amount, error) {
	if b.o.Safety.FarAbove == 0 {
		return connector.Amount{}, nil
	}
	k := [2]string{company, currency}
	seen, asked := b.largest[k]
	if !asked {
		var err error
		since := connector.DateOf(b.o.Now().UTC()).AddDays(-b.o.Safety.HistoryDays)
		if seen.total, seen.n, err = b.past.Largest(ctx, company, currency, since); err != nil {
			return connector.Amount{}, err
		}
		b.largest[k] = seen
	}
	if seen.n < enough {
		return connector.Amount{}, nil
	}
	limit, err := seen.total.Or0().Mul(connector.MustAmount(fmt.Sprint(b.o.Safety.FarAbove)).Or0())
	if err != nil || gross.Or0().Cmp(limit) <= 0 { // beyond the decimals nothing is far above
		return connector.Amount{}, nil
	}
	return seen.total, nil
}

// slack is by how much the smaller of two totals may be off for rounding, in
// units of the currency: 14.81 and 1480.80 are one price, without and with its
// decimals.
const slack = "0.02"

// movedPoint tells by how many places, 2 or 3, the decimal point of the larger
// of two amounts stands to the right of the other's; 0 where that is not what
// differs.
func movedPoint(a, b connector.Amount) int {
	if !a.Present() || !b.Present() {
		return 0
	}
	small, large := a.Or0().Abs(), b.Or0().Abs()
	if small.Cmp(large) > 0 {
		small, large = large, small
	}
	for places, factor := range map[int]string{2: "100", 3: "1000"} {
		by := connector.MustAmount(factor).Or0()
		want, err := small.Mul(by)
		if err != nil || small.IsZero() {
			return 0 // beyond the decimals
		}
		off, err := want.SubAbs(large)
		most, errToo := by.Mul(connector.MustAmount(slack).Or0())
		if err == nil && errToo == nil && off.Cmp(most) <= 0 {
			return places
		}
	}
	return 0
}
