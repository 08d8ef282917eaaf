package mappers

import (
	"fmt"
	"strconv"
	"strings"

	"einvoice/mappers/seen"
)

// firstSeen is where a key, or a number, was met first.
type firstSeen struct{ ordinal, row int }

// seenBefore notes where a key stands, and finds where it stood before.
func seenBefore(s *seen.Set, key string, at firstSeen) (firstSeen, bool, error) {
	var note [40]byte
	value := strconv.AppendInt(append(strconv.AppendInt(note[:0], int64(at.ordinal), 10), ' '), int64(at.row), 10)
	text, again, err := s.Put(key, string(value))
	if err != nil || !again {
		return firstSeen{}, false, err
	}
	var first firstSeen
	_, err = fmt.Sscan(text, &first.ordinal, &first.row)
	return first, true, err
}

// numbers refuses a number that a file uses for two documents. It sees them in
// the order of the file.
type numbers struct {
	seen *seen.Set // by seller, number and year
}

func (n *numbers) check(r *Result) error {
	inv := &r.Invoice
	if inv.Number == "" || r.Spoils != 0 || r.Ignored != "" {
		return nil
	}
	key := strings.Join([]string{inv.Seller.FiscalID, inv.Number, string(inv.IssueDate[:min(4, len(inv.IssueDate))])}, "\x1f")
	first, again, err := seenBefore(n.seen, key, firstSeen{r.Ordinal, r.Row})
	if err != nil || !again {
		return err
	}
	r.Spoils = first.ordinal
	at, _ := r.Origins.Get("document_number")
	p := problemOf(&flaw{code: codeTwice, args: map[string]string{"first": strconv.Itoa(first.row)}},
		"document_number", found{text: inv.Number, origin: at, placed: true})
	p.Invoice = inv.Number
	if !brokenRows(r.Problems)[p.Position.Row] {
		r.Problems = append(r.Problems, p)
	}
	return nil
}
