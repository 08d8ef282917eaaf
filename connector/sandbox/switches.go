package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// Switches decide what nobody outside the platform knows. Each has the answer
// that is worst for a client, or that the page's samples suggest, as its
// default; "" is the default. They can be changed while the sandbox runs.
type Switches struct {
	Reply      string `json:"reply"`      // of POST: "invoice" (whole), "id" (data has only id and state), "created" (whole, 201)
	Order      string `json:"order"`      // of lists: "newest" first, "oldest", "none" (by id, which says nothing)
	Limit      int    `json:"limit"`      // of a list that asks for none; 0: 25
	Callbacks  string `json:"callbacks"`  // "full", "plain" (headers, retry and custom are not honoured)
	Vocabulary string `json:"vocabulary"` // of external_status: "words", "codes" (200, 205 ...)
	Reason     string `json:"reason"`     // where a reason stands: "details", "message" (details.message), "none"
	Patch      string `json:"patch"`      // of callbacks: "replace", "merge" (by event)
	Key        string `json:"key"`        // in the path of a company: "exact", "siren" (any id of the company)
	Done       string `json:"done"`       // state DONE comes at "delivery", or at "approval"
	Errors     string `json:"errors"`     // "odd" (not found comes with success true and data "null"), "plain"
	MaxBody    int64  `json:"max_body"`   // bytes of a request; 0: 64 MiB
}

// Set sets switches by their names in JSON. The error names one that is unknown.
func (w *Switches) Set(values map[string]string) error {
	raw := map[string]any{}
	for name, value := range values {
		raw[name] = value
		if n, err := strconv.Atoi(value); err == nil {
			raw[name] = n
		}
	}
	b, err := json.Marshal(raw)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(w); err != nil {
		return err
	}
	checked := *w
	return checked.complete()
}

func (w *Switches) complete() error {
	for _, word := range []struct {
		name  string
		value *string
		known []string
	}{
		{"reply", &w.Reply, []string{"invoice", "id", "created"}},
		{"order", &w.Order, []string{"newest", "oldest", "none"}},
		{"callbacks", &w.Callbacks, []string{"full", "plain"}},
		{"vocabulary", &w.Vocabulary, []string{"words", "codes"}},
		{"reason", &w.Reason, []string{"details", "message", "none"}},
		{"patch", &w.Patch, []string{"replace", "merge"}},
		{"key", &w.Key, []string{"exact", "siren"}},
		{"errors", &w.Errors, []string{"odd", "plain"}},
		{"done", &w.Done, []string{"delivery", "approval"}},
	} {
		if err := choose(word.value, word.known); err != nil {
			return fmt.Errorf("sandbox switch %s: %w", word.name, err)
		}
	}
	if w.Limit <= 0 {
		w.Limit = defaultLimit
	}
	if w.MaxBody <= 0 {
		w.MaxBody = maxBody
	}
	return nil
}

// Switch replaces all switches. The error names a word that is unknown.
func (s *Sandbox) Switch(w Switches) error {
	if err := w.complete(); err != nil {
		return err
	}
	s.switches.Store(&w)
	return nil
}

// turnSwitches is PATCH /sandbox/switches: what is not sent stays.
func (s *Sandbox) turnSwitches(w http.ResponseWriter, r *http.Request) {
	var patch json.RawMessage
	if !readJSON(w, r, &patch) {
		return
	}
	if err := s.patchSwitches(patch); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.showSwitches(w, r)
}

func (s *Sandbox) patchSwitches(patch []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock() // two changes at once must both stay
	before := *s.switches.Load()
	next := before
	if err := json.Unmarshal(patch, &next); err != nil {
		return err
	}
	if err := s.Switch(next); err != nil {
		return err
	}
	s.remember(entry{Switches: changed(before, *s.switches.Load())})
	return nil
}

// changed are the switches that stand otherwise now, so that the options of a
// later start still count for the others.
func changed(before, after Switches) json.RawMessage {
	var was, is map[string]any
	for to, from := range map[*map[string]any]Switches{&was: before, &is: after} {
		b, _ := json.Marshal(from) // never fails
		_ = json.Unmarshal(b, to)  // nor does this
	}
	maps.DeleteFunc(is, func(name string, value any) bool { return was[name] == value })
	b, _ := json.Marshal(is)
	return b
}

func (s *Sandbox) showSwitches(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.switches.Load())
}

// code is the French lifecycle code of a word, or the word itself.
func code(external string) string {
	for word, code := range map[string]string{
		"submitted": "200", "issued": "201", "received": "202", "made_available": "203", "in_hand": "204", "approved": "205",
		"partially_approved": "206", "disputed": "207", "suspended": "208", "completed": "209", "refused": "210", "payment_sent": "211",
		"paid": "212", "rejected": "213", "cancelled": "220", "routing_error": "221", "inadmissible": "501",
	} {
		if word == external {
			return code
		}
	}
	return external
}

// say fills the details as the switches want them.
func (w *Switches) say(d *details, r record) {
	d.External, d.ReasonCode, d.Reason = r.External, r.ReasonCode, r.Reason
	if w.Vocabulary == "codes" {
		d.External = code(r.External)
	}
	if w.Reason != "details" {
		d.ReasonCode, d.Reason = "", ""
	}
	if w.Reason == "message" {
		d.Message = strings.TrimSpace(r.ReasonCode + " " + r.Reason)
	}
}

// state is what a record's state is called: SENT until approval, where DONE
// comes no sooner.
func (w *Switches) state(r record) string {
	if w.Done == "approval" && r.State == "DONE" && r.External == "made_available" {
		return "SENT"
	}
	return r.State
}
