package mappers

import (
	"strconv"
	"strings"
)

// firstSeen is where a key, or a number, was met first.
type firstSeen struct{ ordinal, row int }

// numbers refuses a number that a file uses for two documents. It sees them in
// the order of the file.
type numbers struct {
	seen map[string]firstSeen // by seller, number and year
}

func newNumbers() *numbers { return &numbers{seen: map[string]firstSeen{}} }

func (n *numbers) check(r *Result) {
	inv := &r.Invoice
	if inv.Number == "" || r.Spoils != 0 || r.Ignored != "" {
		return
	}
	key := strings.Join([]string{inv.Seller.FiscalID, inv.Number, string(inv.IssueDate[:min(4, len(inv.IssueDate))])}, "\x1f")
	first, again := n.seen[key]
	if !again {
		n.seen[key] = firstSeen{r.Ordinal, r.Row}
		return
	}
	r.Spoils = first.ordinal
	at, _ := r.Origins.Get("document_number")
	p := problemOf(&flaw{code: codeTwice, args: map[string]string{"first": strconv.Itoa(first.row)}},
		"document_number", found{text: inv.Number, origin: at, placed: true})
	p.Invoice = inv.Number
	if !brokenRows(r.Problems)[p.Position.Row] {
		r.Problems = append(r.Problems, p)
	}
}
