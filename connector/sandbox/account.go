package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// credit is what the account has, in euros: Options.Credit less Options.Price
// for each invoice taken in charge. The caller holds mu.
func (s *Sandbox) credit() float64 { return s.opt.Credit - s.spent }

// broke tells whether another invoice cannot be paid. The caller holds mu.
func (s *Sandbox) broke() bool { return s.opt.Price > 0 && s.credit() < s.opt.Price }

func (s *Sandbox) wallet(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	credit := s.credit()
	s.mu.Unlock()
	answerData(w, map[string]any{"credit": credit, "createdAt": s.started, "updatedAt": s.opt.Now()})
}

func (s *Sandbox) transactions(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	spent := s.spent
	s.mu.Unlock()
	list := []map[string]any{{"id": newID(s.started), "amount": s.opt.Credit, "createdAt": s.started, "description": "Wallet recharge"}}
	if spent > 0 {
		list = append(list, map[string]any{"id": newID(s.started), "amount": -spent, "createdAt": s.opt.Now(), "description": "API usage - FR-invoices"})
	}
	answerData(w, list)
}

// recharge is POST /sandbox/wallet {"credit": 10}: that much more.
func (s *Sandbox) recharge(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Credit float64 `json:"credit"`
	}
	if !readJSON(w, r, &b) {
		return
	}
	s.mu.Lock()
	s.opt.Credit += b.Credit
	s.remember(entry{Recharged: b.Credit})
	credit := s.credit()
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]float64{"credit": credit})
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
