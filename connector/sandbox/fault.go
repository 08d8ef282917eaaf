package sandbox

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Fault makes the sandbox misbehave. Several may strike one request.
type Fault struct {
	On     string        // "POST /FR-invoices", "GET /FR-invoices/{id}", a method, a literal "GET /FR-invoices/64a..."; of a callback its event; "": everything
	Kind   string        // see kinds
	Count  int           // how often it strikes; 0: always
	Rate   float64       // its chance per request, 0..1; 0: every time
	Number string        // only for this document_number
	Delay  time.Duration // of hold, slow and visibility_delay; Retry-After of status
	Status int           // of status, status_after, html and truncate
	Body   string        // of status, status_after, html and xml; "": one that fits
	Bytes  int           // of callback_huge
}

// kinds of faults, in the order in which they can strike a request.
func kinds() []string {
	return []string{
		"slow",         // waits Delay, then processes and answers
		"reset_before", // closes the connection before processing
		"status",       // answers Status and Body instead of processing
		"html",         // answers an HTML page (502) instead of processing
		"xml",          // answers as the gateway does to a wrong host: XML (401)
		"expired",      // answers 401 Expired Token

		"visibility_delay",      // a new invoice is in no list and under no id for Delay
		"normalise_cent",        // a new invoice's VAT and total are a cent higher
		"ignore_filters",        // a list ignores every filter
		"truncate_list",         // a list's page lacks its second half
		"callback_before_reply", // the first callback overtakes the answer

		"reset_after",  // processes, then closes without an answer
		"status_after", // processes, then answers Status and Body
		"hold",         // processes, answers after Delay (0: never) or when the client is gone
		"no_id",        // processes, answers 200 without an id
		"truncate",     // processes, answers half of the JSON

		"null_data",      // "data" is the text "null", the rest as it is
		"text_success",   // "success" is the text "true" or "false"
		"text_error",     // "error" is a text
		"float_error",    // "error" is a float: 422.22
		"other_time",     // create_at in the other layout
		"unknown_fields", // every object has a field more
		"missing_fields", // an invoice lacks what is not its id or state

		"conflict", "doublon", // an existing number is refused: 409, or 422 DOUBLON
		"ignore_unverified", "reject_unverified", // what the page does not show in a request is dropped, or refused
		"strict", // doubts refuse the invoice

		"callback_lost",         // a callback is never sent
		"callback_twice",        // a callback is sent twice
		"callback_wrong_header", // a callback's headers have other values
		"callback_no_header",    // a callback comes without its headers
		"callback_late",         // a callback comes after Delay
		"callback_swapped",      // a callback comes after the next one of its invoice
		"callback_forged",       // before it comes another, from a stranger, that says paid
		"callback_bare",         // the body is the invoice, without "data"
		"callback_wrapped",      // the body is wrapped twice
		"callback_legacy",       // the body is the older API's: event, data.invoice
		"callback_huge",         // an attachment of Bytes (20 MB) is in it
	}
}

func (f Fault) ofCallback() bool {
	return strings.HasPrefix(f.Kind, "callback_") && f.Kind != "callback_before_reply"
}

// AddFault arms a fault. An unknown kind is logged and never strikes.
func (s *Sandbox) AddFault(f Fault) {
	if !slices.Contains(kinds(), f.Kind) {
		s.opt.Log("sandbox: unknown kind of fault %q", f.Kind)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// ClearFaults makes the sandbox behave again.
func (s *Sandbox) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Faults lists what is armed, with the counts that are left.
func (s *Sandbox) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Fault, 0, len(s.faults))
	for _, f := range s.faults {
		list = append(list, *f)
	}
	return list
}

// strikes collects, by kind, the faults that hit something, and uses them up.
// The caller holds mu.
func (s *Sandbox) strikes(number string, hits func(Fault) bool) map[string]Fault {
	var struck map[string]Fault
	keep := s.faults[:0]
	for _, f := range s.faults {
		_, already := struck[f.Kind]
		hit := !already && (f.Number == "" || f.Number == number) && hits(*f) && (f.Rate == 0 || rand.Float64() < f.Rate)
		if hit {
			if struck == nil {
				struck = map[string]Fault{}
			}
			struck[f.Kind] = *f
		}
		if hit && f.Count == 1 {
			continue
		}
		if hit && f.Count > 1 {
			f.Count--
		}
		keep = append(keep, f)
	}
	clear(s.faults[len(keep):])
	s.faults = keep
	return struck
}

// faultJSON is a Fault for people: lower-case keys, the delay as "1m30s".
type faultJSON struct {
	On     string  `json:"on,omitempty"`
	Kind   string  `json:"kind"`
	Count  int     `json:"count,omitempty"`
	Rate   float64 `json:"rate,omitempty"`
	Number string  `json:"number,omitempty"`
	Delay  string  `json:"delay,omitempty"`
	Status int     `json:"status,omitempty"`
	Body   string  `json:"body,omitempty"`
	Bytes  int     `json:"bytes,omitempty"`
}

// MarshalJSON writes the delay as "1m30s".
func (f Fault) MarshalJSON() ([]byte, error) {
	j := faultJSON{f.On, f.Kind, f.Count, f.Rate, f.Number, "", f.Status, f.Body, f.Bytes}
	if f.Delay != 0 {
		j.Delay = f.Delay.String()
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads the delay as "1m30s" and refuses a kind that does not exist.
func (f *Fault) UnmarshalJSON(b []byte) error {
	var j faultJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	if !slices.Contains(kinds(), j.Kind) {
		return fmt.Errorf("unknown kind %q, known are %s", j.Kind, strings.Join(kinds(), " "))
	}
	*f = Fault{j.On, j.Kind, j.Count, j.Rate, j.Number, 0, j.Status, j.Body, j.Bytes}
	if j.Delay == "" {
		return nil
	}
	var err error
	f.Delay, err = time.ParseDuration(j.Delay)
	return err
}
