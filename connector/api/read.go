package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// pageSize is the most that the API gives at once.
const pageSize = 100

// Get reads one invoice; refresh asks the platform to synchronise it with the
// network first. The error is an *Error; it wraps ErrNotFound for an unknown id.
func (c *Client) Get(ctx context.Context, id string, refresh bool) (connector.Remote, error) {
	const op = "get invoice"
	if id == "" || strings.Trim(id, ".") == "" {
		return connector.Remote{}, &Error{Op: op, Fate: Refused, Scope: ScopeInvoice, cause: ErrNotFound, Problem: problem.Problem{Code: codeUnknownInvoice, Severity: problem.Hold, Value: id}}
	}
	path := pathInvoices + "/" + url.PathEscape(id)
	if refresh {
		path += "?refresh=true"
	}
	r := c.call(ctx, http.MethodGet, path, nil)
	if r.status == http.StatusNotFound && r.err == nil && !r.fromProxy() {
		v := r.because(Refused, ScopeInvoice, codeUnknownInvoice)
		return connector.Remote{}, &Error{Op: op, Fate: v.fate, Scope: v.scope, HTTP: r.status, Code: r.code, Message: r.text(), Problem: v.problems[0], cause: ErrNotFound}
	}
	if err := r.readError(op); err != nil {
		return connector.Remote{}, err
	}
	remote := remoteOf(r.one())
	if remote.ID != id {
		v := r.because(Later, ScopeInvoice, codeReadFailed)
		return connector.Remote{}, &Error{Op: op, Fate: v.fate, Scope: v.scope, HTTP: r.status, Problem: v.problems[0],
			Message: "the answer holds no invoice of that id"}
	}
	return remote, nil
}

// readError is nil for a 2xx answer without an error inside. Reading changes
// nothing, so what would be Unsure for a POST is Later here.
func (r *reply) readError(op string) error {
	if r.status >= 200 && r.status < 300 && r.err == nil && r.isJSON && !r.failure {
		return nil
	}
	v := r.verdict()
	if v.fate == Unsure || v.fate == Sent || v.fate == Exists {
		v = r.because(Later, ScopeCredential, codeReadFailed)
	}
	return &Error{Op: op, Fate: v.fate, Scope: v.scope, HTTP: r.status, Code: r.code, Message: r.text(),
		Problem: v.problems[0], RetryAfter: r.retryAfter, cause: r.err}
}

// Query says which invoices to list. Zero fields do not filter.
type Query struct {
	FiscalID             string // of the company; compared by SIREN on our side
	Number               string
	Direction            connector.Direction
	IssuedFrom, IssuedTo connector.Date // both included
	Limit                int            // items a page, 1 to 100; 0: 100
	MaxPages             int            // 0: all, up to an empty page
	// Again reads a list again, twice at most, where an item came a second time: one
	// that moves to the front pushes others back, and was itself not seen.
	Again bool
}

// List reads all pages, in the order of the platform, which is not documented.
// Filters are sent, and applied again on our side since the platform may ignore
// them; an invoice that lacks what a filter looks at is kept. Ids come once. An
// error ends the list, and means that absence from it proves nothing: an
// *Error, ErrPaging, or ErrTruncated when MaxPages was reached.
func (c *Client) List(ctx context.Context, q Query) iter.Seq2[connector.Remote, error] {
	return func(yield func(connector.Remote, error) bool) {
		l := lister{client: c, query: q, size: pageSize, seen: map[string]int{}, walk: 1}
		if q.Limit > 0 && q.Limit < pageSize {
			l.size = q.Limit
		}
		for {
			items, more, err := l.next(ctx)
			for _, remote := range items {
				if !yield(remote, nil) {
					return
				}
			}
			if err != nil {
				yield(connector.Remote{}, err)
				return
			}
			if !more {
				return
			}
		}
	}
}

// lister walks the pages of one list.
type lister struct {
	client *Client
	query  Query
	size   int // of a page; shrinks when a page is too large to read
	skip   int
	pages  int
	walk   int            // 1, or that of another reading
	moved  bool           // an id came twice in this walk
	seen   map[string]int // the walk in which an id came last
	plain  bool           // the platform refused the filters: they are ours alone
}

// walks is how often a list is read at most: one that always moves is mostly one
// that grows at its head, which loses nothing.
const walks = 3

