// Package slip adds up what one company's ERP dropped in a day and what became
// of it: the slip by which one proves that all of yesterday left.
package slip

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"einvoice/connector/ledger"
)

// Ledger is what a slip is drawn from.
type Ledger interface {
	IssuedIn(ctx context.Context, company string, from, to time.Time) iter.Seq2[ledger.Issued, error]
	FilesIn(ctx context.Context, from, to time.Time) ([]ledger.File, error)
	Find(ctx context.Context, number string) ([]ledger.Invoice, error)
}

var _ Ledger = (*ledger.Ledger)(nil)

// Fate is where a dropped invoice ended; the fates add up to what was dropped.
type Fate string

// The fates, in the order of the slip. Waiting takes in what is queued, being
// sent or uncertain; refused, what we or the platform refused.
const (
	Sent       Fate = "sent"
	Refused    Fate = "refused"
	Conflict   Fate = "conflict"
	Duplicate  Fate = "duplicate"
	Superseded Fate = "superseded"
	Ignored    Fate = "ignored"
	Held       Fate = "held"
	Waiting    Fate = "waiting"
)

// fates lists them.
func fates() []Fate {
	return []Fate{Sent, Refused, Conflict, Duplicate, Superseded, Ignored, Held, Waiting}
}

func fateOf(s ledger.State) Fate {
	switch s {
	case ledger.Sent:
		return Sent
	case ledger.Refused, ledger.Rejected:
		return Refused
	case ledger.Conflict:
		return Conflict
	case ledger.Duplicate:
		return Duplicate
	case ledger.Superseded:
		return Superseded
	case ledger.Ignored:
		return Ignored
	case ledger.Held:
		return Held
	}
	return Waiting
}

// Sum is a count with its amounts; credit notes count negative.
type Sum struct {
	Invoices        int
	Net, Tax, Gross decimal.Decimal
	Beyond          bool // amounts too large to be added exactly: they mean nothing
}

// add never fails: a number in the wrong column must not cost a company its slips.
func (s *Sum) add(net, tax, gross decimal.Decimal) {
	s.Invoices++
	for _, one := range []struct {
		to *decimal.Decimal
		by decimal.Decimal
	}{{&s.Net, net}, {&s.Tax, tax}, {&s.Gross, gross}} {
		sum, err := one.to.AddExact(one.by, max(one.to.Scale(), one.by.Scale()))
		s.Beyond = s.Beyond || err != nil
		*one.to = sum
	}
}

// Rate is the part of one VAT rate in what was sent.
type Rate struct {
	Rate     string // in percent, "" where none is stated
	Currency string
	Sum      Sum
}

// Gap is a run of numbers that no export ever brought.
type Gap struct{ First, Last string }

// Slip is a company's day.
type Slip struct {
	Company  string
	From, To time.Time
	Currency []string // as they came
	Dropped  map[string]*Sum
	Fates    map[Fate]map[string]*Sum // by currency
	Rates    []Rate                   // of what was sent
	Files    []ledger.File            // of the company: with their control totals
	Unread   []string                 // exports that could not be read at all, of any company
	Gaps     []Gap
	MoreGaps bool // than these
}

// Draw reads the exports taken from from (included) to to (not included).
func Draw(ctx context.Context, l Ledger, company string, from, to time.Time) (*Slip, error) {
	s := &Slip{Company: company, From: from, To: to, Dropped: map[string]*Sum{}, Fates: map[Fate]map[string]*Sum{}}
	rates, series, files := map[[2]string]*Sum{}, map[string][]uint64{}, map[int64]bool{}
	for i, err := range l.IssuedIn(ctx, company, from, to) {
		if err != nil {
			return nil, err
		}
		files[i.FileID] = true
		s.count(i, rates)
		if prefix, n, ok := split(i.Key.Number); ok {
			series[prefix] = append(series[prefix], n)
		}
	}
	s.sortRates(rates)
	if err := s.addFiles(ctx, l, files); err != nil {
		return nil, err
	}
	return s, s.addGaps(ctx, l, series)
}

