package mappers

import (
	"encoding/binary"
	"strconv"

	"einvoice/mappers/seen"
)

// firstSeen is where a key, or a number, was met first.
type firstSeen struct{ ordinal, row int }

// seenBefore notes where a key stands, and finds where it stood before.
func seenBefore(s *seen.Set, key []byte, at firstSeen) (first firstSeen, again bool, err error) {
	var note [2 * binary.MaxVarintLen64]byte
	before, again, err := s.Put(key, binary.AppendUvarint(binary.AppendUvarint(note[:0], uint64(at.ordinal)), uint64(at.row)))
	if err != nil || !again {
		return first, false, err
	}
	ordinal, n := binary.Uvarint(before)
	row, _ := binary.Uvarint(before[n:])
	return firstSeen{int(ordinal), int(row)}, true, nil
}

// numbers refuses a number that a file uses for two documents. It sees them in
// the order of the file.
type numbers struct {
	seen *seen.Set // by seller, number and year
	key  []byte    // used again
}

func (n *numbers) check(r *Result) error {
	inv := &r.Invoice
	if inv.Number == "" || r.Spoils != 0 || r.Ignored != "" {
		return nil
	}
	n.key = append(append(n.key[:0], inv.Seller.FiscalID...), keyJoint...)
	n.key = append(append(n.key, inv.Number...), keyJoint...)
	n.key = append(n.key, inv.IssueDate[:min(4, len(inv.IssueDate))]...)
	first, again, err := seenBefore(n.seen, n.key, firstSeen{r.Ordinal, r.Row})
	if err != nil || !again {
		return err
	}
	r.Spoils = first.ordinal
	at, _ := r.Origins.Get("document_number")
	p := problemOf(&flaw{code: codeTwice, args: map[string]string{"first": strconv.Itoa(first.row)}},
		"document_number", found{text: inv.Number, origin: &at, placed: true})
	p.Invoice = inv.Number
	if !brokenRows(r.Problems)[p.Position.Row] {
		r.Problems = append(r.Problems, p)
	}
	return nil
}
