package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/govalues/decimal"
)

// account is what was paid in, what invoices cost of it and what is left, in euros.
type account struct{ paidIn, spent, credit decimal.Decimal }

// book pays in and takes what an invoice cost. An error says that a sum has too
// many digits; nothing is booked then.
func (a *account) book(paidIn, cost decimal.Decimal) (err error) {
	var next account
	if next.paidIn, err = a.paidIn.Add(paidIn); err != nil {
		return err
	}
	if next.spent, err = a.spent.Add(cost); err != nil {
		return err
	}
	if next.credit, err = next.paidIn.Sub(next.spent); err != nil {
		return err
	}
	*a = next
	return nil
}

// broke tells whether another invoice cannot be paid. The caller holds mu.
func (s *Sandbox) broke() bool {
	return s.opt.Price.IsPos() && s.account.credit.Less(s.opt.Price)
}

func (s *Sandbox) wallet(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	credit := number{s.account.credit}
	s.mu.Unlock()
	answerData(w, map[string]any{"credit": credit, "createdAt": s.started, "updatedAt": s.opt.Now()})
}

func (s *Sandbox) transactions(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	a := s.account
	s.mu.Unlock()
	list := []map[string]any{{"id": newID(s.started), "amount": number{a.paidIn}, "createdAt": s.started, "description": "Wallet recharge"}}
	if a.spent.IsPos() {
		list = append(list, map[string]any{"id": newID(s.started), "amount": number{a.spent.Neg()}, "createdAt": s.opt.Now(), "description": "API usage - FR-invoices"})
	}
	answerData(w, list)
}

// recharge is POST /sandbox/wallet {"credit": 10}: that much more.
func (s *Sandbox) recharge(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Credit number `json:"credit"`
	}
	if !readJSON(w, r, &b) {
		return
	}
	s.mu.Lock()
	err := s.account.book(b.Credit.Decimal, decimal.Zero)
	if err == nil {
		s.remember(entry{Recharged: &b.Credit})
	}
	credit := number{s.account.credit}
	s.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, http.StatusOK, map[string]number{"credit": credit})
}

// callbackLog is GET /callbacks: what was tried, newest first, from which a
// client can replay what it missed.
func (s *Sandbox) callbackLog(w http.ResponseWriter, r *http.Request) {
	skip, limit := 0, defaultLimit
	if countOf(r.URL.Query().Get("skip"), &skip) != nil || countOf(r.URL.Query().Get("limit"), &limit) != nil {
		write(w, http.StatusBadRequest, "application/json", fail(http.StatusBadRequest, 400, "Invalid input data").bytes())
		return
	}
	s.mu.Lock()
	list := make([]map[string]any, 0, limit)
	for _, t := range slices.Backward(s.books.callbacks) {
		if skip--; skip < 0 && len(list) < min(max(limit, 1), maxLimit) {
			list = append(list, t.summary())
		}
	}
	s.mu.Unlock()
	answerData(w, list)
}

func (t Try) summary() map[string]any {
	return map[string]any{"id": t.ID, "scope": "POST:" + hostOfAPI + "/FR-invoices", "url": t.URL,
		"httpResponseCode": fmt.Sprint(t.Status), "startedAt": t.Started, "completedAt": t.At}
}

const hostOfAPI = "test.invoice.openapi.com"

func (s *Sandbox) callbackEntry(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	i := slices.IndexFunc(s.books.callbacks, func(t Try) bool { return t.ID == r.PathValue("id") })
	var t Try
	var rec record
	if i >= 0 {
		t = s.books.callbacks[i]
		if found := s.store.byID[t.Invoice]; found != nil {
			rec = *found
		}
	}
	s.mu.Unlock()
	if i < 0 {
		write(w, http.StatusNotFound, "application/json", fail(http.StatusNotFound, 404, "Callback not found").bytes())
		return
	}
	rec.State, rec.External = t.State, t.External
	inv, err := s.invoice(rec)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	entry := t.summary()
	entry["data"], entry["custom"], entry["headers"] = inv, json.RawMessage(cmp.Or(string(t.custom), "null")), t.headers
	entry["attempt"], entry["retry"], entry["method"], entry["field"] = t.Attempt, t.retry, t.method, t.field
	entry["httpResponseCode"] = t.Status
	answerData(w, entry)
}
