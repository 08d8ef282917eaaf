package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
	"einvoice/connector/quickjson"
)

// timeLayout has a fixed width, so that times sort as text.
const timeLayout = "2006-01-02T15:04:05.000Z"

// stamp writes a time for a column; the zero time is NULL. One of a year that has
// no four digits (a platform may send any number) is the last of those that have:
// otherwise its row, and every list with it, could never be read again.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		t = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	return t.Format(timeLayout)
}

// orNull writes a text for a column in which absent is NULL (unique indexes).
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// instant scans a time column; NULL is the zero time.
type instant struct{ to *time.Time }

func (d instant) Scan(src any) error {
	*d.to = time.Time{}
	s, err := textOf(src)
	if err != nil || s == "" {
		return err
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("read time %q: %w", s, err)
	}
	*d.to = t.UTC()
	return nil
}

// text scans a column that may be NULL into any kind of string.
type text[S ~string] struct{ to *S }

func (d text[S]) Scan(src any) error {
	s, err := textOf(src)
	*d.to = S(s)
	return err
}

// textTo makes a text destination.
func textTo[S ~string](to *S) text[S] { return text[S]{to} }

// number scans an integer column that may be NULL.
type number[N ~int | ~int64] struct{ to *N }

func (d number[N]) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d.to = 0
	case int64:
		*d.to = N(v)
	default:
		return fmt.Errorf("read number: %T", src)
	}
	return nil
}

// numberTo makes an integer destination.
func numberTo[N ~int | ~int64](to *N) number[N] { return number[N]{to} }

// amountTo scans an amount column; "" is absent.
type amountTo struct{ to *connector.Amount }

func (d amountTo) Scan(src any) error {
	*d.to = connector.Amount{}
	s, err := textOf(src)
	if err != nil || s == "" {
		return err
	}
	a, err := connector.ParseAmount(s)
	*d.to = a
	return err
}

// jsonTo scans a JSON column; NULL, "" and an empty list leave the value alone.
type jsonTo struct{ to any }

func (d jsonTo) Scan(src any) error {
	s, err := textOf(src)
	if err != nil || s == "" || s == "[]" { // most rows have no problem
		return err
	}
	return json.Unmarshal([]byte(s), d.to)
}

// documentTo scans an invoice; NULL and "" leave it alone.
type documentTo struct{ to *connector.Invoice }

func (d documentTo) Scan(src any) error {
	s, err := textOf(src)
	if err != nil || s == "" {
		return err
	}
	*d.to, err = quickjson.Invoice([]byte(s))
	return err
}

// buyerTo scans the name of the buyer out of a document.
type buyerTo struct{ to *string }

func (d buyerTo) Scan(src any) error {
	s, err := textOf(src)
	if err != nil || s == "" {
		return err
	}
	*d.to, err = quickjson.BuyerName([]byte(s))
	return err
}

func textOf(src any) (string, error) {
	switch v := src.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	}
	return "", fmt.Errorf("read text: %T", src)
}

// problemList writes problems as a compact array: "[]" for none. prepend relies
// on that form.
func problemList(ps []problem.Problem) (string, error) {
	if len(ps) == 0 {
		return "[]", nil
	}
	b, err := json.Marshal(ps)
	return string(b), err
}

// problemText writes one problem, NULL for none.
func problemText(p problem.Problem) (any, error) {
	if p.Code == "" {
		return nil, nil
	}
	b, err := json.Marshal(p)
	return string(b), err
}

// prepend is the SQL for a problem list with the JSON of expression p in front:
// what decided the verdict comes before what the checks only remarked.
func prepend(list, p string) string {
	return "'[' || " + p + " || substr(',' || substr(" + list + ", 2), CASE " + list + " WHEN '[]' THEN 2 ELSE 1 END)"
}

// plain writes 1.50 and 1.5 alike, so that SQL can compare amounts.
func plain(a connector.Amount) string {
	if !a.Present() {
		return ""
	}
	return a.Or0().Trim(0).String()
}

// Cause is the problem that says why the invoice is in its state, for whoever
// can show one only. What stopped it goes before what the checks remarked; what
// put off one that goes, or made it a duplicate, stands first by itself: a doubt
// that was let go, or is another invoice's matter now, is no reason any more.
func (i Invoice) Cause() problem.Problem {
	switch i.State {
	case Held, Refused, Rejected, Conflict, Ignored:
		return foremost(i.Problems)
	}
	if len(i.Problems) > 0 {
		return i.Problems[0]
	}
	return problem.Problem{}
}

// foremost is the problem that one line can show: the first that stops the
// invoice, else the first.
func foremost(ps []problem.Problem) problem.Problem {
	for _, p := range ps {
		if p.Severity != problem.Warn {
			return p
		}
	}
	if len(ps) > 0 {
		return ps[0]
	}
	return problem.Problem{}
}