// next reads one page.
func (l *lister) next(ctx context.Context) (items []connector.Remote, more bool, err error) {
	if l.query.MaxPages > 0 && l.pages >= l.query.MaxPages {
		return nil, false, fmt.Errorf("list invoices: after %d pages: %w", l.pages, ErrTruncated)
	}
	raws, err := l.page(ctx)
	if err != nil {
		return nil, false, err
	}
	l.pages++
	fresh := 0
	for _, raw := range raws {
		remote := remoteOf(raw)
		if remote.ID == "" {
			return nil, false, fmt.Errorf("list invoices: page %d: an item without an id", l.pages)
		}
		before := l.seen[remote.ID]
		l.seen[remote.ID] = l.walk
		if before == l.walk {
			l.moved = true
			continue
		}
		fresh++
		if before == 0 && l.query.matches(remote) {
			items = append(items, remote)
		}
	}
	l.skip += len(raws)
	switch {
	case fresh > 0 || len(raws) == 0:
		return items, l.mayGoOn(len(raws)) || l.again(), nil
	case l.short(len(raws)):
		// Known items only: new ones pushed them here, or skip is ignored but
		// the page is not full either way.
		return items, l.again(), nil
	}
	return items, false, fmt.Errorf("list invoices: page %d: %w", l.pages, ErrPaging)
}

// again begins another walk at the end of one in which items moved.
func (l *lister) again() bool {
	if !l.query.Again || !l.moved || l.walk == walks {
		return false
	}
	l.walk, l.skip, l.moved = l.walk+1, 0, false
	return true
}

// mayGoOn tells whether to ask for another page after one of n items. A list
// that is to be whole ends with an empty page: only that proves that the
// platform did not leave something out. A few pages to look at end with a short one.
func (l *lister) mayGoOn(n int) bool {
	return n > 0 && (l.query.MaxPages == 0 || !l.short(n))
}

// short tells whether a page is visibly not full. One of a round number may be:
// the platform may have a lower limit of its own.
func (l *lister) short(n int) bool { return n < l.size && n%5 != 0 }

// page reads the raw items at skip. Filters that are refused are left out, and
// a page that is too large is asked for again by halves.
func (l *lister) page(ctx context.Context) ([]json.RawMessage, error) {
	r := l.client.call(ctx, http.MethodGet, pathInvoices+"?"+l.query.values(l.skip, l.size, l.plain).Encode(), nil)
	refused := r.err == nil && (r.status == http.StatusBadRequest || r.status == http.StatusUnprocessableEntity)
	switch {
	case refused && !l.plain && l.query.filters():
		l.plain = true
		return l.page(ctx)
	case errors.Is(r.err, errTooLarge) && l.size > 1:
		l.size /= 2
		return l.page(ctx)
	}
	if err := r.readError("list invoices"); err != nil {
		return nil, err
	}
	var raws []json.RawMessage
	if string(r.data) == "null" {
		return nil, nil
	}
	if json.Unmarshal(r.data, &raws) != nil {
		v := r.because(Later, ScopeCredential, codeReadFailed)
		return nil, &Error{Op: "list invoices", Fate: v.fate, Scope: v.scope, HTTP: r.status, Message: "the answer holds no list", Problem: v.problems[0]}
	}
	return raws, nil
}

func (q Query) filters() bool {
	return q.FiscalID != "" || q.Number != "" || q.Direction != "" || q.IssuedFrom != "" || q.IssuedTo != ""
}

// values are the parameters of a page. Dates are widened by a day, since nobody
// says whether the platform's bounds are included.
func (q Query) values(skip, limit int, plain bool) url.Values {
	v := url.Values{"skip": {strconv.Itoa(skip)}, "limit": {strconv.Itoa(limit)}}
	if plain {
		return v
	}
	for key, value := range map[string]string{
		"fiscal_id": q.FiscalID, "document_number": q.Number, "direction": string(q.Direction),
		"issue_date[after]": string(q.IssuedFrom.AddDays(-1)), "issue_date[before]": string(q.IssuedTo.AddDays(1)),
	} {
		if value != "" {
			v.Set(key, value)
		}
	}
	return v
}

// matches filters again what the platform gave.
func (q Query) matches(r connector.Remote) bool {
	inv := &r.Invoice
	seller, buyer, company := inv.Seller.SIREN(), inv.Buyer.SIREN(), connector.Party{FiscalID: q.FiscalID}.SIREN()
	direction := r.Direction
	if direction == "" && company != "" && seller != buyer {
		switch company {
		case seller:
			direction = connector.Outgoing
		case buyer:
			direction = connector.Incoming
		}
	}
	switch {
	case q.Number != "" && inv.Number != q.Number,
		q.Direction != "" && direction != "" && direction != q.Direction,
		company != "" && seller != "" && buyer != "" && seller != company && buyer != company,
		inv.IssueDate != "" && q.IssuedFrom != "" && inv.IssueDate < q.IssuedFrom,
		inv.IssueDate != "" && q.IssuedTo != "" && inv.IssueDate > q.IssuedTo:
		return false
	}
	return true
}
