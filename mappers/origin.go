package mappers

import (
	"strconv"
	"strings"

	"einvoice/connector/problem"
)

// Origin is where a value came from.
type Origin struct {
	Position problem.Position
	Value    string // as it stands in the file, before anything was done to it
}

// Origins are the origins of an invoice's values by dotted field name, as in
// "recipient.vat_id" and "invoice_lines[0].tax_rate", lines counted from 0.
// "invoice_lines[0]" is the line itself and "" the invoice.
//
// Only the places are noted while a file is read; what stands there, and how it
// is called, is put together when somebody asks. They may be asked as long as
// the function that got the Result has not returned.
type Origins struct {
	m     *Mapping
	head  node
	root  problem.Position
	used  []int32 // of the head's fields, then of each line's: a usedPlace
	lines []lineOrigin
}

// usedPlace is a selector as a number: its place, doubled, plus one where it was
// written with ^; noPlace is none.
const noPlace int32 = -1

func usedPlace(sel selector) int32 {
	if sel.head {
		return int32(sel.place)<<1 | 1
	}
	return int32(sel.place) << 1
}

// lineOrigin is where a line stands: its node and its fields in used, or, for a
// charge, one place for all of it.
type lineOrigin struct {
	node  node
	from  int
	whole *Origin
}

// Find gives the origin of a field or, where it has none of its own, of what it
// is part of: the line, else the invoice. Groups of the JSON form ("totals.",
// "payment.", "buying.") may stand in front.
func (o Origins) Find(field string) Origin {
	for _, group := range []string{"totals.", "payment.", "buying."} {
		field = strings.TrimPrefix(field, group)
	}
	for field != "" {
		if found, ok := o.Get(field); ok {
			return found
		}
		cut := strings.LastIndexByte(field, '.')
		if cut < 0 {
			break
		}
		field = field[:cut]
	}
	return Origin{Position: o.root}
}

// Get gives the origin of exactly this field.
func (o Origins) Get(field string) (Origin, bool) {
	switch {
	case field == "":
		return Origin{Position: o.root}, o.m != nil
	case strings.HasPrefix(field, linesPrefix):
		return o.ofLine(field[len(linesPrefix):])
	case o.m == nil:
		return Origin{}, false
	}
	for i := range o.m.head {
		if o.m.head[i].name == field && i < len(o.used) {
			return o.at(o.head, o.used[i])
		}
	}
	return Origin{}, false
}

// All gives every origin by field.
func (o Origins) All() map[string]Origin {
	all := map[string]Origin{}
	put := func(field string) {
		if found, ok := o.Get(field); ok {
			all[field] = found
		}
	}
	if put(""); o.m == nil {
		return all
	}
	for _, b := range o.m.head {
		put(b.name)
	}
	for i := range o.lines {
		line := lineName(i)
		put(line)
		for _, b := range o.m.lines.fields {
			put(line + "." + b.name)
		}
	}
	return all
}

const linesPrefix = "invoice_lines["

// lineName is the dotted name of line i.
func lineName(i int) string { return linesPrefix + strconv.Itoa(i) + "]" }

// ofLine reads "3].tax_rate" or "3]".
func (o Origins) ofLine(rest string) (Origin, bool) {
	number, name, ok := strings.Cut(rest, "]")
	i, err := strconv.Atoi(number)
	if !ok || err != nil || i < 0 || i >= len(o.lines) {
		return Origin{}, false
	}
	line := o.lines[i]
	switch {
	case line.whole != nil:
		return *line.whole, name == ""
	case line.node == nil:
		return Origin{}, false
	case name == "":
		return Origin{Position: placeOf(line.node, o.root.Row)}, true
	}
	for j := range o.m.lines.fields {
		if o.m.lines.fields[j].name == strings.TrimPrefix(name, ".") {
			return o.at(line.node, o.used[line.from+j])
		}
	}
	return Origin{}, false
}

func (o Origins) at(n node, used int32) (Origin, bool) {
	if used == noPlace {
		return Origin{}, false
	}
	if used&1 == 1 {
		n = o.head
	}
	return originAt(n, int(used>>1)), true
}

func originAt(n node, place int) Origin {
	text, _ := n.cell(place)
	if trimSpace(text) == "" {
		text = ""
	}
	return Origin{Position: n.where(place), Value: text}
}

// placeOf says where a node stands, in no column.
func placeOf(n node, row int) problem.Position {
	if n, ok := n.(interface{ place() problem.Position }); ok {
		return n.place()
	}
	return problem.Position{Row: row}
}
