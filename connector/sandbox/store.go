package sandbox

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"time"
)

// record is an invoice as the platform keeps it; the JSON is that of Data.
type record struct {
	ID         string          `json:"id"`
	Incoming   bool            `json:"incoming,omitempty"`
	Owner      string          `json:"owner"` // fiscal id of the configuration it belongs to
	Number     string          `json:"number"`
	Type       string          `json:"type"`
	IssueDate  string          `json:"issue_date"`
	Created    time.Time       `json:"created"`
	Visible    time.Time       `json:"visible,omitzero"` // no list and no GET shows it before
	Cent       bool            `json:"cent,omitempty"`
	State      string          `json:"state"`
	External   string          `json:"external_status"`
	ReasonCode string          `json:"reason_code,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	Network    string          `json:"network,omitempty"`
	Life       string          `json:"life,omitempty"`      // its scenario
	Phases     int             `json:"phases,omitempty"`    // of its life that are over; -1: no more come by themselves
	From       string          `json:"from,omitempty"`      // of an incoming one that gets the Factur-X: the id that it was sent under
	FileName   string          `json:"file_name,omitempty"` // of the Factur-X
	Pad        int             `json:"pad,omitempty"`       // bytes that the Factur-X has at least
	Raw        json.RawMessage `json:"raw"`                 // as posted
}

// visibleAt tells whether the API shows the invoice.
func (r *record) visibleAt(now time.Time) bool { return !r.Visible.After(now) }

func (r *record) direction() string {
	if r.Incoming {
		return "incoming"
	}
	return "outgoing"
}

// store holds invoices and companies. Lists are in the order of arrival, so
// that a page needs no sorting, and every usual filter has its own.
type store struct {
	all       []*record
	byID      map[string]*record
	byNumber  map[string][]*record
	bySIREN   map[string][]*record // of the owner
	companies map[string]*company  // by fiscal id exactly as registered
	members   map[string][]string  // fiscal ids by SIREN, in the order of registration
}

func newStore() store {
	return store{
		byID: map[string]*record{}, byNumber: map[string][]*record{}, bySIREN: map[string][]*record{},
		companies: map[string]*company{}, members: map[string][]string{},
	}
}

func (st *store) add(r *record) {
	st.all = append(st.all, r)
	st.byID[r.ID] = r
	st.byNumber[r.Number] = append(st.byNumber[r.Number], r)
	key := siren(r.Owner)
	st.bySIREN[key] = append(st.bySIREN[key], r)
}

// company finds who answers for a fiscal id: the one registered under exactly
// this id, else one of the same SIREN.
func (st *store) company(fiscalID string) *company {
	if c := st.companies[fiscalID]; c != nil {
		return c
	}
	if c := st.companies[digits(fiscalID)]; c != nil {
		return c
	}
	if ids := st.members[siren(fiscalID)]; len(ids) > 0 {
		return st.companies[ids[0]]
	}
	return nil
}

func (st *store) register(c *company) {
	if st.companies[c.FiscalID] == nil {
		key := siren(c.FiscalID)
		st.members[key] = append(st.members[key], c.FiscalID)
	}
	st.companies[c.FiscalID] = c
}

func (st *store) forget(fiscalID string) {
	delete(st.companies, fiscalID)
	key := siren(fiscalID)
	for i, id := range st.members[key] {
		if id == fiscalID {
			st.members[key] = append(st.members[key][:i:i], st.members[key][i+1:]...)
		}
	}
}

// newID makes 24 hex digits that begin with the time, as the platform's do.
func newID(now time.Time) string {
	var b [12]byte
	binary.BigEndian.PutUint32(b[:], uint32(now.Unix()))
	_, _ = rand.Read(b[4:]) // never fails
	return hex.EncodeToString(b[:])
}

// key is an outgoing invoice's business key.
func (r *record) key() businessKey {
	return businessKey{siren: siren(r.Owner), number: r.Number, year: year(r.IssueDate)}
}

func year(date string) string {
	if len(date) < 4 {
		return date
	}
	return date[:4]
}
