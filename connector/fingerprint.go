package connector

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// fingerprintVersion stands in front of every fingerprint. Change it with the
// content below, or an upgrade would read yesterday's invoices as conflicts.
const fingerprintVersion = "1"

// Key identifies a document for ever: the same seller may not use a number
// twice in a year (DGFiP G1.45).
type Key struct {
	SIREN  string // of the seller
	Number string
	Year   int
}

// Key is the invoice's business key.
func (inv *Invoice) Key() Key {
	return Key{SIREN: inv.Seller.SIREN(), Number: inv.Number, Year: inv.IssueDate.Year()}
}

// Fingerprint tells whether two documents with one key are the same fiscally:
// type, date, currency, the parties' identifiers, the net of each line, the VAT
// breakdown and the totals. Labels, addresses, e-mail, attachments and payment
// details are left out, so that an export printed again changes nothing. Call
// it after Complete.
func (inv *Invoice) Fingerprint() string {
	h := sha256.New()
	put(h, inv.Type, string(inv.IssueDate), inv.Currency,
		inv.Seller.SIREN(), inv.Buyer.SIREN(), inv.Buyer.VATID)
	for _, l := range inv.Lines {
		put(h, "line", canonical(l.Net))
	}
	for _, t := range inv.Taxes {
		put(h, "tax", t.Category, canonical(t.Rate), canonical(t.Taxable), canonical(t.Tax))
	}
	put(h, "totals", canonical(inv.Totals.Net), canonical(inv.Totals.Tax), canonical(inv.Totals.Gross))
	return fingerprintVersion + ":" + hex.EncodeToString(h.Sum(nil))
}

// put writes length-prefixed parts, so that no two lists give the same bytes.
func put(h hash.Hash, parts ...string) {
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s;", len(p), p)
	}
}

// canonical writes 1.50 and 1.5 alike.
func canonical(a Amount) string {
	if !a.Present() {
		return ""
	}
	return a.Or0().Trim(0).String()
}
