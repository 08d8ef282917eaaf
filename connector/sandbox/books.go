package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// keptTries bounds how many requests and callbacks Books shows; the newest are kept.
const keptTries = 10_000

// Books are what the platform saw and did: the witness of every test.
type Books struct {
	Requests  map[string]int `json:"requests"`  // by route: "POST /FR-invoices": 3
	Latest    []Request      `json:"latest"`    // requests one by one, in the order of their arrival, the newest 10 000
	Refreshes int            `json:"refreshes"` // GETs of one invoice with refresh=true
	Documents []Document     `json:"documents"` // outgoing, by SIREN, year and number
	Callbacks []Try          `json:"callbacks"` // in the order of their end, the newest 10 000
	Tries     int            `json:"tries"`     // callbacks tried since the start
}

// Document is one business key: a number that a seller may use once a year.
type Document struct {
	SIREN  string   `json:"siren"`
	Number string   `json:"number"`
	Year   string   `json:"year"`  // of the issue date
	Posts  int      `json:"posts"` // requests that reached the platform's door, whatever came of them
	IDs    []string `json:"ids"`   // invoices taken in charge; more than one was sent twice
}

// Twice lists the documents that were taken in charge more than once.
func (b Books) Twice() []Document {
	return slices.DeleteFunc(slices.Clone(b.Documents), func(d Document) bool { return len(d.IDs) < 2 })
}

// Try is one attempt to call back.
type Try struct {
	At       time.Time `json:"at"`
	Event    string    `json:"event"`
	URL      string    `json:"url"`
	Invoice  string    `json:"invoice"` // its id
	Number   string    `json:"number"`
	State    string    `json:"state"`
	External string    `json:"external_status"`
	Attempt  int       `json:"attempt"`          // from 1
	Status   int       `json:"status,omitempty"` // HTTP; 0: no answer
	Error    string    `json:"error,omitempty"`
	ID       string    `json:"id"` // of the entry in the platform's own log
	Started  time.Time `json:"started"`

	// What the platform's log shows of the call itself.
	custom        json.RawMessage
	headers       map[string]string
	method, field string
	retry         int
}

// Request is one call of the API that arrived whole.
type Request struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"` // with its query
	Number string    `json:"number,omitempty"`
	Status int       `json:"status,omitempty"` // 0: no answer, or none yet
	Faults []string  `json:"faults,omitempty"` // that struck it
}

// businessKey identifies a document as the tax office does.
type businessKey struct{ siren, number, year string }

// ledgerOfCalls counts while the sandbox runs.
type ledgerOfCalls struct {
	requests  map[string]int
	latest    []*Request
	refreshes int
	documents map[businessKey]*Document
	callbacks []Try
	tries     int
}

func newBooks() ledgerOfCalls {
	return ledgerOfCalls{requests: map[string]int{}, documents: map[businessKey]*Document{}}
}

func (l *ledgerOfCalls) document(k businessKey) *Document {
	d := l.documents[k]
	if d == nil {
		d = &Document{SIREN: k.siren, Number: k.number, Year: k.year}
		l.documents[k] = d
	}
	return d
}

func (l *ledgerOfCalls) asked(r *Request) {
	if len(l.latest) >= 2*keptTries {
		l.latest = append(l.latest[:0], l.latest[keptTries:]...)
	}
	l.latest = append(l.latest, r)
}

func (l *ledgerOfCalls) tried(t Try) {
	l.tries++
	if len(l.callbacks) >= 2*keptTries {
		l.callbacks = append(l.callbacks[:0], l.callbacks[keptTries:]...)
	}
	l.callbacks = append(l.callbacks, t)
}

// Books copies what was counted so far.
func (s *Sandbox) Books() Books {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := Books{
		Requests:  maps.Clone(s.books.requests),
		Refreshes: s.books.refreshes,
		Documents: make([]Document, 0, len(s.books.documents)),
		Callbacks: slices.Clone(s.books.callbacks[max(0, len(s.books.callbacks)-keptTries):]),
		Tries:     s.books.tries,
	}
	for _, r := range s.books.latest[max(0, len(s.books.latest)-keptTries):] {
		b.Latest = append(b.Latest, *r)
	}
	for _, d := range s.books.documents {
		c := *d
		c.IDs = slices.Clone(d.IDs)
		b.Documents = append(b.Documents, c)
	}
	slices.SortFunc(b.Documents, func(x, y Document) int {
		return strings.Compare(x.SIREN+x.Year+"\x00"+x.Number, y.SIREN+y.Year+"\x00"+y.Number)
	})
	return b
}
