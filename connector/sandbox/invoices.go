package sandbox

import (
	"net/http"

	"github.com/govalues/decimal"
)

// postInvoice takes an invoice in charge.
func (s *Sandbox) postInvoice(q *request) reply {
	raw, p, err := q.body, q.posted, q.wrong
	unverified := s.opt.Unverified
	if _, hit := q.struck["ignore_unverified"]; hit {
		unverified = "ignore"
	}
	if _, hit := q.struck["reject_unverified"]; hit {
		unverified = "reject"
	}
	if unverified != "accept" {
		kept, dropped, bad := onlyVerified(raw)
		if bad != nil {
			return badInput(bad)
		}
		if unverified == "reject" && len(dropped) > 0 {
			return fail(http.StatusBadRequest, 400, "Extra attributes are not allowed (%q are unknown).", dropped)
		}
		raw = kept
		p, err = parse(raw)
	}
	if err != nil {
		return badInput(err)
	}
	s.mu.Lock()
	r, inv, refusal := s.accept(q, p, raw)
	if r == nil {
		s.mu.Unlock()
		return refusal
	}
	copied := *r
	s.mu.Unlock()
	rep := s.confirmation(copied, inv)
	if _, early := q.struck["callback_before_reply"]; early {
		rep.before = func() { s.overtake(q, copied) }
	}
	return rep
}

// confirmation is the answer to a POST.
func (s *Sandbox) confirmation(r record, inv invoice) reply {
	full, err := s.render(r, inv)
	if err != nil {
		return fail(http.StatusInternalServerError, 631, "%v", err)
	}
	rep := ok(full)
	switch s.switches.Load().Reply {
	case "id":
		rep.body.Data = map[string]string{"id": r.ID, "state": r.State}
	case "created":
		rep.status = http.StatusCreated
	}
	return rep
}

// strict tells whether doubts refuse an invoice.
func (q *request) strict(opt Options) bool {
	_, hit := q.struck["strict"]
	return hit || opt.Strict
}

func badInput(err error) reply {
	return fail(http.StatusBadRequest, 400, "Invalid input data: %v", err)
}

// accept makes an invoice of what was posted, or says why not. The caller holds mu.
func (s *Sandbox) accept(q *request, p posted, raw []byte) (*record, invoice, reply) {
	owner := s.store.company(p.Sender.FiscalID)
	if p.Sender.FiscalID == "" || owner == nil {
		return nil, invoice{}, notRegistered()
	}
	if !owner.CustomerInvoice {
		return nil, invoice{}, fail(http.StatusBadRequest, 174, "customer_invoice service is not enabled for the user")
	}
	inv, refusal, fine := s.check(p, q.strict(s.opt))
	if !fine {
		return nil, invoice{}, refusal
	}
	if s.broke() {
		return nil, invoice{}, reply{status: http.StatusPaymentRequired, body: canned(http.StatusPaymentRequired)}
	}
	now := s.opt.Now()
	r := &record{
		ID: newID(now), Owner: owner.FiscalID, Number: p.Number, Type: p.kind(), IssueDate: p.IssueDate,
		Created: now, State: "NEW", External: "submitted", Raw: raw,
	}
	r.Network, r.Life = s.route(p)
	if s.known(r) {
		policy := s.opt.Duplicates
		for _, kind := range []string{"conflict", "doublon"} {
			if _, hit := q.struck[kind]; hit {
				policy = kind
			}
		}
		switch policy {
		case "conflict":
			return nil, invoice{}, fail(http.StatusConflict, 409, "Invoice %s already exists", p.Number)
		case "doublon":
			return nil, invoice{}, fail(http.StatusUnprocessableEntity, 422, "Validation Error: document_number: DOUBLON, invoice %s already exists", p.Number)
		}
	}
	if f, hidden := q.struck["visibility_delay"]; hidden {
		r.Visible = now.Add(f.Delay)
	}
	_, r.Cent = q.struck["normalise_cent"]
	if err := s.account.book(decimal.Zero, s.opt.Price); err != nil {
		return nil, invoice{}, badInput(err)
	}
	s.keep(r)
	s.remember(entry{Invoice: r, Cost: &number{s.opt.Price}})
	s.schedule(r)
	s.opt.Log("sandbox: invoice %s %s taken in charge", r.Number, r.ID)
	return r, inv, reply{}
}

// known tells whether the business key is taken: by an invoice that was not
// sent back before it ever became one (501, 221).
func (s *Sandbox) known(r *record) bool {
	for _, id := range s.books.document(r.key()).IDs {
		switch s.store.byID[id].External {
		case "inadmissible", "routing_error":
		default:
			return true
		}
	}
	return false
}

// overtake calls back while the answer to the POST still waits.
func (s *Sandbox) overtake(q *request, r record) {
	s.mu.Lock()
	calls := s.calls(r)
	s.mu.Unlock()
	for _, c := range calls {
		s.deliver(q.Context(), c)
	}
}

func (s *Sandbox) shown(r record) reply {
	inv, err := s.invoice(r)
	if err != nil {
		return fail(http.StatusInternalServerError, 631, "%v", err)
	}
	return ok(inv)
}

// getInvoice shows one invoice. What is due has happened already, so that
// refresh=true changes nothing here; the books count it.
func (s *Sandbox) getInvoice(q *request) reply {
	s.mu.Lock()
	r := s.store.byID[q.id]
	if r == nil || !r.visibleAt(s.opt.Now()) {
		s.mu.Unlock()
		return quirk(http.StatusNotFound, 404, "Invoice not found")
	}
	copied := *r
	s.mu.Unlock()
	for _, kind := range []string{"xml", "pdf"} {
		if accept := q.Header.Get("Accept"); accept == "application/"+kind {
			file, err := s.document(copied, kind, copied.Pad)
			if err != nil {
				return fail(http.StatusInternalServerError, 631, "%v", err)
			}
			return reply{status: http.StatusOK, file: file, contentType: accept}
		}
	}
	return s.shown(copied)
}
