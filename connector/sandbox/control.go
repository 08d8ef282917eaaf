package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
)

// steering is what the real API does not have: faults, books, supplier
// invoices to order, and a hand on an invoice's life. It asks for no token.
func (s *Sandbox) steering() http.Handler {
	mux := http.NewServeMux()
	s.people(mux)
	mux.HandleFunc("GET /sandbox/books", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Books()) })
	mux.HandleFunc("GET /sandbox/faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Faults()) })
	mux.HandleFunc("POST /sandbox/faults", s.armFault)
	mux.HandleFunc("DELETE /sandbox/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		writeJSON(w, http.StatusOK, s.Faults())
	})
	mux.HandleFunc("POST /sandbox/supplier-invoices", s.orderSupplierInvoice)
	mux.HandleFunc("GET /sandbox/invoices/{id}", s.showPosted)
	for _, kind := range []string{"xml", "pdf"} {
		mux.HandleFunc("GET /sandbox/invoices/{id}/document."+kind, func(w http.ResponseWriter, r *http.Request) { s.download(w, r, kind) })
	}
	mux.HandleFunc("POST /sandbox/it-invoices", s.orderItalianInvoice)
	mux.HandleFunc("POST /sandbox/wallet", s.recharge)
	s.oauth(mux)
	mux.HandleFunc("GET /sandbox/invoices/{id}/mail.eml", s.showMail)
	mux.HandleFunc("GET /sandbox/switches", s.showSwitches)
	mux.HandleFunc("PATCH /sandbox/switches", s.turnSwitches)
	mux.HandleFunc("GET /sandbox/directory", s.showDirectory)
	mux.HandleFunc("PUT /sandbox/directory/{siren}", s.editDirectory)
	mux.HandleFunc("POST /sandbox/invoices/{id}/advance", s.advance)
	return mux
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	write(w, status, "application/json", append(b, '\n'))
}

// readJSON reads a steering request, or answers 400.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return err == nil
}

func (s *Sandbox) armFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	if readJSON(w, r, &f) {
		s.AddFault(f)
		writeJSON(w, http.StatusOK, s.Faults())
	}
}

// showPosted gives back the body of a POST byte for byte, as it was kept.
func (s *Sandbox) showPosted(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	rec := s.store.byID[r.PathValue("id")]
	s.mu.Unlock()
	if rec == nil {
		http.NotFound(w, r)
		return
	}
	write(w, http.StatusOK, "application/json", rec.Raw)
}

// advance moves an invoice by hand. From then on nothing moves it by itself.
func (s *Sandbox) advance(w http.ResponseWriter, r *http.Request) {
	var to struct {
		State      string `json:"state"`
		External   string `json:"external_status"`
		ReasonCode string `json:"reason_code"`
		Reason     string `json:"reason"`
		Network    string `json:"network"`
		Scenario   string `json:"scenario"` // instead of a state: lives through it from here
	}
	if !readJSON(w, r, &to) {
		return
	}
	s.mu.Lock()
	rec := s.store.byID[r.PathValue("id")]
	if rec == nil {
		s.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	if to.Scenario != "" {
		s.direct(w, rec, to.Scenario) // unlocks
		return
	}
	if to.State == "" {
		to.State = rec.State
	}
	rec.Phases = -1
	s.move(rec, phase{state: to.State, external: to.External, reasonCode: to.ReasonCode, reason: to.Reason, network: to.Network})
	copied := *rec
	s.mu.Unlock()
	s.catchUp()
	writeJSON(w, http.StatusOK, s.shown(copied).body)
}

// direct gives an invoice another life, from its beginning. The caller holds mu,
// which direct gives back.
func (s *Sandbox) direct(w http.ResponseWriter, rec *record, name string) {
	if !slices.ContainsFunc(scenarios(), func(life scenario) bool { return life.name == name }) {
		s.mu.Unlock()
		http.Error(w, "unknown scenario "+name, http.StatusBadRequest)
		return
	}
	rec.Life, rec.Phases = name, 0
	bare := *rec
	bare.Raw = nil
	s.remember(entry{State: &bare})
	s.schedule(rec)
	copied := *rec
	s.mu.Unlock()
	s.nudge()
	writeJSON(w, http.StatusOK, s.shown(copied).body)
}
