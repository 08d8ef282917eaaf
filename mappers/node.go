package mappers

import (
	"einvoice/connector/problem"

	"github.com/expr-lang/expr/vm"
)

// node is what selectors look into: a row of a table or an XML element. It is
// all that the binder knows of a format.
type node interface {
	// cell gives the text at a place; ok is false where there is no such place.
	cell(place int) (text string, ok bool)
	// where says where that place stands, for a message.
	where(place int) problem.Position
	// children are the elements at a place; a row has none.
	children(place int) []node
}

// document is one invoice as a reader gives it: where the header values stand,
// where those of each line, and what was wrong before any value was read.
type document struct {
	ordinal int
	head    node
	lines   []node
	row     int
	rows    string
	faults  []problem.Problem
	spoils  int // ordinal of the document whose rows these continue
	source  []*row
	raw     []byte
	stray   bool // typed records: it lacks the record that starts an invoice
	closed  bool // typed records: it has the one that ends it
	bytes   int  // about what it takes in memory
}

// source yields the documents of an export one by one; io.EOF ends them.
type source interface {
	next() (document, error)
}

// selector points at a place, in the node at hand or in the invoice's head.
type selector struct {
	place int
	head  bool // written with ^
}

// scope is where a binding is evaluated.
type scope struct {
	node, head node
	format     valueFormat
	failed     *expressionFailure // the first value that an expression could not read
	machine    vm.VM              // kept, because it allocates what it works with
}

// valueFormat is how an input writes numbers and dates.
type valueFormat struct {
	numbers numberFormat
	dates   dateFormats
}

func (s *scope) of(sel selector) node {
	if sel.head {
		return s.head
	}
	return s.node
}

func (s *scope) text(sel selector) (string, bool) { return s.of(sel).cell(sel.place) }

func (s *scope) origin(sel selector, text string) Origin {
	return Origin{Position: s.of(sel).where(sel.place), Value: text}
}
