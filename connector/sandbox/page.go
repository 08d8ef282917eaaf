package sandbox

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

// step is something that a person can make happen to an invoice.
type step struct{ Word, Label string }

// steps are in the order of the page's list; the first is its usual next one.
func steps() []step {
	return []step{{"next", "étape suivante"}, {"in_hand", "prise en charge"}, {"approved", "approuvée"}, {"disputed", "en litige"},
		{"refused", "refusée"}, {"rejected", "rejetée"}, {"paid", "encaissée"}}
}

// phase is the state that a step leads to.
func (s step) phase() (phase, bool) {
	switch s.Word {
	case "in_hand":
		return phase{state: "SENT", external: s.Word}, true
	case "approved", "paid":
		return phase{state: "DONE", external: s.Word}, true
	case "disputed":
		return phase{state: "SENT", external: s.Word, reasonCode: "QTE_ERR", reason: "Quantité facturée contestée"}, true
	case "refused":
		return phase{state: "ERROR", external: s.Word, reasonCode: "CMD_ERR", reason: "Commande inconnue"}, true
	case "rejected":
		return phase{state: "ERROR", external: s.Word, reasonCode: "REJ_SEMAN", reason: "Contenu irrecevable"}, true
	}
	return phase{}, false
}

// people adds the page and its forms. A form of another site is refused: the
// page asks for no password.
func (s *Sandbox) people(mux *http.ServeMux) {
	guard := http.NewCrossOriginProtection()
	mux.HandleFunc("GET /{$}", s.page)
	mux.Handle("POST /sandbox/page/advance", guard.Handler(http.HandlerFunc(s.pageAdvance)))
	mux.Handle("POST /sandbox/page/supplier", guard.Handler(http.HandlerFunc(s.pageSupplier)))
}

// page shows the newest invoices and callbacks.
func (s *Sandbox) page(w http.ResponseWriter, _ *http.Request) {
	s.catchUp()
	s.mu.Lock()
	view := struct {
		Companies, Invoices, Faults, Tries int
		Newest                             []record
		Steps                              []step
		Receivers                          []string
		Calls                              []Try
	}{
		Companies: len(s.store.companies), Invoices: len(s.store.all), Faults: len(s.faults), Tries: s.books.tries,
		Newest: s.store.page(filter{limit: 100}, s.opt.Now()), Steps: steps(),
		Calls: slices.Clone(s.books.callbacks[max(0, len(s.books.callbacks)-50):]),
	}
	for id, c := range s.store.companies {
		if c.SupplierInvoice {
			view.Receivers = append(view.Receivers, id)
		}
	}
	s.mu.Unlock()
	slices.Sort(view.Receivers)
	slices.Reverse(view.Calls)
	t, err := template.New("page").Parse(pageText)
	var b bytes.Buffer
	if err == nil {
		err = t.Execute(&b, view)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	write(w, http.StatusOK, "text/html; charset=utf-8", b.Bytes())
}

// pageAdvance takes an invoice where the form says, and back to the page.
func (s *Sandbox) pageAdvance(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	rec := s.store.byID[r.PostFormValue("id")]
	switch to, known := (step{Word: r.PostFormValue("to")}).phase(); {
	case rec == nil || rec.Incoming:
		s.mu.Unlock()
		http.NotFound(w, r)
		return
	case known:
		rec.Phases = -1
		s.move(rec, to)
	default:
		s.live(rec)
	}
	s.mu.Unlock()
	s.catchUp()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// pageSupplier orders a supplier invoice with its Factur-X.
func (s *Sandbox) pageSupplier(w http.ResponseWriter, r *http.Request) {
	var amount number
	if err := amount.UnmarshalJSON([]byte(strings.Replace(r.PostFormValue("amount"), ",", ".", 1))); err != nil {
		http.Error(w, "Montant : "+err.Error(), http.StatusBadRequest)
		return
	}
	body, err := json.Marshal(map[string]any{
		"fiscal_id": r.PostFormValue("fiscal_id"), "supplier_name": r.PostFormValue("supplier_name"),
		"document_number": r.PostFormValue("document_number"), "network": r.PostFormValue("network"), "amount": amount, "with_pdf": true,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var o order
	if err = json.Unmarshal(body, &o); err == nil {
		_, err = s.supplyAll(o)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.catchUp()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
