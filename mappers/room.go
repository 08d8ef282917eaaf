package mappers

// rowSlab is memory for many rows with as many cells each.
type rowSlab struct {
	rows  []row
	cells []string
	given int
}

// rowRoom gives out rows of slabs. A slab is used again when every document that
// has rows in it was taken.
type rowRoom struct {
	slab   rowSlab
	round  bool      // somebody gives slabs back
	filled []rowSlab // since they were asked for
	free   []rowSlab
}

// recycler is a source whose rows stand in slabs.
type recycler interface {
	// filled gives the slabs that were filled since it was asked last. Their
	// rows are of documents that were given: the one row that was read ahead,
	// for the next document, stands in the slab at hand.
	filled() []rowSlab
	// reuse takes slabs back whose documents nobody will ask any more.
	reuse([]rowSlab)
}

// next gives out a row with empty cells.
func (o *rowRoom) next(cells int) *row {
	if o.slab.given == len(o.slab.rows) {
		o.change(cells)
	}
	at := o.slab.given
	out := &o.slab.rows[at]
	out.Cells = o.slab.cells[at*cells : (at+1)*cells : (at+1)*cells]
	o.slab.given++
	return out
}

// change takes a slab that is free, or makes one: a small file needs a small one.
func (o *rowRoom) change(cells int) {
	size := len(o.slab.rows)
	if size == slabRows && o.round {
		o.filled = append(o.filled, o.slab)
	}
	if n := len(o.free); n > 0 {
		o.slab, o.free = o.free[n-1], o.free[:n-1]
		clear(o.slab.rows)
		clear(o.slab.cells)
		o.slab.given = 0
		return
	}
	size = min(max(2*size, 4), slabRows)
	o.slab = rowSlab{rows: make([]row, size), cells: make([]string, size*cells)}
}

func (o *rowRoom) takeFilled() []rowSlab {
	filled := o.filled
	o.filled, o.round = nil, true
	return filled
}

func (o *rowRoom) reuse(slabs []rowSlab) { o.free = append(o.free, slabs...) }
