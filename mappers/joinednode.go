package mappers

import (
	"fmt"
	"strings"

	"einvoice/connector/problem"
)

// joinedHead is an invoice's row, with those of the other tables.
type joinedHead struct {
	rowNode
	s     *joinedSource
	key   string
	stray bool
	rows  map[string][]*row
}

// rowsOf reads the rows of another table once.
func (h *joinedHead) rowsOf(table string) ([]*row, error) {
	if rows, ok := h.rows[table]; ok {
		return rows, nil
	}
	t := h.s.others[table]
	if t == nil {
		return nil, nil
	}
	var rows []*row
	for _, at := range t.places[h.key] {
		r, err := t.spill.get(at)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
		if len(rows) > maxRows { // one more is kept, so that a copy has too many
			r.Faults = append(r.Faults, t.grid.fault(codeManyRows, r.Num, "", fmt.Sprint(maxRows)))
			break
		}
	}
	if h.rows == nil {
		h.rows = map[string][]*row{}
	}
	h.rows[table] = rows
	return rows, nil
}

// at is the row that a place is read from.
func (h *joinedHead) at(place int) (rowNode, bool) {
	p := h.s.m.places[place]
	if p.table == h.s.m.tables[0].name {
		return h.rowNode, true
	}
	t := h.s.others[p.table]
	rows, err := h.rowsOf(p.table)
	if t == nil || err != nil {
		return h.rowNode, false
	}
	for _, r := range rows {
		n := rowNode{t.grid, r}
		if p.when == nil {
			return n, true
		}
		if text, _ := n.cell(p.when.place); strings.EqualFold(trimSpace(text), p.when.want) {
			return n, true
		}
	}
	return rowNode{t.grid, &row{Num: h.r.Num}}, false
}

func (h *joinedHead) cell(place int) (string, bool) {
	n, ok := h.at(place)
	if !ok {
		return "", n.g.columns[place] >= 0
	}
	return n.cell(place)
}

func (h *joinedHead) where(place int) problem.Position {
	n, _ := h.at(place)
	return n.where(place)
}

func (h *joinedHead) children(place int) []node {
	p := h.s.m.places[place]
	rows, _ := h.rowsOf(p.table)
	var all []node
	for _, r := range rows {
		all = append(all, joinedRow{rowNode{h.s.others[p.table].grid, r}, h, p.table})
	}
	return all
}

// joinedRow is a row of another table; what it lacks is looked for in its invoice.
type joinedRow struct {
	rowNode
	head  *joinedHead
	table string
}

func (n joinedRow) cell(place int) (string, bool) {
	if n.head.s.m.places[place].table == n.table {
		return n.rowNode.cell(place)
	}
	if n.head.stray {
		return "", false
	}
	return n.head.cell(place)
}

func (n joinedRow) where(place int) problem.Position {
	if n.head.s.m.places[place].table == n.table || n.head.stray {
		return n.rowNode.where(place)
	}
	return n.head.where(place)
}
