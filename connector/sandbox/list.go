package sandbox

import (
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The page names no limits: the default is small to be the worst for a client
// that does not page, the cap is the sister API's.
const (
	defaultLimit = 25
	maxLimit     = 100
)

// filter is the query of GET /FR-invoices.
type filter struct {
	fiscalIDs, states, directions, types []string
	number, on, before, after            string
	skip, limit                          int
	order                                string
}

func readFilter(v url.Values, usual int) (filter, error) {
	f := filter{
		fiscalIDs: listOf(v.Get("fiscal_id")), states: listOf(v.Get("state")),
		directions: listOf(v.Get("direction")), types: listOf(v.Get("type")),
		number: v.Get("document_number"),
		on:     v.Get("issue_date"), before: v.Get("issue_date[before]"), after: v.Get("issue_date[after]"),
		limit: usual,
	}
	for _, date := range []string{f.on, f.before, f.after} {
		if _, err := time.Parse(time.DateOnly, date); date != "" && err != nil {
			return f, fmt.Errorf("%q is not a date", date)
		}
	}
	if err := countOf(v.Get("skip"), &f.skip); err != nil {
		return f, err
	}
	if err := countOf(v.Get("limit"), &f.limit); err != nil {
		return f, err
	}
	f.limit = min(max(f.limit, 1), maxLimit)
	return f, nil
}

func listOf(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func countOf(s string, n *int) error {
	if s == "" {
		return nil
	}
	v, err := strconv.Atoi(s)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a count", s)
	}
	*n = v
	return nil
}

// listInvoices shows a page, newest first. (No order is documented.)
func (s *Sandbox) listInvoices(q *request) reply {
	f, err := readFilter(q.URL.Query(), s.switches.Load().Limit)
	if err != nil {
		return fail(http.StatusBadRequest, 400, "Invalid input data: %v", err)
	}
	f.order = s.switches.Load().Order
	if _, blind := q.struck["ignore_filters"]; blind {
		f = filter{skip: f.skip, limit: f.limit, order: f.order}
	}
	s.mu.Lock()
	page := s.store.page(f, s.opt.Now())
	s.mu.Unlock()
	if _, half := q.struck["truncate_list"]; half {
		page = page[:len(page)/2]
	}
	data := make([]invoice, 0, len(page))
	for _, r := range page {
		inv, err := s.invoice(r)
		if err != nil {
			return fail(http.StatusInternalServerError, 631, "%v", err)
		}
		data = append(data, inv)
	}
	return ok(data)
}

// page copies the records that a filter asks for.
func (st *store) page(f filter, now time.Time) []record {
	from := st.all
	if f.number != "" {
		from = st.byNumber[f.number]
	} else if len(f.fiscalIDs) == 1 {
		from = st.bySIREN[siren(f.fiscalIDs[0])]
	}
	var page []record
	skip := f.skip
	for r := range f.ordered(from) {
		if !r.visibleAt(now) || !f.matches(r) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		page = append(page, *r)
		if len(page) == f.limit {
			break
		}
	}
	return page
}

func (f filter) matches(r *record) bool {
	one := func(words []string, word string) bool { return len(words) == 0 || slices.Contains(words, word) }
	return (f.number == "" || r.Number == f.number) &&
		(len(f.fiscalIDs) == 0 || slices.ContainsFunc(f.fiscalIDs, func(id string) bool { return sameCompany(id, r.Owner) })) &&
		one(f.states, r.State) && one(f.directions, r.direction()) && one(f.types, r.Type) &&
		(f.on == "" || r.IssueDate == f.on) &&
		(f.before == "" || r.IssueDate <= f.before) && (f.after == "" || r.IssueDate >= f.after)
}

// sameCompany compares two fiscal ids: a SIREN stands for each of its SIRETs.
func sameCompany(a, b string) bool {
	a, b = digits(a), digits(b)
	return a == b || (len(a) == 9 || len(b) == 9) && siren(a) == siren(b)
}

// ordered walks records in the order that the switch says.
func (f filter) ordered(from []*record) iter.Seq[*record] {
	switch f.order {
	case "oldest":
		return slices.Values(from)
	case "none":
		// By the random end of the id: no order that a client could use, but a steady one.
		from = slices.SortedFunc(slices.Values(from), func(a, b *record) int { return strings.Compare(a.ID[len(a.ID)/2:], b.ID[len(b.ID)/2:]) })
		return slices.Values(from)
	}
	return func(yield func(*record) bool) {
		for _, r := range slices.Backward(from) {
			if !yield(r) {
				return
			}
		}
	}
}