func (s *Slip) count(i ledger.Issued, rates map[[2]string]*Sum) {
	t := i.Document.Totals
	net, tax, gross := t.Net.Or0(), t.Tax.Or0(), i.Gross.Or0()
	negative := i.Document.IsCredit() && !gross.IsNeg()
	if negative {
		net, tax, gross = net.Neg(), tax.Neg(), gross.Neg()
	}
	if s.Dropped[i.Currency] == nil {
		s.Dropped[i.Currency] = &Sum{}
		s.Currency = append(s.Currency, i.Currency)
	}
	s.Dropped[i.Currency].add(net, tax, gross)
	fate := fateOf(i.State)
	if s.Fates[fate] == nil {
		s.Fates[fate] = map[string]*Sum{}
	}
	if s.Fates[fate][i.Currency] == nil {
		s.Fates[fate][i.Currency] = &Sum{}
	}
	s.Fates[fate][i.Currency].add(net, tax, gross)
	if fate != Sent {
		return
	}
	for _, x := range i.Document.Taxes {
		base, tax := x.Taxable.Or0(), x.Tax.Or0()
		if negative {
			base, tax = base.Neg(), tax.Neg()
		}
		key := [2]string{"", i.Currency}
		if rate, ok := x.Rate.Get(); ok {
			key[0] = rate.Trim(0).String()
		}
		if rates[key] == nil {
			rates[key] = &Sum{}
		}
		all, err := base.AddExact(tax, max(base.Scale(), tax.Scale()))
		rates[key].add(base, tax, all)
		rates[key].Beyond = rates[key].Beyond || err != nil
	}
}

func (s *Slip) sortRates(rates map[[2]string]*Sum) {
	for key, sum := range rates {
		s.Rates = append(s.Rates, Rate{Rate: key[0], Currency: key[1], Sum: *sum})
	}
	sort.Slice(s.Rates, func(i, j int) bool {
		a, b := s.Rates[i], s.Rates[j]
		if a.Currency != b.Currency {
			return a.Currency < b.Currency
		}
		x, _ := decimal.Parse(a.Rate) // "" is as 0
		y, _ := decimal.Parse(b.Rate)
		return x.Cmp(y) > 0
	})
}

func (s *Slip) addFiles(ctx context.Context, l Ledger, ours map[int64]bool) error {
	files, err := l.FilesIn(ctx, s.From, s.To)
	if err != nil {
		return err
	}
	for _, f := range files {
		switch {
		case ours[f.ID]:
			s.Files = append(s.Files, f)
		case f.State != ledger.FileMapped:
			s.Unread = append(s.Unread, f.Name)
		}
	}
	return nil
}

const (
	gapMost  = 1000 // numbers between two that still make one series
	gapsMost = 100  // gaps that a slip shows
)

// addGaps finds the numbers missing between two of the day that no export, of
// any day, ever brought.
func (s *Slip) addGaps(ctx context.Context, l Ledger, series map[string][]uint64) error {
	prefixes := make([]string, 0, len(series))
	for p := range series {
		prefixes = append(prefixes, p)
	}
	slices.Sort(prefixes)
	for _, p := range prefixes {
		outgrow(series, p)
	}
	for _, p := range prefixes {
		numbers := series[p]
		slices.Sort(numbers)
		for i := 1; i < len(numbers); i++ {
			if numbers[i]-numbers[i-1] > gapMost {
				continue
			}
			for n := numbers[i-1] + 1; n < numbers[i] && !s.MoreGaps; n++ {
				if err := s.missing(ctx, l, p, n); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// outgrow lets the numbers that have outgrown a prefix's zeros follow those that
// have them: F-1000 comes after F-0999, and is written without any.
func outgrow(series map[string][]uint64, prefix string) {
	text, width, _ := strings.Cut(prefix, "\x00")
	if width == "0" {
		return
	}
	plain := text + "\x000"
	series[plain] = slices.DeleteFunc(series[plain], func(n uint64) bool {
		grown := join(prefix, n) == join(plain, n)
		if grown {
			series[prefix] = append(series[prefix], n)
		}
		return grown
	})
}

func (s *Slip) missing(ctx context.Context, l Ledger, prefix string, n uint64) error {
	number, before := join(prefix, n), join(prefix, n-1)
	found, err := l.Find(ctx, number)
	if err != nil {
		return err
	}
	for _, inv := range found {
		if inv.Company == s.Company && inv.Key.Number == number {
			return nil
		}
	}
	if last := len(s.Gaps) - 1; last >= 0 && s.Gaps[last].Last == before {
		s.Gaps[last].Last = number
	} else if len(s.Gaps) < gapsMost {
		s.Gaps = append(s.Gaps, Gap{number, number})
	} else {
		s.MoreGaps = true // each number is a look-up: numbers that run at random would be millions
	}
	return nil
}

// split takes the running number off the end: "FA-2026/" and 17, with its
// width in the prefix, so that F-9 and F-0009 are two series.
func split(number string) (prefix string, n uint64, ok bool) {
	at := len(number)
	for at > 0 && number[at-1] >= '0' && number[at-1] <= '9' {
		at--
	}
	digits := number[at:]
	if digits == "" || len(digits) > 15 {
		return "", 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	width := 0
	if digits[0] == '0' {
		width = len(digits)
	}
	return number[:at] + "\x00" + strconv.Itoa(width), n, err == nil
}

func join(prefix string, n uint64) string {
	text, width, _ := strings.Cut(prefix, "\x00")
	w, _ := strconv.Atoi(width) // split wrote it
	return fmt.Sprintf("%s%0*d", text, w, n)
}
