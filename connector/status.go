package connector

import (
	"encoding/json"
	"time"
)

// State is the platform's coarse state of an invoice. The list is open: an
// unknown word is kept as it came.
type State string

// The states that the API's page names.
const (
	StateNew      State = "NEW"      // taken in charge
	StateSent     State = "SENT"     // on its way
	StateReceived State = "RECEIVED" // an incoming invoice: its only state
	StateDone     State = "DONE"     // delivered or better
	StateError    State = "ERROR"    // rejected, refused or undeliverable
)

// Final tells whether the platform says that nothing more need happen. The
// French life cycle may go on after DONE all the same.
func (s State) Final() bool { return s == StateDone || s == StateError }

// Direction tells an invoice we issue from one we receive.
type Direction string

// The two directions; an empty one is unknown.
const (
	Outgoing Direction = "outgoing"
	Incoming Direction = "incoming"
)

// Status is one step of an invoice's life as the API reports it.
type Status struct {
	State      State     `json:"state"`
	External   string    `json:"external_status,omitempty"` // the French network's word, verbatim
	Code       int       `json:"status_code,omitempty"`     // 200..228, 501 where known, else 0
	ReasonCode string    `json:"reason_code,omitempty"`     // MONTANTTOTAL_ERR ...
	Reason     string    `json:"reason,omitempty"`          // free text of the platform
	At         time.Time `json:"at,omitzero"`               // when the platform says it happened
}

// Same tells whether two statuses say the same thing, whenever they said it.
func (s Status) Same(o Status) bool {
	s.At, o.At = time.Time{}, time.Time{}
	return s == o
}

// Remote is an invoice as the API shows it: the parts we understand, and the
// whole as received.
type Remote struct {
	ID        string
	Direction Direction // "" when the API does not say
	Status    Status
	Invoice   Invoice
	Created   time.Time       // zero when the API does not say
	Network   string          // details.network, verbatim
	Raw       json.RawMessage // the object exactly as received
}

// Company is one SIREN or SIRET registered with the API.
type Company struct {
	ID       string // the short key of its section in the configuration
	FiscalID string // SIREN (9 digits) or SIRET (14), as registered
	Name     string
	VATID    string
	Email    string
	Address  Address
}

// SIREN is the first nine digits of the company's fiscal id.
func (c Company) SIREN() string { return Party{FiscalID: c.FiscalID}.SIREN() }
